#!/usr/bin/env python3
"""The path of minimum-norm interpolators at n = 2,000, d = 8,000 for 50 values of eta, flatleak beside SciPy.

Both form K = X G^-1 X', factorise it by Cholesky, and give v(eta), its slope and the leave-one-out memorization of every
example; both use all cores. Run in turn, medians over ROUNDS (default 3). Needs numpy and scipy; run from the repository root:

    python3 benches/peers/theory.py [ROUNDS]
"""

import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.linalg import blas, lapack, solve_triangular

N, D, ETAS = 2000, 8000, 50
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
rng = np.random.default_rng(0)
spectrum = 1.0 / np.arange(1, D + 1)
spectrum /= spectrum.mean()
x = rng.standard_normal((N, D)) * np.sqrt(spectrum)
y = np.sign(x @ rng.standard_normal(D))
etas = np.concatenate([[0.0], np.logspace(-2, 2, ETAS - 1)])


def scipy_path():
    out = []
    for eta in etas:
        g = 1.0 + eta * spectrum
        white = x / np.sqrt(g)
        # The symmetric product computes one triangle, as ours does; the transpose of C order is Fortran order, without a copy.
        k = blas.dsyrk(1.0, white.T, trans=1, lower=1)
        factor, info = lapack.dpotrf(k, lower=1, overwrite_a=1, clean=1)
        assert info == 0
        solve = lambda b: lapack.dpotrs(factor, b, lower=1)[0]
        a = solve(y)
        w = (white.T @ a) / np.sqrt(g)
        a += solve(y - x @ w)
        w = (white.T @ a) / np.sqrt(g)
        u = spectrum * w / np.sqrt(g)
        left = u - white.T @ solve(white @ u)
        inverse = lapack.dtrtri(factor, lower=1)[0]
        diagonal = (inverse**2).sum(0)
        memorization = y * a / diagonal
        out.append((float((spectrum * w * w).sum()), -2.0 * float(left @ left), float(memorization.mean())))
    return out


subprocess.run(["cargo", "build", "--release", "-q", "-p", "flatleak-theory", "--example", "path_speed"], check=True)
cores = os.cpu_count()
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "problem")
    with open(file, "wb") as f:
        f.write(struct.pack("<QQQ", N, D, ETAS))
        for array in (x, y, spectrum, etas):
            f.write(array.astype("<f8").tobytes())
    ours, theirs, gap = [], [], 0.0
    for _ in range(rounds):
        found = subprocess.run(
            ["target/release/examples/path_speed", file, str(cores)], check=True, capture_output=True, text=True
        ).stdout.split()
        ours.append(float(found[0]))
        started = time.perf_counter()
        wanted = scipy_path()
        theirs.append(time.perf_counter() - started)
        gap = max(abs(float(v) / w[0] - 1.0) for v, w in zip(found[1:], wanted))
print(f"{N} examples, {D} dimensions, {ETAS} values of eta, {cores} cores, median of {rounds}")
print(f"flatleak {statistics.median(ours):.1f} s, scipy {statistics.median(theirs):.1f} s, ratio {statistics.median(theirs) / statistics.median(ours):.2f}")
print(f"largest relative difference of v: {gap:.1e}")
