"""Writes the pools that all take: pools.py FOLDER; or one of another size: pools.py FOLDER pairs|coins MODELS EXAMPLES (NumPy alone; the same
files at each run).

Each is a folder with phi.npy (M, N) f32, membership.npy (M, N) bool and population.npy (M, 1,000) f32, phi of examples that no model holds.
An example has its own level, spread and shift by membership; an output is normal about them. In pairs a model's twin holds the rest, and its
outputs correlate with the model's by -.4 given the example, as twins' do.
"""

import pathlib
import sys

import numpy as np

SEED = 20261201
MODELS = 64
POPULATION = 1000
SIZES = (1000, 20000)


def membership(draw, design, models, examples):
    if design == "coins":
        return draw.random((models, examples)) < 0.5
    first = np.argsort(draw.random((models // 2, examples)), axis=1) < examples // 2
    return np.stack([first, ~first], axis=1).reshape(models, examples)


def noise(draw, design, models, examples):
    z = draw.standard_normal((models, examples))
    if design == "pairs":
        z[1::2] = -0.4 * z[::2] + np.sqrt(1 - 0.4**2) * z[1::2]
    return z


def write(folder, design, models, examples):
    draw = np.random.default_rng([SEED, examples, design == "pairs"])
    member = membership(draw, design, models, examples)
    level, spread = draw.normal(3.0, 2.0, examples), np.exp(draw.normal(0.0, 0.3, examples))
    shift = np.maximum(draw.normal(0.6, 0.8, examples), 0.0)
    phi = level + shift * member + spread * noise(draw, design, models, examples)
    population = draw.normal(3.0, 2.0, POPULATION) + draw.standard_normal((models, POPULATION))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "phi.npy", np.float32(phi))
    np.save(folder / "membership.npy", member)
    np.save(folder / "population.npy", np.float32(population))


if __name__ == "__main__":
    folder, *one = sys.argv[1:]
    if one:
        write(pathlib.Path(folder), one[0], int(one[1]), int(one[2]))
    else:
        for design in ("pairs", "coins"):
            for examples in SIZES:
                write(pathlib.Path(folder) / f"{design}-{examples}", design, MODELS, examples)
