"""Random-effects summary in numpy and scipy, for the constants in src/meta.rs."""

import numpy as np
from scipy import stats

y = np.array([0.10, 0.30, 0.35, 0.65, 0.45, 0.15])
se = np.array([0.17, 0.21, 0.13, 0.16, 0.19, 0.11])
k = len(y)
w = se**-2.0
q = np.sum(w * (y - np.average(y, weights=w)) ** 2)
tau2 = max(0.0, (q - (k - 1)) / (w.sum() - (w**2).sum() / w.sum()))
w = 1 / (se**2 + tau2)
mean = np.average(y, weights=w)
error = np.sqrt(max(1.0, np.sum(w * (y - mean) ** 2) / (k - 1)) / w.sum())
half = stats.t.ppf(0.975, k - 1) * error
print("    const BETWEEN: f64 = %.15f;" % tau2)
print("    const HETEROGENEITY: f64 = %.15f;" % max(0.0, (q - (k - 1)) / q))
print("    const MEAN: f64 = %.15f;" % mean)
print("    const LOW: f64 = %.15f;" % (mean - half))
print("    const HIGH: f64 = %.15f;" % (mean + half))
print("    const P: f64 = %.15f;" % (2 * stats.t.sf(abs(mean / error), k - 1)))
