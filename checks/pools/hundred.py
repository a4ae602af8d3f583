"""A hundred classes of three unequal clusters each, as no bundled data set has: python3 hundred.py hundred.npz"""
import sys

import numpy as np

rng = np.random.default_rng(0)
classes, width = 100, 48
centres = rng.normal(size=(classes, 3, width))
labels = rng.integers(0, classes, 3000)
cluster = rng.choice(3, 3000, p=[0.7, 0.2, 0.1])
features = centres[labels, cluster] + 1.1 * rng.normal(size=(3000, width))
np.savez(sys.argv[1], features=features.astype("f4"), labels=labels.astype("i8"))
