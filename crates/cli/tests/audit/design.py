"""How a membership matrix is read, for `make_reference.py`: the reading of `checks/pools/design.py`, without deletions."""

import importlib.util
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("reading", HERE.parents[3] / "checks/pools/design.py")
reading = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reading)
FOLDS, KINDS = reading.FOLDS, reading.KINDS


def read(membership):
    """The whole reading: `scored` by block (B, N), `masks(b)` the IN and OUT shadows of block b's targets, two N x M masks."""
    found = reading.read(membership)
    blocks = found["blocks"].max() + 1
    scored = np.array([found["scored"](b) for b in range(blocks)])
    return found | {"scored": scored, "folds": reading.example_folds(scored.shape[1])}
