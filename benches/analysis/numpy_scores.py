"""LiRA online and RMIA in vectorised NumPy: numpy_scores.py POOL. f64, every target leaves its block out.

The shadows of each block are sorted once, example by example, with the other side at infinity; medians are then found by position.
Sums are taken over all models, less the block's own.
"""

import numpy as np

import measure

TINY = 1e-30


def log_normal(x, centre, s):
    return -np.log(s) - 0.5 * ((x - centre) / s) ** 2


def blocks(member):
    """Arrays of models, each a block: those that are equal or each other's complement."""
    left, found = list(range(len(member))), []
    while left:
        block = np.flatnonzero(~measure.outside(member, left[0]))
        found.append(block)
        left = [m for m in left if m not in block]
    return found


def medians(side, count):
    """(N,) medians of the first `count` values of every row of (N, M), the rest being infinite."""
    ordered = np.sort(side, axis=1)
    at = np.arange(len(side))
    return (ordered[at, (count - 1) // 2] + ordered[at, count // 2]) / 2


def fits(x, member, pooled):
    """For every block: its models, and centre and deviation of both sides, (N,)."""
    turned = np.ascontiguousarray(x.T)
    sides = [np.where(keep.T, turned, np.inf) for keep in (member, ~member)]
    sums = [(keep.sum(0), (x * keep).sum(0), (x * x * keep).sum(0)) for keep in (member, ~member)]
    for block in blocks(member):
        shadows = np.delete(np.arange(len(x)), block)
        result = []
        for keep, side, (n, total, squares) in zip((member, ~member), sides, sums):
            own, values = keep[block], x[block]
            count = n - own.sum(0)
            first, second = total - (values * own).sum(0), squares - (values * values * own).sum(0)
            middle, mean = medians(side[:, shadows], count), first / count
            if pooled:
                # Deviation of all x - median about the mean of that.
                left = first - count * middle
                about = (second - 2 * middle * first + count * middle * middle).sum() / count.sum()
                spread = np.sqrt(about - (left.sum() / count.sum()) ** 2)
            else:
                spread = np.sqrt(np.maximum(second / count - mean * mean, 0.0))
            result.append((middle, spread + TINY))
        yield block, result


def lira(x, member, pooled):
    scores = np.empty_like(x)
    for block, [inside, out] in fits(x, member, pooled):
        scores[block] = log_normal(x[block], *inside) - log_normal(x[block], *out)
    return scores


def rmia(x, member):
    p = 1 / (1 + np.exp(-x))
    sums = [(keep.sum(0), (p * keep).sum(0)) for keep in (member, ~member)]
    scores = np.empty_like(x)
    for block in blocks(member):
        means = []
        for keep, (n, total) in zip((member, ~member), sums):
            own = keep[block]
            means.append((total - (p[block] * own).sum(0)) / (n - own.sum(0)))
        scores[block] = np.log(p[block]) - np.log(sum(means) / 2)
    return scores


if __name__ == "__main__":
    phi, member, _ = measure.load(measure.arguments().pool)
    x = np.float64(phi)
    measure.report("lira-online", lambda: lira(x, member, False), member)
    measure.report("lira-online-fixed", lambda: lira(x, member, True), member)
    measure.report("rmia", lambda: rmia(x, member), member)
