"""Influence of 50,000 on 10,000 examples from 256 models in blocked float32 NumPy: the means over the models that hold an example and over
those that do not as two matrix products. Counts the pairs of at least .15 and nothing else; on request it also keeps the top five
training examples of every held-out one (argpartition)."""

import sys
import time

import numpy as np

models, pool, test, block = 256, 50_000, 10_000, 500
rng = np.random.default_rng(0)
half = np.array([rng.permutation(pool) < pool // 2 for _ in range(models // 2)])
mask = np.stack([half, ~half], 1).reshape(models, pool)
right = (rng.random((models, test)) < 0.8).astype(np.float32)

start = time.perf_counter()
inside = (mask / mask.sum(0)).astype(np.float32)
outside = (~mask / (~mask).sum(0)).astype(np.float32)
difference = inside - outside
count = 0
for j in range(0, test, block):
    influence = right[:, j : j + block].T @ difference
    count += int((influence >= 0.15).sum())
print(f"numpy, threshold count: {time.perf_counter() - start:.2f} s ({count} pairs)")

if "top" in sys.argv:
    start = time.perf_counter()
    for j in range(0, test, block):
        influence = right[:, j : j + block].T @ difference
        (influence >= 0.15).sum()
        np.argpartition(influence, -5, axis=1)[:, -5:]
    print(f"numpy, count and top five: {time.perf_counter() - start:.2f} s")
