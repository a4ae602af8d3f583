"""mialibrary's LiRA and RMIA: mialibrary_scores.py POOL. Compiled by an earlier call; all targets at once.

It leaves the target itself out and no twin, so in pairs its scores are other ones. Its RMIA counts the population's ratios below an
example's and gives the share, as the paper has it; ours is the ratio itself.
"""

import numpy as np

import measure

from mialibrary.lira.compute_score import compute_lira_score
from mialibrary.rmia.compute_score import compute_score_rmia
from mialibrary.rmia.rmia import sigmoid

if __name__ == "__main__":
    phi, member, population = measure.load(measure.arguments().pool)
    for kind in (np.float64, np.float32):
        x, z = kind(phi), kind(population)
        more = {"float": kind.__name__}

        def lira(pooled):
            return compute_lira_score(x[:, :, None], member, pooled, True)

        def rmia():
            return compute_score_rmia(sigmoid(x), sigmoid(z), member)

        measure.report("lira-online", lambda: lira(False), member, **more)
        measure.report("lira-online-fixed", lambda: lira(True), member, **more)
        measure.report("rmia", rmia, member, **more)
