"""Write reference.json: values of SciPy and NumPy that tests/reference.rs compares with.

Run in this folder: python3 make_reference.py (made with SciPy 1.17, NumPy 2.4).
"""

import json

import numpy as np
from scipy import optimize, stats

rng = np.random.default_rng(20260)


def roc_case(scores, member):
    scores, member = np.asarray(scores, float), np.asarray(member, bool)
    inside, outside = scores[member], scores[~member]
    u = stats.mannwhitneyu(inside, outside).statistic
    thresholds = np.unique(scores)
    balanced = [((inside >= t).mean() + (outside < t).mean()) / 2 for t in thresholds]
    tpr = []
    for fpr in [0.0, 0.01, 0.1, 0.5, 1.0]:
        hits = [(inside >= t).mean() for t in thresholds if (outside >= t).mean() <= fpr]
        tpr.append([fpr, max(hits, default=0.0)])
    return {
        "scores": scores.tolist(),
        "member": member.tolist(),
        "auc": u / (inside.size * outside.size),
        "advantage": stats.ks_2samp(inside, outside, alternative="less").statistic,
        "best_threshold": thresholds[int(np.argmax(np.round(balanced, 12)))],
        "best_balanced_accuracy": max(balanced),
        "tpr_at": tpr,
    }


def roc():
    cases = []
    for size, levels, shift in [(12, 4, 0.5), (60, 8, 1.0), (101, 1000, 0.3), (40, 3, -0.7)]:
        member = rng.random(size) < 0.5
        member[:2] = [True, False]
        scores = np.round((rng.normal(size=size) + shift * member) * levels / 4) / levels
        cases.append(roc_case(scores, member))
    return cases


def t_interval():
    cases = []
    for size, level in [(2, 0.95), (8, 0.95), (32, 0.9), (63, 0.99)]:
        x = rng.normal(0.6, 0.03, size)
        low, high = stats.t.interval(level, size - 1, x.mean(), stats.sem(x))
        cases.append({"values": x.tolist(), "level": level, "mean": x.mean(), "low": low, "high": high})
    return cases


def jackknife():
    """A statistic that is not a mean: the ratio of two sums, left out block by block."""
    x, y = rng.normal(5, 1, 20), rng.normal(9, 2, 20)
    out = (x.sum() - x) / (y.sum() - y)
    n, estimate = out.size, x.sum() / y.sum()
    pseudo = n * estimate - (n - 1) * out
    error = pseudo.std(ddof=1) / np.sqrt(n)
    low, high = stats.t.interval(0.95, n - 1, estimate, error)
    return {
        "estimate": estimate,
        "leave_one_out": out.tolist(),
        "level": 0.95,
        "standard_error": error,
        "low": low,
        "high": high,
    }


def beta_quantile(p, a, b):
    return float(optimize.brentq(lambda x: stats.beta.cdf(x, a, b) - p, 0, 1, xtol=1e-300, rtol=1e-15))


def proportion():
    cases = []
    for k, n in [(0, 10), (10, 10), (1, 1), (3, 10), (1, 25_000), (24, 25_000), (12_500, 25_000), (24_999, 25_000)]:
        for level in [0.95, 0.99]:
            test, tail = stats.binomtest(k, n), (1 - level) / 2
            exact = (beta_quantile(tail, k, n - k + 1) if k else 0.0, beta_quantile(1 - tail, k + 1, n - k) if k < n else 1.0)
            wilson = test.proportion_ci(level, method="wilson")
            # proportion_ci finds the same roots, but only to an absolute 2e-12.
            assert np.allclose(exact, list(test.proportion_ci(level, method="exact")), rtol=1e-10, atol=4e-12)
            cases.append({"successes": k, "trials": n, "level": level, "exact": list(exact), "wilson": list(wilson)})
    return cases


def moments():
    x, y = rng.normal(size=31), rng.normal(size=31)
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "mean": x.mean(),
        "variance": [x.var(ddof=0), x.var(ddof=1)],
        "median": np.median(x),
        "quantiles": [[q, np.quantile(x, q)] for q in [0.0, 0.025, 0.2, 0.77, 1.0]],
        "correlation": stats.pearsonr(x, y).statistic,
    }


def normal():
    z = [-30.0, -5.5, -1.0, 0.0, 0.3, 2.5]
    p = [1e-300, 1e-10, 0.025, 0.5, 0.8, 0.975]
    return {
        "cdf": [[a, b] for a, b in zip(z, stats.norm.cdf(z).tolist())],
        "quantile": [[a, b] for a, b in zip(p, stats.norm.ppf(p).tolist())],
    }


makers = [roc, t_interval, jackknife, proportion, moments, normal]
with open("reference.json", "w", encoding="utf-8") as file:
    json.dump({make.__name__: make() for make in makers}, file, indent=0)
    file.write("\n")
