"""The campaign of checks/campaign.sh: run.py PROGRAM SEED KILLS MUTATIONS.

Kills: every command that writes is killed (SIGKILL) at a random moment of its run. Afterwards the same command must succeed and leave what an
undisturbed run leaves, and nothing under a final name may be half a file.
Mutations: bytes of valid files are changed, cut, doubled or moved; the command that reads them must end within a minute and 4 GB, with 0, 2, 3 or 6,
and never with a panic or a signal.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = str(Path(sys.argv[1]).resolve())
SEED, KILLS, MUTATIONS = (int(a) for a in sys.argv[2:5])
ROOT = Path(__file__).resolve().parents[2]
DICE = random.Random(SEED)
FAILURES = []
MEMORY = 4_000_000_000
PATIENCE = 60


def fail(what):
    FAILURES.append(what)
    print("FAILED", what, flush=True)


def run(args, cwd, **environment):
    """Exit code and words of a run within the limits; the code is negative for a signal and None where it did not end."""
    env = {**os.environ, "FLATLEAK_DATA": str(Path(cwd) / "cache"), **environment}
    command = ["prlimit", f"--as={MEMORY}", PROGRAM, *map(str, args)]
    try:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None, "no end"
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def killed(args, cwd, after):
    """Starts a run and kills it after so many seconds; whether it was still running."""
    env = {**os.environ, "FLATLEAK_DATA": str(Path(cwd) / "cache")}
    child = subprocess.Popen([PROGRAM, *map(str, args)], cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(after)
        return False
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return True


def content(folder):
    """Every published file, without what differs from run to run."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.name not in ("lock", "report.html", "theory.html"):
            if path.name in ("results.json", "theory.json"):
                value = json.loads(path.read_text())
                value.pop("machine", None)
                value.pop("timings", None)
                found[name] = json.dumps(value, sort_keys=True)
            else:
                found[name] = path.read_bytes()
    return found


SMALL = "--models 6 --pool 60 --epochs 2 --recipes sgd,sam --workers 2".split()


def table(path, rows):
    lines = [f"{i},{7 * i % 5},{'rose' if i % 2 else 'aster'}" for i in range(rows)]
    path.write_text("width,height,label\n" + "\n".join(lines) + "\n")


def kills():
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        run(["compare", *SMALL, "--out", "run"], base)
        table(base / "old.csv", 40)
        table(base / "new.csv", 4000)
        commands = {
            "compare": (["compare", *SMALL, "--out", "out"], None),
            "explain": (["explain", "out"], "run"),
            "explain --redact": (["explain", "out", "--redact"], "run"),
            "audit": (["audit", "run", "--out", "out", "--save-scores"], None),
            "report": (["report", "out"], "run"),
            "export": (["export", "run", "--layout", "mi_lira_2021", "--out", "out"], None),
            "import": (["data", "import", "new.csv", "--name", "set", "--replace"], "cache"),
        }
        for what, (command, start) in commands.items():
            def laid():
                for path in ("out", "cache"):
                    shutil.rmtree(base / path, ignore_errors=True)
                if start == "run":
                    shutil.copytree(base / "run", base / "out")
                if start == "cache":
                    code, words = run(["data", "import", "old.csv", "--name", "set"], base)
                    assert code == 0, words

            target = base / ("cache" if start == "cache" else "out")
            laid()
            begun = time.monotonic()
            code, words = run(command, base)
            took = time.monotonic() - begun
            if code != 0:
                fail(f"{what}: {words}")
                continue
            whole = content(target)
            hit = 0
            for _ in range(KILLS):
                laid()
                hit += killed(command, base, DICE.uniform(0, took))
                if start == "cache":
                    # Old or new, never a part.
                    code, words = run(["data", "verify", "set"], base)
                    if code != 0:
                        fail(f"{what}: {words}")
                for path in target.rglob("results.json"):
                    code, words = run(["report", path.parent, "--out", base / "page"], base)
                    if code != 0:
                        fail(f"{what}: half a result: {words}")
                code, words = run(command, base)
                if code != 0 or content(target) != whole:
                    fail(f"{what}: after a kill exit {code}, same content {content(target) == whole}: {words[-300:]}")
            print(f"kills      {what:<18}{KILLS:>6} runs, {hit} killed in their course", flush=True)


def mutated(data):
    """A changed copy of some bytes."""
    data = bytearray(data)
    for _ in range(DICE.choice([1, 1, 2, 4, 16])):
        if not data:
            break
        at = DICE.randrange(len(data))
        # Headers are where the meaning is.
        if DICE.random() < 0.5:
            at = DICE.randrange(min(len(data), 256))
        kind = DICE.randrange(6)
        if kind == 0:
            data[at] ^= 1 << DICE.randrange(8)
        elif kind == 1:
            data[at] = DICE.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif kind == 2:
            del data[at : at + DICE.choice([1, 4, 64])]
        elif kind == 3:
            data[at:at] = data[at : at + DICE.choice([1, 8, 64])]
        elif kind == 4:
            data = data[:at]
        else:
            size = DICE.choice([2, 4, 8])
            data[at : at + size] = DICE.choice([0, 2**31 - 1, 2**32 - 1, 2**63 - 1]).to_bytes(8, "little")[:size]
    return bytes(data)


def readers(base):
    """By reader: its valid files, and the command that reads one."""
    seeds = ROOT / "fuzz" / "corpora"
    found = {}
    for folder in sorted(p for p in seeds.iterdir() if p.is_dir()):
        files = sorted(p for p in folder.iterdir() if p.is_file() and p.stat().st_size < 200_000)
        command = COMMANDS.get(folder.name)
        if command and files:
            found[folder.name] = (files, command)
    return found


def data(path):
    return ["data", "info", path]


def array(path):
    return ["audit", "--logits", path, "--labels", "labels.npy", "--membership", "membership.npy", "--out", "out"]


def rows(path):
    return ["audit", "--table", path, "--out", "out"]


def design(path):
    return ["audit", "--phi", "phi.npy", "--membership", path, "--out", "out"]


COMMANDS = {
    "npy": ("npy", array),
    "npz": ("npz", array),
    "safetensors": ("safetensors", array),
    "parquet": ("parquet", rows),
    "arrow": ("arrow", rows),
    "csv": ("csv", rows),
    "idx": ("idx", data),
    "pictures": ("png", data),
    "hub": ("parquet", data),
    "study": ("toml", lambda path: ["compare", path, "--dry-run"]),
    "problem": ("npz", lambda path: ["theory", "--problem", path, "--out", "out"]),
}


def mutations():
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        code, words = run(["plan", "--models", "8", "--pool", "40", "--out", "plan"], base)
        assert code == 0, words
        shutil.copy(base / "plan" / "membership.npy", base / "membership.npy")
        header = "{'descr': '<i8', 'fortran_order': False, 'shape': (40,), }".ljust(117) + "\n"
        body = b"".join((i % 4).to_bytes(8, "little") for i in range(40))
        (base / "labels.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body)
        for reader, (files, (ending, command)) in readers(base).items():
            counts = {}
            for k in range(MUTATIONS):
                path = base / f"mutant.{ending}"
                path.write_bytes(mutated(DICE.choice(files).read_bytes()))
                code, words = run(command(path), base)
                counts[code] = counts.get(code, 0) + 1
                if code not in (0, 2, 3, 6) or "panicked" in words:
                    kept = ROOT / "target" / f"campaign-{reader}-{SEED}-{k}.{ending}"
                    shutil.copy(path, kept)
                    fail(f"{reader}: exit {code} on {kept.name}: {words[-300:]}")
                shutil.rmtree(base / "out", ignore_errors=True)
            print(f"mutations  {reader:<18}{MUTATIONS:>6} files, exits {dict(sorted(counts.items(), key=str))}", flush=True)


def obstacles():
    """Links, pipes, folders in the place of files, and a disk without room."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        run(["compare", *SMALL, "--out", "run"], base)
        tried = 0
        victim = base / "victim"
        names = ["results.json", "report.html", "exposure.csv", "examples.parquet", "study.toml", "membership.npy", "lock"]
        for place in names:
            for kind in ("link", "dangling", "pipe", "folder"):
                shutil.rmtree(base / "out", ignore_errors=True)
                shutil.copytree(base / "run", base / "out")
                victim.write_text("precious")
                at = base / "out" / place
                at.unlink()
                if kind == "link":
                    at.symlink_to(victim)
                elif kind == "dangling":
                    at.symlink_to(base / "nowhere")
                elif kind == "pipe":
                    os.mkfifo(at)
                else:
                    at.mkdir()
                    (at / "inside").write_text("mine")
                for command in (["compare", *SMALL, "--out", "out"], ["explain", "out", "--no-attacks"], ["report", "out"]):
                    code, words = run(command, base)
                    tried += 1
                    if code not in (0, 2, 3, 7) or "panicked" in words:
                        fail(f"{kind} as {place}: {command[0]}: exit {code}: {words[-300:]}")
                if victim.read_text() != "precious" or (base / "nowhere").exists():
                    fail(f"{kind} as {place} was followed")
        for command in (["compare", *SMALL, "--out"], ["audit", "run", "--out"], ["explain", "run", "--out"], ["export", "run", "--layout", "npz", "--out"], ["plan", "--models", "64", "--pool", "100000", "--out"]):
            shutil.rmtree(base / "full", ignore_errors=True)
            # No file may grow beyond 4 kB: as on a full disk, writes fail in their course.
            done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "full", PROGRAM, *command, "full"], cwd=base, capture_output=True)
            tried += 1
            if done.returncode != 7 or b"panicked" in done.stderr:
                fail(f"full disk: {command[0]}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}")
        print(f"obstacles  {tried:>24} runs", flush=True)


obstacles()
kills()
mutations()
print(f"{len(FAILURES)} failures, seed {SEED}")
sys.exit(1 if FAILURES else 0)
