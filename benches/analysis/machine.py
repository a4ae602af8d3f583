"""What memory and one core give, for limits: machine.py (NumPy alone). Best of many short runs by the processor's clock,
so that others on the machine disturb little."""

import json
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

RUNS = 40


def best(call):
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times)


# 128 MB each, beyond every cache; a copy reads one and writes the other.
source, target = np.ones(1 << 24), np.empty(1 << 24)
# 32 values in each row are what 64 models have on either side of an example.
rows = np.random.default_rng(0).random((1 << 15, 32))
# Scores of a target are ranked so.
long = rows.reshape(1 << 6, 1 << 14)
square = np.ones((768, 768))
result = {
    "copy_gb_s": 2 * source.nbytes / best(lambda: np.copyto(target, source)) / 1e9,
    "read_gb_s": source.nbytes / best(lambda: source.sum()) / 1e9,
    "multiply_add_f64_gflop_s": 2 * 768**3 / best(lambda: square @ square) / 1e9,
    "log_f64_million_s": rows.size / best(lambda: np.log(rows)) / 1e6,
    "sort_of_32_f64_million_s": rows.size / best(lambda: np.sort(rows, axis=1)) / 1e6,
    "sort_of_16384_f64_million_s": long.size / best(lambda: np.sort(long, axis=1)) / 1e6,
}
print(json.dumps({name: round(value, 1) for name, value in result.items()}))
