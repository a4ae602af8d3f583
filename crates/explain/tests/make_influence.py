"""Write influence.json: memorization, influence and its entropy by NumPy, straight from the definitions.

Run in this folder: python3 make_influence.py (made with NumPy 2.4). Two designs: complementary pairs of models, and a free one with unequal
counts. Means over models that hold an example and over those that do not are taken one by one; nothing is counted in bits.
"""

import json

import numpy as np

rng = np.random.default_rng(41)


def case(member):
    models, n = member.shape
    tests = 23
    help_ = rng.random((n, tests)) * (rng.random((n, tests)) < 0.08)
    chance = np.clip(0.3 + 0.4 * rng.random(tests) + member @ help_ - (member @ help_).mean(0), 0.02, 0.98)
    right = rng.random((models, tests)) < chance
    confidence = np.where(right, 0.5 + 0.5 * rng.random(right.shape), 0.5 * rng.random(right.shape))
    pool = rng.random((models, n)) < np.where(member, 0.95, 0.6)

    def gap(values, i):
        return values[member[:, i]].mean(axis=0) - values[~member[:, i]].mean(axis=0)

    hard = np.array([gap(right.astype(float), i) for i in range(n)]).T
    soft = np.array([gap(confidence, i) for i in range(n)]).T
    memorization = [gap(pool[:, i].astype(float), i) for i in range(n)]

    def error(values, i, j):
        if np.array_equal(member[0::2], ~member[1::2]):
            sign = np.where(member[0::2, i], 1.0, -1.0)
            differences = sign * (values[0::2, j] - values[1::2, j])
            return differences.std(ddof=1) / np.sqrt(len(differences))
        # Residuals about the two means, pooled; models - 2 degrees of freedom.
        x, inside = values[:, j], member[:, i]
        residual = np.where(inside, x - x[inside].mean(), x - x[~inside].mean())
        return np.sqrt((residual**2).sum() / (models - 2) * (1 / inside.sum() + 1 / (~inside).sum()))

    def entropies(influence, values, errors):
        out = []
        for j in range(tests):
            limit = [errors * error(values, i, j) for i in range(n)]
            kept = np.array([v for v, e in zip(influence[j], limit) if v > 0 and v > e * (1 + 1e-9)])
            if kept.size == 0:
                out.append(None)
                continue
            p = kept / kept.sum()
            out.append(float(-(p * np.log(p)).sum()))
        return out

    numbers = right.astype(float)
    return {
        "member": member.astype(int).tolist(),
        "pool": pool.astype(int).tolist(),
        "right": right.astype(int).tolist(),
        "confidence": confidence.tolist(),
        "memorization": [float(v) for v in memorization],
        "hard": hard.tolist(),
        "soft": soft.tolist(),
        "hard_error": [[float(error(numbers, i, j)) for i in range(n)] for j in range(tests)],
        "soft_error": [[float(error(confidence, i, j)) for i in range(n)] for j in range(tests)],
        "hard_entropy": entropies(hard, numbers, 2.0),
        "soft_entropy": entropies(soft, confidence, 2.0),
        "all_entropy": entropies(hard, numbers, 0.0),
    }


def paired(blocks, n):
    half = np.array([rng.permutation(n) < n // 2 for _ in range(blocks)])
    return np.stack([half, ~half], axis=1).reshape(2 * blocks, n)


cases = {"paired": case(paired(35, 37)), "free": case(rng.random((33, 29)) < 0.4)}
with open("influence.json", "w") as f:
    json.dump(json.loads(json.dumps(cases), parse_float=lambda v: round(float(v), 12)), f)
