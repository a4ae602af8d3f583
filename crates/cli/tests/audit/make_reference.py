"""Write small pools and their membership-inference scores, a folder a case, to compare the audit with.

Run in this folder: python3 make_reference.py (made with NumPy 2.4, SciPy 1.17). The same files come out at each run.
Every score is worked out twice: over arrays, and by `Slow`, plain loops over lists that know nothing of the arrays.
"""

import json
import math
import pathlib
from fractions import Fraction

import numpy as np
from scipy import special, stats

from slow import Slow

HERE = pathlib.Path(__file__).resolve().parent
# The decimal 1e-45 in float64; as a float32 it would be 2^-149, of which the logarithm is -103.27893 instead of -103.61633.
FLOOR = 1e-45
PHI_LIMIT = -math.log(FLOOR)
LOG_FLOOR = math.log(1e-30)
TINY = 1e-30
A = 0.3
# Attacks compared with phi in the form of 2021.
OLD = ("lira-online", "lira-online-fixed@official", "lira-offline-two-sided", "rmia")


# Signals -----------------------------------------------------------------------------------------------------------


def to_float32(x):
    """Round, and make sure that another float64 route could not have rounded to another float32."""
    low, high = np.float32(x - 1e-14 * np.abs(x)), np.float32(x + 1e-14 * np.abs(x))
    assert np.array_equal(low, high)
    return np.float32(x)


class Signals:
    """What the attacks read of one view: arrays (models, examples) in float64."""

    def __init__(self, phi, correct, entropy=None, modified=None):
        self.phi = np.float64(phi)
        self.log_p = -np.logaddexp(0.0, -self.phi)
        self.p = special.expit(self.phi)
        self.q = special.expit(-self.phi)
        self.correct = np.float64(correct)
        self.entropy, self.modified = entropy, modified
        assert np.isfinite(self.log_p).all()


def from_phi(phi):
    phi = to_float32(np.clip(np.float64(phi), -PHI_LIMIT, PHI_LIMIT))
    return Signals(phi, phi > 0)


def from_logits(z, labels):
    z = np.float64(np.float32(z))
    classes = z.shape[-1]
    own = np.arange(classes) == labels[:, None]
    rest = special.logsumexp(np.where(own, -np.inf, z), axis=-1)
    phi = (z * own).sum(-1) - rest
    total = special.logsumexp(z, axis=-1, keepdims=True)
    others = np.stack([special.logsumexp(np.delete(z, j, axis=-1), axis=-1) for j in range(classes)], axis=-1)
    p, log_p, log_not = np.exp(z - total), z - total, others - total
    entropy = -(p * np.maximum(log_p, LOG_FLOOR)).sum(-1)
    wrong = np.exp(rest - total[..., 0])
    modified = -wrong * np.maximum((log_p * own).sum(-1), LOG_FLOOR)
    modified -= (np.where(own, 0.0, p) * np.maximum(log_not, LOG_FLOOR)).sum(-1)
    correct = z.argmax(-1) == labels
    return Signals(to_float32(phi), correct, np.float64(to_float32(entropy)), np.float64(to_float32(modified)))


def from_probabilities(p, labels):
    z = np.float32(np.log(np.maximum(np.float64(p), FLOOR)))
    assert np.array_equal(z.argmax(-1), p.argmax(-1))
    return from_logits(z, labels)


def official_2021(values, labels, kind):
    """phi of the published code of 2021: exponentials in float32 (rounded correctly), 1e-45 in both logarithms."""
    if kind == "logits":
        z = np.float32(values)
        e = np.float64(np.float32(np.exp(np.float64(z - z.max(-1, keepdims=True)))))
        p = e / e.sum(-1, keepdims=True)
    else:
        p = np.float64(values)
    own = np.arange(p.shape[-1]) == labels[:, None]
    y, others = (p * own).sum(-1), np.where(own, 0.0, p).sum(-1)
    return np.float32(np.log(y + 1e-45) - np.log(others + 1e-45))


# Design ------------------------------------------------------------------------------------------------------------


def find_blocks(member):
    models, examples = member.shape
    partner = [[k for k in range(models) if (member[k] != member[m]).all()] for m in range(models)]
    if all(len(p) == 1 for p in partner):
        first = [min(m, partner[m][0]) for m in range(models)]
    else:
        r = np.corrcoef(np.float64(member))
        joined = (np.abs(r) > 0.25) & (np.abs(r) * math.sqrt(examples) > 5)
        first = list(range(models))
        for m in range(models):
            for k in range(m):
                if joined[m, k]:
                    old, new = max(first[m], first[k]), min(first[m], first[k])
                    first = [new if f == old else f for f in first]
    order = sorted(set(first))
    return np.array([order.index(f) for f in first])


class Design:
    def __init__(self, member):
        self.member = member
        self.blocks = find_blocks(member)
        counts = [member[self.blocks == b].sum(0) for b in range(self.blocks.max() + 1)]
        self.dropped_rule = not all((c == c[0]).all() for c in counts)

    def outside(self, target):
        return self.blocks != self.blocks[target]

    def sides(self, target):
        """The IN and the OUT shadows of each example, (models, examples) of bool, equally many."""
        inside = self.member & self.outside(target)[:, None]
        out = ~self.member & self.outside(target)[:, None]
        if self.dropped_rule:
            fewer = np.minimum(inside.sum(0), out.sum(0))
            inside &= np.cumsum(inside, axis=0) <= fewer
            out &= np.cumsum(out, axis=0) <= fewer
        assert (inside.sum(0) == out.sum(0)).all() and inside.any(0).all()
        return inside, out


# Scores over arrays ------------------------------------------------------------------------------------------------


def mean_over(x, side):
    return np.where(side, x, 0.0).sum(0) / side.sum(0)


def median_over(x, side):
    return np.nanmedian(np.where(side, x, np.nan), axis=0)


def std_over(x, side):
    """About the mean, ddof 0, per example."""
    return np.sqrt(mean_over((x - mean_over(x, side)) ** 2, side)) + TINY


def log_normal(x, centre, s):
    return -0.5 * math.log(2 * math.pi) - np.log(s) - 0.5 * ((x - centre) / s) ** 2


def bavaria(x, phi, side, alpha):
    """Log density of phi under one side: normal about the mean where alpha is None, else Student's (scipy's)."""
    cells = x[side]
    mu0, v, n = cells.mean(), max(cells.var(), 1e-10), side.sum(0)
    mean = mean_over(x, side)
    ss = (np.where(side, x - mean, 0.0) ** 2).sum(0)
    beta = v + ss / 2 + n * (mean - mu0) ** 2 / (2 * (n + 1))
    if alpha is None:
        return stats.norm.logpdf(phi, mean, np.sqrt(beta / (n / 2)))
    alpha, kappa = alpha + n / 2, 1 + n
    scale = np.sqrt(np.maximum(beta * (kappa + 1) / (alpha * kappa), 1e-10))
    return stats.t.logpdf(phi, 2 * alpha, (mu0 + n * mean) / (n + 1), scale)


def log_mean(p, q):
    """log of a mean probability, given that mean and the mean of 1 - p."""
    return np.where(q < 0.5, np.log1p(-np.minimum(q, 0.5)), np.log(np.maximum(p, 1e-300)))


def best_threshold(values, member):
    """The lowest t that maximises TPR + TNR of `value >= t`, in integers."""
    values, member = values.ravel(), member.ravel()
    candidates = np.unique(values)
    inside, out = np.sort(values[member]), np.sort(values[~member])
    hits = inside.size - np.searchsorted(inside, candidates)
    passed = np.searchsorted(out, candidates)
    assert inside.size and out.size
    return candidates[np.argmax(hits * out.size + passed * inside.size)]


def score_view(s, design, labels, test=None):
    models, examples = s.phi.shape
    classes = labels if labels is not None else np.zeros(examples, int)
    plain = {"correctness": s.correct, "confidence": s.log_p, "loss": s.log_p}
    by_class = {"confidence": s.p, "loss": s.log_p}
    if s.entropy is not None:
        plain |= {"entropy": -s.entropy, "modified-entropy": -s.modified}
        by_class |= {"entropy": -s.entropy, "modified-entropy": -s.modified}
    rows = {name: [] for name in list(plain) + [f"{name}-per-class" for name in by_class]}
    for m in range(models):
        got = {name: x[m] for name, x in plain.items()}
        shadows = design.outside(m)
        for name, x in by_class.items():
            t = {c: best_threshold(*(a[shadows][:, classes == c] for a in (x, design.member))) for c in set(classes)}
            got[f"{name}-per-class"] = x[m] - np.array([t[c] for c in classes])

        inside, out = design.sides(m)
        phi, log_p = s.phi[m], s.log_p[m]
        below = mean_over(np.float64(s.log_p < log_p), out)
        assert np.array_equal(below, mean_over(np.float64(s.phi < phi), out))
        got["attack-r"] = below + mean_over(np.float64(s.log_p == log_p), out) / 2
        got["calibrated-loss"] = log_p - mean_over(s.log_p, out)
        right = plain["correctness"]
        got["calibrated-correctness"] = right[m] - (mean_over(right, inside) + mean_over(right, out)) / 2

        mid_in, mid_out = median_over(s.phi, inside), median_over(s.phi, out)
        s_in, s_out = std_over(s.phi, inside), std_over(s.phi, out)
        raw_in, raw_out = s.phi[inside].std() + TINY, s.phi[out].std() + TINY
        left_in, left_out = (s.phi - mid_in)[inside].std() + TINY, (s.phi - mid_out)[out].std() + TINY
        for name, a, b in [
            ("lira-online", s_in, s_out),
            ("lira-online-fixed", left_in, left_out),
            ("lira-online-fixed@official", raw_in, raw_in),
            ("lira-online-fixed@per-side", raw_in, raw_out),
        ]:
            got[name] = log_normal(phi, mid_in, a) - log_normal(phi, mid_out, b)
        for suffix, b in [("", s_out), ("-fixed", left_out)]:
            got[f"lira-offline{suffix}"] = (phi - mid_out) / b
            got[f"lira-offline-two-sided{suffix}"] = -log_normal(phi, mid_out, b)

        p_bar = (mean_over(s.p, inside) + mean_over(s.p, out)) / 2
        q_bar = (mean_over(s.q, inside) + mean_over(s.q, out)) / 2
        got["rmia"] = log_p - log_mean(p_bar, q_bar)
        got["rmia-offline"] = log_p - np.log1p(-(1 + A) / 2 * mean_over(s.q, out))
        both = inside | out
        got["base"] = log_p - log_mean(mean_over(s.p, both), mean_over(s.q, both))
        if test is not None:
            others = np.log1p(-(1 + A) / 2 * test.q[shadows].mean(0))
            z = test.log_p[m] - others
            x = got["rmia-offline"]
            assert np.abs(x[:, None] - z).min() > 1e-10
            got["rmia-gamma"] = (z < x[:, None]).mean(1)
        for name, degrees in [("bavaria-n", None), ("bavaria-t", 2.0)]:
            got[name] = bavaria(s.phi, phi, inside, degrees) - bavaria(s.phi, phi, out, degrees)
        for name, row in got.items():
            rows.setdefault(name, []).append(row)
    return {name: np.array(row) for name, row in rows.items()}


def score(views, design, labels, test=None):
    each = [score_view(s, design, labels, test) for s in views]
    out = {name: np.mean([e[name] for e in each], axis=0) for name in each[0]}
    if len(views) > 1:
        # The gap attack looks at the plain view, the label-only attack at all of them.
        out["label-only"] = out["correctness"]
        out["correctness"] = each[0]["correctness"]
        out["calibrated-correctness"] = each[0]["calibrated-correctness"]
    assert all(x.shape == design.member.shape and np.isfinite(x).all() for x in out.values())
    return out


def check_slow(kind, views, member, labels, test, scores, design):
    """Compare with the loops, at every target and example."""
    slow = [Slow(kind, v, member, labels, test) for v in views]
    assert slow[0].block == design.blocks.tolist() and slow[0].drop == design.dropped_rule
    worst = 0.0
    for m in range(member.shape[0]):
        each = [s.target(m) for s in slow]
        # The shrunken ratios are scipy's densities already.
        assert set(scores) - set(each[0][0]) <= {"bavaria-n", "bavaria-t", "label-only"}
        for name in each[0][0]:
            got = scores[name]
            if name == "correctness" and "label-only" in scores:
                assert np.array_equal(got[m], each[0][0][name])
                got = scores["label-only"]
            used = each[:1] if name == "calibrated-correctness" else each
            want = np.mean([e[0][name] for e in used], axis=0)
            size = np.max([e[1][name] for e in used], axis=0)
            error = np.abs(got[m] - want) / np.maximum(size, 1e-40)
            worst = max(worst, error.max())
            assert error.max() < 1e-11, (name, m, error.max())
    return worst


# Further checks ----------------------------------------------------------------------------------------------------


def auc(scores, member):
    return stats.mannwhitneyu(scores[member], scores[~member]).statistic / (member.sum() * (~member).sum())


def check_scores(views, design, labels, test, scores):
    """What must hold of the scores, whatever the formulas."""
    member, models = design.member, design.member.shape[0]
    assert np.array_equal(scores["confidence"], scores["loss"])
    # Equal counts: pbar is the mean of all shadows.
    assert np.allclose(scores["rmia"], scores["base"], rtol=1e-12, atol=1e-13)
    s = views[0]
    if len(views) == 1:
        for m in range(models):
            inside, out = design.sides(m)
            s_out = np.array([s.phi[out[:, i], i].std() for i in range(member.shape[1])]) + TINY
            mid = np.array([np.median(s.phi[out[:, i], i]) for i in range(member.shape[1])])
            want = -stats.norm.logpdf(s.phi[m], mid, s_out)
            assert np.allclose(scores["lira-offline-two-sided"][m], want, rtol=1e-10)
            share = [stats.percentileofscore(s.phi[out[:, i], i], s.phi[m, i], "mean") for i in range(member.shape[1])]
            assert np.allclose(scores["attack-r"][m], np.array(share) / 100, atol=1e-13)
            # The pooled offline test ranks as phi - median does.
            assert auc(scores["lira-offline-fixed"][m], member[m]) == auc(s.phi[m] - mid, member[m])
    # The scores of a target must not move with the outputs of the other models of its block.
    for b in range(design.blocks.max() + 1):
        rows = np.flatnonzero(design.blocks == b)
        if rows.size > 1:
            m = rows[0]
            moved = []
            for v in views:
                phi = v.phi.copy()
                phi[rows[1:]] = np.float32(3.0 - 1.7 * phi[rows[1:]])
                entropies = (None, None) if v.entropy is None else (v.entropy.copy(), v.modified.copy())
                for e in entropies:
                    if e is not None:
                        e[rows[1:]] = 0.5 * e[rows[1:]]
                moved.append(Signals(phi, v.correct, *entropies))
            again = score(moved, design, labels, test)
            assert all(np.array_equal(again[name][m], scores[name][m]) for name in scores)
            assert not np.array_equal(again["rmia"], scores["rmia"])
    # A score that reads no output of the target: over a block its AUCs average to exactly 1/2, in pairs counted.
    if not design.dropped_rule:
        wins = Fraction(0)
        for m in range(models):
            shadows = -s.phi[design.outside(m)].mean(0)
            a, b = shadows[member[m]][:, None], shadows[~member[m]]
            pairs = Fraction(2 * int((a > b).sum()) + int((a == b).sum()), 2 * a.size * b.size)
            assert abs(float(pairs) - auc(shadows, member[m])) < 1e-12
            wins += pairs
        assert wins / models == Fraction(1, 2)


# Cases -------------------------------------------------------------------------------------------------------------


def paired_rows(rng, models, examples):
    half = rng.random((models // 2, examples)) < 0.5
    return np.stack([half, ~half], axis=1).reshape(models, examples)


def logits(rng, member, labels, classes, views=None):
    """Every example has its own difficulty, members are fitted better, views differ little."""
    models, examples = member.shape
    z = rng.normal(0, 0.7, (examples, classes)) + rng.normal(0, 0.8, (models, examples, classes))
    lift = rng.normal(1.2, 0.8, examples) + 1.3 * member
    z[:, np.arange(examples), labels] += lift
    if views:
        return z[:, :, None] + rng.normal(0, 0.4, (models, examples, views, classes))
    return z


def phis(rng, member):
    models, examples = member.shape
    return rng.normal(1.0, 1.5, examples) + 1.2 * member + rng.normal(0, 1.0, (models, examples))


def some_labels(rng, examples, classes):
    return rng.permutation(np.arange(examples) % classes)


def blocks(rng):
    labels, member = some_labels(rng, 60, 4), paired_rows(rng, 12, 60)
    test_labels = some_labels(rng, 25, 4)
    test = logits(rng, np.zeros((12, 25), bool), test_labels, 4)
    return {
        "logits": np.float32(logits(rng, member, labels, 4)),
        "labels": labels,
        "membership": member,
        "test_logits": np.float32(test),
        "test_labels": test_labels,
    }


def views(rng):
    labels, member = some_labels(rng, 60, 4), paired_rows(rng, 12, 60)
    return {"logits": np.float32(logits(rng, member, labels, 4, 3)), "labels": labels, "membership": member}


def balanced(rng):
    labels = some_labels(rng, 80, 4)
    member = np.stack([rng.permutation(np.arange(12) < 6) for _ in range(80)], axis=1)
    r = np.corrcoef(np.float64(member))[np.triu_indices(12, 1)]
    assert ((np.abs(r) < 0.25) | (np.abs(r) * math.sqrt(80) <= 5)).all() and r.min() > -0.9
    assert (member.sum(0) == 6).all()
    return {"logits": logits(rng, member, labels, 4), "labels": labels, "membership": member}


def coins(rng, models, examples, rows=lambda x: x):
    """Independent coins, columns redrawn until two shadows at least are left on either side of every target."""
    member = rows(rng.random((models, examples)) < 0.5)
    while True:
        design = find_blocks(member)
        sides = [member[design != b] for b in design]
        bad = np.any([np.minimum(x.sum(0), (~x).sum(0)) < 2 for x in sides], axis=0)
        bad |= np.minimum(member.sum(0), (~member).sum(0)) < 3
        if not bad.any():
            return member
        member[:, bad] = rows(rng.random((models, bad.sum())) < 0.5)


def bernoulli(rng):
    member = coins(rng, 11, 90)
    assert len(set(member.sum(0))) > 3 and find_blocks(member).tolist() == list(range(11))
    phi = phis(rng, member)
    # Beyond the limit, one model an example.
    for i, (m, value) in enumerate([(0, 150.0), (3, -200.0), (5, 104.0), (7, 1e6), (10, 103.62), (2, -103.2)]):
        phi[m, 10 * i] = value
    return {"phi": phi, "membership": member}


def ties(rng):
    member = paired_rows(rng, 10, 50)
    phi = np.round(phis(rng, member), 1)
    phi[:, rng.choice(50, 5, replace=False)] = [-1.3, 0.0, 0.4, 2.1, 7.5]
    return {"phi": np.float32(phi), "membership": member}


def saturated(rng):
    labels, member = some_labels(rng, 50, 3), paired_rows(rng, 10, 50)
    p = special.softmax(2 * logits(rng, member, labels, 3), axis=-1)
    draw = rng.random((10, 50))
    draw[:, 7] = 0.0
    right, wrong = draw < 0.15 + 0.15 * member, draw > 0.96
    assert right.sum() > 80 and wrong.sum() > 10
    p[right] = (np.arange(3) == labels[:, None])[np.nonzero(right)[1]]
    p[wrong] = (np.arange(3) == (labels[:, None] + 1) % 3)[np.nonzero(wrong)[1]]
    return {"probabilities": np.float32(p), "labels": labels, "membership": member}


def duplicates(rng):
    def rows(member):
        member[1], member[3] = member[0], ~member[2]
        return member

    member = coins(rng, 9, 100, rows)
    assert find_blocks(member).tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 6]
    return {"phi": phis(rng, member), "membership": member}


makers = [blocks, views, balanced, bernoulli, ties, saturated, duplicates]
for number, make in enumerate(makers):
    files = make(np.random.default_rng([20260, number]))
    folder = HERE / make.__name__
    folder.mkdir(exist_ok=True)
    labels, member, test = files.get("labels"), files["membership"], None
    if "test_logits" in files:
        test = from_logits(files["test_logits"], files["test_labels"])
    kind = next(k for k in ("logits", "probabilities", "phi") if k in files)
    raw = [files[kind][:, :, q] for q in range(3)] if make is views else [files[kind]]
    read = {"logits": from_logits, "probabilities": from_probabilities, "phi": lambda x, _: from_phi(x)}[kind]
    signals = [read(x, labels) for x in raw]
    design = Design(member)
    scores = score(signals, design, labels, test)
    slow_test = test and (files["test_logits"], files["test_labels"])
    worst = check_slow(kind, raw, member, labels, slow_test, scores, design)
    check_scores(signals, design, labels, test, scores)
    if kind != "phi":
        old = [Signals(official_2021(x, labels, kind), s.correct) for x, s in zip(raw, signals)]
        for name, rows in score(old, design, labels).items():
            if name in OLD:
                scores[f"{name.removesuffix('@official')}@official-2021"] = rows
    for name, array in files.items():
        np.save(folder / f"{name}.npy", array)
    np.savez_compressed(folder / "scores.npz", **scores)
    expected = {"blocks": design.blocks.tolist(), "dropped_rule": design.dropped_rule}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")
    mean_auc = {name: np.mean([auc(x[m], member[m]) for m in range(len(x))]) for name, x in scores.items()}
    print(make.__name__, expected, f"largest difference from the loops {worst:.1e}")
    print("  mean AUC", ", ".join(f"{name} {a:.3f}" for name, a in mean_auc.items()))
