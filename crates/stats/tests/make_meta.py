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
# One error of rounding: w spans 1e30, so sums are taken in 60 digits; two-sided p of t with 2 degrees is 1 - t / sqrt(t^2 + 2).
from decimal import Decimal, getcontext

getcontext().prec = 60
z = [Decimal(v) for v in ("0.0125", "0.03", "-0.01")]
s = [Decimal(v) for v in ("1e-17", "0.01", "0.02")]


def weighted(v):
    m = sum(a * b for a, b in zip(v, z)) / sum(v)
    return m, sum(a * (b - m) ** 2 for a, b in zip(v, z))


v = [1 / (x * x) for x in s]
tau = max(Decimal(0), (weighted(v)[1] - 2) / (sum(v) - sum(a * a for a in v) / sum(v)))
v = [1 / (x * x + tau) for x in s]
m, spread = weighted(v)
t = abs(m) / (max(spread / 2, Decimal(1)) / sum(v)).sqrt()
print("    const TINY: [f64; 3] = [%.15f, %.15f, %.15f];" % (tau, m, 1 - t / (t * t + 2).sqrt()))
print("    const BETWEEN: f64 = %.15f;" % tau2)
print("    const HETEROGENEITY: f64 = %.15f;" % max(0.0, (q - (k - 1)) / q))
print("    const MEAN: f64 = %.15f;" % mean)
print("    const LOW: f64 = %.15f;" % (mean - half))
print("    const HIGH: f64 = %.15f;" % (mean + half))
print("    const P: f64 = %.15f;" % (2 * stats.t.sf(abs(mean / error), k - 1)))
