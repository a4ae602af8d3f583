"""LiRA as the published code of 2021 scores it (research/mi_lira_2021 in google/privacy's repository): mi_lira_2021_scores.py POOL --targets T.

Written anew after that code, which is no package: per example a list of either side's values, all cut to the length of the shortest;
medians; deviations per example, or one of all IN values for both sides (`official` in book/methods/attacks.md); SciPy's logarithm of
the normal density. It scores one target by the models that it is given: here all outside the target's block. Only the first T targets are scored.
"""

import numpy as np
from scipy.stats import norm

import measure

TINY = 1e-30


def sides(x, keep):
    """(N, n) values of either side, each cut to the fewest that an example has."""
    for side in (keep, ~keep):
        lists = [x[side[:, i], i] for i in range(x.shape[1])]
        fewest = min(map(len, lists))
        yield np.array([values[:fewest] for values in lists])


def score(x, keep, target, pooled):
    inside, out = sides(x, keep)
    if pooled:
        s_in = s_out = np.std(inside)
    else:
        s_in, s_out = np.std(inside, 1), np.std(out, 1)
    density = norm.logpdf(target, np.median(inside, 1), s_in + TINY)
    return density - norm.logpdf(target, np.median(out, 1), s_out + TINY)


if __name__ == "__main__":
    given = measure.arguments()
    phi, member, _ = measure.load(given.pool)
    x = np.float64(phi)
    for attack, pooled in (("lira-online", False), ("lira-online-fixed@official", True)):

        def all_targets():
            others = (measure.outside(member, t) for t in range(given.targets))
            return [score(x[o], member[o], x[t], pooled) for t, o in enumerate(others)]

        measure.report(attack, all_targets, member)
