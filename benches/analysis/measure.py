"""Times calls and ranks scores, the same way for every peer; needs NumPy alone."""

import argparse
import contextlib
import io
import json
import pathlib
import time

import numpy as np

# Shortest time that a measurement takes, in seconds.
SHORTEST = 1.0
# Targets whose AUCs are printed one by one.
FIRST = 4


def arguments():
    """Pool, and how many targets a peer that takes them one by one shall score."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pool", type=pathlib.Path)
    parser.add_argument("--targets", type=int, default=64)
    return parser.parse_args()


def load(folder):
    """phi (M, N) f32, membership (M, N) bool, population (M, Z) f32."""
    return tuple(np.load(folder / f"{name}.npy") for name in ("phi", "membership", "population"))


def outside(member, target):
    """The models that are shadows of a target: all but itself and, in pairs, its complement."""
    return ~((member == member[target]).all(1) | (member != member[target]).all(1))


def auc(scores, member):
    """AUC of one target's scores, ties halved; not finite scores are an error."""
    assert np.isfinite(scores).all()
    out = np.sort(scores[~member])
    inside = scores[member]
    below = np.searchsorted(out, inside, "left") + np.searchsorted(out, inside, "right")
    return float(below.sum() / 2 / (inside.size * out.size))


def seconds(call):
    """Wall and processor seconds of a call, over as many calls as take a second, and what it gave; the first call compiles and
    is not counted, unless it takes more than ten seconds: then it is the only one."""
    calls, started, before = 1, time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        found = call()
        if time.perf_counter() - started < 10 * SHORTEST:
            calls, started, before = 0, time.perf_counter(), time.process_time()
            while calls == 0 or time.perf_counter() - started < SHORTEST:
                found = call()
                calls += 1
    return (time.perf_counter() - started) / calls, (time.process_time() - before) / calls, found


def write(row, aucs, models):
    row["targets"] = len(aucs)
    if len(aucs) == models:
        row["auc"] = float(np.mean(aucs))
    print(json.dumps(row | {"auc_first": aucs[:FIRST]}), flush=True)


def report(attack, call, member, **more):
    """One JSON line: times of an attack's scores, a row per target from the first on, and their AUCs."""
    wall, cpu, scores = seconds(call)
    aucs = [auc(np.asarray(row), member[m]) for m, row in enumerate(scores)]
    write({"attack": attack, "wall_s": wall, "cpu_s": cpu} | more, aucs, len(member))


def report_ranked(attack, call, member):
    """The same of a call that scores and ranks at once and gives AUCs."""
    wall, cpu, aucs = seconds(call)
    write({"attack": attack, "ranked_wall_s": wall, "ranked_cpu_s": cpu}, aucs, len(member))
