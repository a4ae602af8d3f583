"""Writes THIRD-PARTY.md, the notices of all that is linked into the program and the Python package: python3 checks/notices.py [--check].

What is linked is asked of `cargo metadata`, for the system that is tested; texts are taken from the sources that cargo keeps. With --check nothing
is written, and a file that is not as it would be written is an error.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"
PROGRAMS = ("flatleak-cli", "flatleak-python")

# Of several licences the first of these is taken; each with words of its text.
LICENCES = {
    "MIT": "permission is hereby granted, free of charge",
    "Apache-2.0": "apache license version 2.0",
    "BSD-3-Clause": "redistribution and use in source and binary forms",
    "BSD-2-Clause": "redistribution and use in source and binary forms",
    "Zlib": "in no event will the authors be held liable",
    "Unicode-3.0": "unicode license v3",
    "CC0-1.0": "cc0 1.0 universal",
    "Apache-2.0 WITH LLVM-exception": "llvm exceptions to the apache 2.0 license",
}
NAMES = ("LICEN", "COPYING", "COPYRIGHT", "NOTICE")


def linked():
    """Packages that are linked, by name and version."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {p["id"]: p for p in metadata["packages"]}
    nodes = {n["id"]: n for n in metadata["resolve"]["nodes"]}

    def is_macro(key):
        return any("proc-macro" in target["kind"] for target in packages[key]["targets"])

    todo = [key for key, p in packages.items() if p["name"] in PROGRAMS]
    seen = set()
    while todo:
        key = todo.pop()
        if key in seen or is_macro(key):
            continue
        seen.add(key)
        for dependency in nodes[key]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    found = [packages[key] for key in seen if packages[key]["source"]]
    return sorted(found, key=lambda p: (p["name"], p["version"]))


def choices(expression):
    """The sets of licences by which an expression can be kept."""
    tokens = re.findall(r"\(|\)|/|[^\s()/]+", expression)

    def alternatives():
        found = together()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            found = found + together()
        return found

    def together():
        found = single()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            other = single()
            found = [a | b for a in found for b in other]
        return found

    def single():
        token = tokens.pop(0)
        if token == "(":
            found = alternatives()
            assert tokens.pop(0) == ")", expression
            return found
        if tokens[:1] == ["WITH"]:
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return [{token}]

    found = alternatives()
    assert not tokens, expression
    return found


def chosen(package):
    """The licences that are kept, the least demanding of those that are offered."""
    order = list(LICENCES)
    known = [c for c in choices(package["license"]) if c <= set(order)]
    if not known:
        sys.exit(f"{package['name']}: {package['license']} is no licence that checks/notices.py knows")
    return min(known, key=lambda c: sorted(order.index(one) for one in c))


def plain(text):
    """Text by which two copies of a licence are told to be one."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def files(package):
    """The package's own texts by name, and those of works of others that it carries."""
    folder = Path(package["manifest_path"]).parent
    named = sorted(f for f in folder.rglob("*") if f.is_file() and f.name.upper().startswith(NAMES))
    own, carried = [], []
    for f in named:
        (own if f.parent == folder else carried).append((f.name, f.read_text(encoding="utf-8", errors="replace")))
    return own, carried


def parts(text):
    """Whose a licence text says that the work is, at its head, and the rest."""
    whose, rest = [], text.replace("\r\n", "\n").split("\n")
    title = re.compile(r"\s*(#*\s*(the )?mit license( \(mit\))?:?\s*)?$", re.I)
    owner = re.compile(r"\s*(copyright|\(c\)|©)", re.I)
    while rest and (title.match(rest[0]) or owner.match(rest[0])):
        line = rest.pop(0).strip()
        if owner.match(line):
            whose.append(line)
    body = "\n".join(line.rstrip() for line in rest).strip("\n")
    return whose, re.sub(r"\n{3,}", "\n\n", body)


def collected(packages):
    """By licence and body: whose works come under it. Works without a text of their own stand under the most frequent one."""
    bodies, lacking = defaultdict(list), []
    texts = {}
    for package in packages:
        name = f"{package['name']} {package['version']}"
        own, carried = files(package)
        for licence in sorted(chosen(package)):
            words = plain(LICENCES[licence])
            fitting = [text for file, text in own if words in plain(text) and not file.upper().startswith("NOTICE")]
            if not fitting:
                lacking.append((licence, name, package["authors"]))
                continue
            fitting = [min(fitting, key=len)] + [text for _, text in carried if words in plain(text)]
            for whose, body in map(parts, fitting):
                key = (licence, plain(body))
                texts.setdefault(key, body)
                bodies[key].append((name, whose))
        for file, text in own:
            if file.upper().startswith("NOTICE"):
                key = ("Notices of works under Apache-2.0", plain(text))
                texts.setdefault(key, text.strip())
                bodies[key].append((name, []))
    common = Counter({key: len(works) for key, works in bodies.items()})
    for licence, name, authors in lacking:
        own = [key for key, _ in sorted(common.items(), key=lambda item: (-item[1], item[0])) if key[0] == licence]
        if not own:
            sys.exit(f"{name}: no text of {licence} is to be found")
        bodies[own[0]].append((name, [f"no text in its package; authors: {', '.join(authors) or 'not named'}"]))
    return bodies, texts


def document():
    packages = linked()
    bodies, texts = collected(packages)
    out = [
        "# Works of others in flatleak",
        "",
        f"The program and the Python package, as they are built for {TARGET}, hold the works of others that are listed here, each with its notice. "
        "Of several licences that a work is offered under, the one named here is kept. Rust's standard library is part of every program that Rust "
        "builds, under MIT or Apache-2.0 (https://github.com/rust-lang/rust).",
        "",
        "`python3 checks/notices.py` writes this file.",
    ]
    order = list(LICENCES)
    rank = lambda key: (order.index(key[0]) if key[0] in order else len(order), -len(bodies[key]), key[1])
    for key in sorted(bodies, key=rank):
        out += ["", f"## {key[0]}", ""]
        lines = (f"- {name}{': ' if whose else ''}{'; '.join(dict.fromkeys(whose))}" for name, whose in bodies[key])
        out += sorted(set(lines))
        out += ["", "```", texts[key].replace("```", "'''"), "```"]
    data = (ROOT / "crates/data/embedded/README.md").read_text(encoding="utf-8")
    out += ["", "## Embedded data", "", data.split("## Licence of the data\n", 1)[1].replace("\n# ", "\n### ").rstrip()]
    return "\n".join(out) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="write nothing; fail where the file is stale")
    check = arguments.parse_args().check
    path, text = ROOT / "THIRD-PARTY.md", document()
    if not check:
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        sys.exit("THIRD-PARTY.md is stale: python3 checks/notices.py writes it anew")
    else:
        print("THIRD-PARTY.md: as it should be")


if __name__ == "__main__":
    main()
