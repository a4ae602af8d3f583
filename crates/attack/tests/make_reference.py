"""Reference values for the attack scores, written from the formulas with slow, simple loops.

Needs python3, numpy and scipy:  python3 make_reference.py
Writes reference.json next to this file. Floats are written by json with repr, so they read back exactly.

Every score is leave-one-block-out: a target of block b meets only shadows outside b. Higher = member.
Ratios of probabilities are computed in decimal arithmetic (60 digits), so that p near 1 loses nothing.
"""
import decimal
import json
import math
import os

import numpy as np
from scipy.stats import norm

decimal.getcontext().prec = 60
D = decimal.Decimal

M, N, T, CLASSES = 12, 24, 15, 3
A_OFFLINE = D("0.3")
GAMMA = D(1)
TINY = 1e-30


# ---------------------------------------------------------------- fixture

def f32(x):
    """Round to float32, keep as float64."""
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def make_fixture():
    rng = np.random.RandomState(20240611)  # legacy generator: its stream is frozen
    member = np.zeros((M, N), dtype=bool)
    for j in range(M // 2):
        chosen = rng.permutation(N)[: N // 2]
        member[2 * j, chosen] = True
        member[2 * j + 1] = ~member[2 * j]
    labels = rng.permutation(np.arange(N) % CLASSES)
    difficulty = rng.uniform(-2.5, 7.0, size=N)
    effect = rng.uniform(0.5, 3.0, size=N)
    phi = f32(difficulty + effect * member + 1.1 * rng.standard_normal((M, N)))
    # extremes, some of them tied within an example
    phi[0, 3] = 45.0
    phi[5, 3] = 45.0
    phi[7, 3] = 45.0
    phi[2, 10] = -30.0
    phi[9, 17] = 45.0
    phi[11, 20] = -30.0
    # ordinary ties within an example
    phi[4, 6] = phi[8, 6]
    phi[1, 14] = phi[6, 14]
    h_noise = 0.4 * rng.standard_normal((M, N))
    m_noise = 0.4 * rng.standard_normal((M, N))
    entropy = f32(math.log(CLASSES) / (1.0 + np.exp(phi + h_noise)))
    modified = f32(np.logaddexp(0.0, -(phi + m_noise)))
    correct = phi > 0
    pop_difficulty = rng.uniform(-3.0, 8.0, size=T)
    pop = f32(pop_difficulty + 1.1 * rng.standard_normal((M, T)))
    return member, labels, phi, entropy, modified, correct, pop


# ---------------------------------------------------------------- signals

def probability(x):
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def loss_of(x):
    """log(1 + exp(-x)), stable on both sides."""
    if x >= 0:
        return math.log1p(math.exp(-x))
    return -x + math.log1p(math.exp(x))


def exact_p(x):
    """p in decimal arithmetic; the double x is taken exactly."""
    return D(1) / (D(1) + (-D(float(x))).exp())


def mean(v):
    v = list(v)
    return math.fsum(v) / len(v)


def dmean(v):
    v = list(v)
    return sum(v, D(0)) / D(len(v))


def std0(v):
    """Standard deviation about the mean, ddof 0, plus the floor."""
    v = [float(x) for x in v]
    c = mean(v)
    return math.sqrt(math.fsum((x - c) ** 2 for x in v) / len(v)) + TINY


def median(v):
    v = sorted(float(x) for x in v)
    n = len(v)
    return v[n // 2] if n % 2 else 0.5 * (v[n // 2 - 1] + v[n // 2])


def log_normal(x, mu, s):
    return float(norm.logpdf(x, mu, s))


# ---------------------------------------------------------------- scores

def shadows_of(block):
    return [k for k in range(M) if k // 2 != block]


def class_threshold(value, member, labels, shadows, c):
    """Observed value t that maximises TPR - FPR of `value >= t`; of equal ones the lowest."""
    pairs = [(float(value[k][i]), bool(member[k][i]))
             for k in shadows for i in range(N) if labels[i] == c]
    members = sum(1 for _, m in pairs if m)
    nonmembers = len(pairs) - members
    best, best_t = None, None
    for t in sorted(set(v for v, _ in pairs)):
        tp = sum(1 for v, m in pairs if m and v >= t)
        fp = sum(1 for v, m in pairs if not m and v >= t)
        gain = tp * nonmembers - fp * members
        if best is None or gain > best:  # ascending t, strict: the lowest t keeps a tie
            best, best_t = gain, t
    return best_t


def compute(member, labels, phi, entropy, modified, correct, pop):
    p = np.array([[probability(x) for x in row] for row in phi])
    loss = np.array([[loss_of(x) for x in row] for row in phi])
    dp = [[exact_p(x) for x in row] for row in phi]
    dpop = [[exact_p(x) for x in row] for row in pop]

    names = ["correctness", "confidence", "loss", "entropy", "modified-entropy",
             "confidence-per-class", "loss-per-class", "entropy-per-class",
             "modified-entropy-per-class",
             "attack-r", "calibrated-loss", "calibrated-correctness",
             "lira-online", "lira-online-fixed", "lira-online-fixed.official",
             "lira-online-fixed.per-side",
             "lira-offline", "lira-offline-fixed",
             "lira-offline-two-sided", "lira-offline-two-sided-fixed",
             "rmia", "rmia-offline", "rmia-gamma", "base"]
    s = {name: np.full((M, N), np.nan) for name in names}
    closest = None  # smallest |ln r_x - ln r_z - ln gamma|: how far rmia-gamma is from a tie

    per_class = {"confidence-per-class": p, "loss-per-class": -loss,
                 "entropy-per-class": -entropy, "modified-entropy-per-class": -modified}

    for block in range(M // 2):
        sh = shadows_of(block)
        ins = [[k for k in sh if member[k][i]] for i in range(N)]
        outs = [[k for k in sh if not member[k][i]] for i in range(N)]

        mu_in = [median(phi[k][i] for k in ins[i]) for i in range(N)]
        mu_out = [median(phi[k][i] for k in outs[i]) for i in range(N)]
        s_in = [std0(phi[k][i] for k in ins[i]) for i in range(N)]
        s_out = [std0(phi[k][i] for k in outs[i]) for i in range(N)]
        raw_in = std0(phi[k][i] for i in range(N) for k in ins[i])
        raw_out = std0(phi[k][i] for i in range(N) for k in outs[i])
        res_in = std0(phi[k][i] - mu_in[i] for i in range(N) for k in ins[i])
        res_out = std0(phi[k][i] - mu_out[i] for i in range(N) for k in outs[i])

        thresholds = {name: [class_threshold(v, member, labels, sh, c) for c in range(CLASSES)]
                      for name, v in per_class.items()}

        def offline_mean(out_mean):
            return (D(1) + A_OFFLINE) / D(2) * out_mean + (D(1) - A_OFFLINE) / D(2)

        pbar_x = [offline_mean(dmean(dp[k][i] for k in outs[i])) for i in range(N)]
        pbar_z = [offline_mean(dmean(dpop[k][z] for k in sh)) for z in range(T)]

        for m in (2 * block, 2 * block + 1):
            ratio_z = [dpop[m][z] / pbar_z[z] for z in range(T)]
            for i in range(N):
                x = float(phi[m][i])
                s["correctness"][m, i] = 1.0 if correct[m][i] else 0.0
                s["confidence"][m, i] = -loss[m][i]  # ln p
                s["loss"][m, i] = -loss[m][i]
                s["entropy"][m, i] = -entropy[m][i]
                s["modified-entropy"][m, i] = -modified[m][i]
                for name, v in per_class.items():
                    s[name][m, i] = v[m][i] - thresholds[name][labels[i]]

                wins = 0.0
                for k in outs[i]:
                    if loss[k][i] > loss[m][i]:
                        wins += 1.0
                    elif loss[k][i] == loss[m][i]:
                        wins += 0.5
                s["attack-r"][m, i] = wins / len(outs[i])
                s["calibrated-loss"][m, i] = mean(loss[k][i] for k in outs[i]) - loss[m][i]
                s["calibrated-correctness"][m, i] = float(correct[m][i]) - (
                    mean(float(correct[k][i]) for k in ins[i]) + mean(float(correct[k][i]) for k in outs[i])) / 2

                def ratio(a, b):
                    return log_normal(x, mu_in[i], a) - log_normal(x, mu_out[i], b)

                s["lira-online"][m, i] = ratio(s_in[i], s_out[i])
                s["lira-online-fixed"][m, i] = ratio(res_in, res_out)
                s["lira-online-fixed.official"][m, i] = ratio(raw_in, raw_in)
                s["lira-online-fixed.per-side"][m, i] = ratio(raw_in, raw_out)
                s["lira-offline"][m, i] = (x - mu_out[i]) / s_out[i]
                s["lira-offline-fixed"][m, i] = (x - mu_out[i]) / res_out
                s["lira-offline-two-sided"][m, i] = -log_normal(x, mu_out[i], s_out[i])
                s["lira-offline-two-sided-fixed"][m, i] = -log_normal(x, mu_out[i], res_out)

                online = (dmean(dp[k][i] for k in ins[i]) + dmean(dp[k][i] for k in outs[i])) / D(2)
                s["rmia"][m, i] = float((dp[m][i] / online).ln())
                ratio_x = dp[m][i] / pbar_x[i]
                s["rmia-offline"][m, i] = float(ratio_x.ln())
                above = 0
                for z in range(T):
                    gap = abs(float((ratio_x / ratio_z[z] / GAMMA).ln()))
                    closest = gap if closest is None else min(closest, gap)
                    if ratio_x / ratio_z[z] > GAMMA:
                        above += 1
                s["rmia-gamma"][m, i] = above / T
                s["base"][m, i] = float((dp[m][i] / dmean(dp[k][i] for k in sh)).ln())
    return s, closest


def check(member, labels, phi, entropy, modified, s):
    """Identities that must hold by construction."""
    assert set(labels) == set(range(CLASSES))
    assert (entropy > 0).all() and (modified > 0).all()
    for j in range(M // 2):
        assert (member[2 * j] ^ member[2 * j + 1]).all() and member[2 * j].sum() == N // 2
    for name, v in s.items():
        assert v.shape == (M, N) and np.isfinite(v).all(), name
    # equal IN and OUT counts: the online reference mean is the mean over all shadows
    assert np.allclose(s["rmia"], s["base"], rtol=1e-12, atol=0)


def main():
    member, labels, phi, entropy, modified, correct, pop = make_fixture()
    scores, closest = compute(member, labels, phi, entropy, modified, correct, pop)
    check(member, labels, phi, entropy, modified, scores)
    out = {
        "membership": member.tolist(),
        "labels": [int(c) for c in labels],
        "phi": phi.tolist(),
        "entropy": entropy.tolist(),
        "modified_entropy": modified.tolist(),
        "correct": correct.tolist(),
        "population_phi": pop.tolist(),
        "scores": {name: v.tolist() for name, v in scores.items()},
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json")
    with open(path, "w") as f:
        json.dump(out, f, allow_nan=False)
        f.write("\n")
    for name, v in scores.items():
        pos, neg = v[member], v[~member]
        auc = ((pos[:, None] > neg).mean() + 0.5 * (pos[:, None] == neg).mean())
        print("%-30s min %12.5g max %12.5g auc %.3f" % (name, v.min(), v.max(), auc))
    print("phi %.3g .. %.3g; smallest distance of rmia-gamma from a tie %.3g" %
          (phi.min(), phi.max(), closest))


if __name__ == "__main__":
    main()
