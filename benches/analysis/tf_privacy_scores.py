"""TensorFlow Privacy's LiRA (advanced_mia) and its threshold attack: tf_privacy_scores.py POOL --targets T.

Its LiRA takes one target and lists of its shadows per example, which are made beforehand and not timed: all models outside the target's
block. Only the first T targets are scored. The threshold attack ranks losses and draws the ROC; it has no scores without that.
"""

import numpy as np

import measure

from tensorflow_privacy.privacy.privacy_tests.membership_inference_attack import advanced_mia
from tensorflow_privacy.privacy.privacy_tests.membership_inference_attack import membership_inference_attack as mia
from tensorflow_privacy.privacy.privacy_tests.membership_inference_attack.data_structures import AttackInputData


def shadows(phi, member, target):
    others = measure.outside(member, target)
    x, keep = phi[others], member[others]
    examples = range(x.shape[1])
    return [x[keep[:, i], i, None] for i in examples], [x[~keep[:, i], i, None] for i in examples]


def threshold(loss, member, targets):
    found = []
    for row, keep in zip(loss[:targets], member):
        attacked = mia.run_attacks(AttackInputData(loss_train=row[keep], loss_test=row[~keep]))
        found.append(attacked.single_attack_results[0].get_auc())
    return found


if __name__ == "__main__":
    given = measure.arguments()
    phi, member, _ = measure.load(given.pool)
    x = np.float64(phi)
    all_shadows = [shadows(x, member, target) for target in range(given.targets)]
    for attack, pooled in (("lira-online", False), ("lira-online-fixed", True)):

        def score():
            lira = advanced_mia.compute_score_lira
            each = (lira(x[t, :, None], *all_shadows[t], fix_variance=pooled) for t in range(given.targets))
            return [-row for row in each]

        measure.report(attack, score, member)
    loss = np.logaddexp(0.0, -x)
    measure.report_ranked("loss", lambda: threshold(loss, member, given.targets), member)
