"""Writes the embedded copies of two small data sets as gzipped IDX files.

    python3 make_tables.py digits.csv.gz LetterRecognition.rda

digits.csv.gz is scikit-learn's (sklearn/datasets/data), LetterRecognition.rda is R mlbench's. Needs numpy and pyreadr.
digits: 1,797 images of 8x8, values 0 to 16; a fixed permutation, the last 397 are the test set. letter: 20,000 rows of 16 integers;
the first 16,000 are the pool and the rest the test set, as its authors used them.
"""

import gzip
import sys

import numpy as np
import pyreadr


def write(name, array):
    kind = {1: "labels-idx1", 3: "images-idx3"}[array.ndim]
    head = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    with open(f"{name}-{kind}-ubyte.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(head + np.ascontiguousarray(array, dtype=np.uint8).tobytes())


def split(name, x, y, pool):
    for part, where in ("pool", slice(0, pool)), ("test", slice(pool, None)):
        write(f"{name}-{part}", x[where])
        write(f"{name}-{part}", y[where])


table = np.loadtxt(gzip.open(sys.argv[1]), delimiter=",")
order = np.random.RandomState(0).permutation(len(table))
split("digits", table[order, :64].reshape(-1, 8, 8), table[order, 64], 1400)

letters = next(iter(pyreadr.read_r(sys.argv[2]).values()))
labels = letters.iloc[:, 0].astype(str).map(lambda c: ord(c) - ord("A")).to_numpy()
split("letter", letters.iloc[:, 1:].to_numpy().reshape(-1, 1, 16), labels, 16000)
