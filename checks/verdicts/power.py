"""How often do two programs' headlines say a direction, on the same simulated pools?

    python3 checks/verdicts/power.py OLDER NEWER --repetitions 200 --blocks 8 > table.md

OLDER and NEWER are `flatleak` programs. Every repetition draws one pair of recipes of the world of `--example verdicts` (200 fixed examples,
complementary pairs, recipes paired), writes both as folders that each program reads, and runs `flatleak audit BASELINE CANDIDATE` of both.
An effect of 1 is no difference: what is said there is the measured size. Needs NumPy.
"""

import argparse
import collections
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

EXAMPLES = 200
TWINS, RECIPES = -0.4, 0.5
MORE = {"more", "relevantly-more"}
LESS = {"less", "relevantly-less"}


def world():
    draw = np.random.default_rng(1)
    z = draw.standard_normal((3, EXAMPLES))
    return 1.5 + 2 * z[0], abs(1.5 * z[1]), np.exp(0.5 * z[2] - 0.1)


def noise(draw, blocks):
    first, fresh = draw.standard_normal((2, blocks, EXAMPLES))
    twin = TWINS * first + math.sqrt(1 - TWINS**2) * fresh
    return np.stack([first, twin], axis=1).reshape(2 * blocks, EXAMPLES)


def pools(blocks, effect, seed):
    """Membership (2 blocks, examples), labels and phi of baseline and candidate."""
    draw = np.random.default_rng(seed)
    a, b, s = world()
    rows = []
    for _ in range(blocks):
        row = np.zeros(EXAMPLES, dtype=bool)
        row[draw.permutation(EXAMPLES)[: EXAMPLES // 2]] = True
        rows += [row, ~row]
    keep = np.array(rows)
    one, other = noise(draw, blocks), noise(draw, blocks)
    noises = [one, RECIPES * one + math.sqrt(1 - RECIPES**2) * other]
    offsets = 0.3 * draw.standard_normal((2, 2 * blocks, 1))
    gains = [1.0, effect]
    phi = [a + gain * b * keep + u + s * e for gain, u, e in zip(gains, offsets, noises)]
    return keep, np.arange(EXAMPLES) % 2, phi


def write(folder, keep, labels, phi):
    for model, (row, values) in enumerate(zip(keep, phi)):
        own = folder / str(model)
        own.mkdir(parents=True)
        np.save(own / "keep.npy", row)
        # Two classes: the logit of the true one is phi, that of the other 0.
        logits = np.where(labels[:, None] == np.arange(2), values[:, None], 0)
        np.save(own / "logits.npy", logits.astype(np.float32))
    np.save(folder / "labels.npy", labels.astype(np.int64))


def headline(program, work, name):
    """The verdict of the headline, as the program writes it."""
    out = work / name
    command = [program, "audit", str(work / "baseline"), str(work / "candidate"), "--labels", str(work / "baseline" / "labels.npy"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads((out / "results.json").read_text())["headline"]["verdict"]


def wilson(k, n, z=1.96):
    p, d = k / n, 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (p + z * z / (2 * n) - half) / d, (p + z * z / (2 * n) + half) / d


def share(k, n):
    low, high = wilson(k, n)
    return f"{100 * k / n:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("older")
    asked.add_argument("newer")
    asked.add_argument("--blocks", type=int, default=8)
    asked.add_argument("--repetitions", type=int, default=200)
    asked.add_argument("--effects", default="1,1.1,1.2,1.4")
    asked = asked.parse_args()
    print("| members gain, times | program | more | less | of words |\n|---|---|---|---|---|")
    for effect in map(float, asked.effects.split(",")):
        words = {"older": collections.Counter(), "newer": collections.Counter()}
        for repetition in range(asked.repetitions):
            with tempfile.TemporaryDirectory() as folder:
                work = pathlib.Path(folder)
                keep, labels, phi = pools(asked.blocks, effect, repetition)
                for recipe, values in zip(["baseline", "candidate"], phi):
                    write(work / recipe, keep, labels, values)
                for name, program in [("older", asked.older), ("newer", asked.newer)]:
                    words[name][headline(program, work, name)] += 1
        for name, said in words.items():
            more, less = (sum(said[word] for word in kind) for kind in (MORE, LESS))
            of = ", ".join(f"{word} {count}" for word, count in said.most_common())
            n = asked.repetitions
            print(f"| {effect:g} | {name} | {share(more, n)} | {share(less, n)} | {of} |", flush=True)


main()
