"""Write small pools and their membership-inference scores, a folder a case, to compare the audit with.

Run in this folder: python3 make_reference.py (made with NumPy 2.4, SciPy 1.17). The same files come out at each run.
Every score is worked out twice: over arrays, and by `Slow`, plain loops over lists that know nothing of the arrays.
An example that is not scored for a target is NaN; references are never targets.
"""

import json
import math
import pathlib
from fractions import Fraction

import numpy as np
from scipy import optimize, special, stats

from design import FOLDS, KINDS, read
from slow import Slow

HERE = pathlib.Path(__file__).resolve().parent
# The decimal 1e-45 in float64; as a float32 it would be 2^-149, of which the logarithm is -103.27893, not -103.61633.
FLOOR = 1e-45
LOG_FLOOR = math.log(1e-30)
TINY = 1e-30
A = 0.3
TEMPERATURES = (2, 4)
# Attacks compared with phi in the form of 2021.
OLD = ("lira-online", "lira-online-fixed@official", "lira-offline-two-sided", "rmia")


# Signals -----------------------------------------------------------------------------------------------------------


def to_float32(x):
    """Round, and make sure that another float64 route could not have rounded to another float32."""
    low, high = np.float32(x - 1e-14 * np.abs(x)), np.float32(x + 1e-14 * np.abs(x))
    assert np.array_equal(low, high)
    return np.float32(x)


class Signals:
    """What the attacks read of one view: arrays (models, examples) in float64; `warm` has the same at temperatures."""

    def __init__(self, phi, correct, entropy=None, modified=None, warm=None):
        self.warm = warm or {}
        self.phi = np.float64(phi)
        self.log_p = -np.logaddexp(0.0, -self.phi)
        self.p = special.expit(self.phi)
        self.q = special.expit(-self.phi)
        self.correct = np.float64(correct)
        self.entropy, self.modified = entropy, modified
        assert np.isfinite(self.log_p).all()

    def of(self, at):
        """The same of some examples."""
        entropies = (None if e is None else e[:, at] for e in (self.entropy, self.modified))
        return Signals(self.phi[:, at], self.correct[:, at], *entropies, {t: x.of(at) for t, x in self.warm.items()})


def from_phi(phi):
    phi = to_float32(np.float64(phi))
    return Signals(phi, phi > 0)


def from_logits(z, labels):
    z = np.float64(np.float32(z))
    classes = z.shape[-1]
    own = np.arange(classes) == labels[:, None]
    rest = special.logsumexp(np.where(own, -np.inf, z), axis=-1)
    phi = (z * own).sum(-1) - rest
    warm = {}
    for t in TEMPERATURES:
        warm[t] = (z * own).sum(-1) / t - special.logsumexp(np.where(own, -np.inf, z / t), axis=-1)
    total = special.logsumexp(z, axis=-1, keepdims=True)
    others = np.stack([special.logsumexp(np.delete(z, j, axis=-1), axis=-1) for j in range(classes)], axis=-1)
    p, log_p, log_not = np.exp(z - total), z - total, others - total
    entropy = -(p * np.maximum(log_p, LOG_FLOOR)).sum(-1)
    wrong = np.exp(rest - total[..., 0])
    modified = -wrong * np.maximum((log_p * own).sum(-1), LOG_FLOOR)
    modified -= (np.where(own, 0.0, p) * np.maximum(log_not, LOG_FLOOR)).sum(-1)
    correct = z.argmax(-1) == labels
    warm = {t: Signals(to_float32(x), correct) for t, x in warm.items()}
    return Signals(to_float32(phi), correct, np.float64(to_float32(entropy)), np.float64(to_float32(modified)), warm)


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


class Design:
    def __init__(self, member):
        self.member = member
        self.read = read(member)
        assert self.read["margin"] > 1e-9
        self.blocks, self.targets = self.read["blocks"], self.read["targets"]
        self.kinds = ["reference" if k < 0 else KINDS[k] for k in self.read["kinds"]]
        # Examples that are scored together, beside those that teach what is learnt for them.
        everything = np.ones(member.shape[1], bool)
        self.parts = [(everything, everything)]
        if "fixed" in self.kinds:
            self.parts = [(self.read["folds"] == f, self.read["folds"] != f) for f in range(FOLDS)]

    def outside(self, target):
        return self.blocks != self.blocks[target]

    def outside_group(self, target):
        """The models whose median an offset is measured from: with many blocks, groups of blocks are left out."""
        if self.blocks.max() < 16:
            return self.outside(target)
        return self.blocks % 8 != self.blocks[target] % 8

    def sides(self, target):
        """The IN and the OUT shadows of each example, (models, examples) of bool."""
        return [side.T for side in self.read["masks"](self.blocks[target])]

    def scored(self, target):
        """The examples that are scored for a target."""
        return self.read["scored"][self.blocks[target]] & (target in self.targets)


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


def bavaria(x, phi, side, alpha, learnt):
    """Log density of phi under one side: normal about the mean where alpha is None, else Student's (scipy's)."""
    mu0 = learnt(lambda use: x[side & use].mean())
    v, n = np.maximum(learnt(lambda use: x[side & use].var()), 1e-10), side.sum(0)
    mean = mean_over(x, side)
    ss = (np.where(side, x - mean, 0.0) ** 2).sum(0)
    beta = v + ss / 2 + n * (mean - mu0) ** 2 / (2 * (n + 1))
    if alpha is None:
        return stats.norm.logpdf(phi, mean, np.sqrt(beta / (n / 2)))
    alpha, kappa = alpha + n / 2, 1 + n
    scale = np.sqrt(np.maximum(beta * (kappa + 1) / (alpha * kappa), 1e-10))
    return stats.t.logpdf(phi, 2 * alpha, (mu0 + n * mean) / (n + 1), scale)


def inverse_trigamma(value):
    y = math.exp(optimize.brentq(lambda u: special.polygamma(1, math.exp(u)) - value, -20, 35, xtol=1e-14))
    for _ in range(2):
        y -= (special.polygamma(1, y) - value) / special.polygamma(2, y)
    return y


def empirical_bayes(x, m, others, inside, out, parts):
    """Log ratio of the target's phi under IN and OUT, means and variances shrunk towards what the shadows teach."""
    result = np.full(x.shape[1], np.nan)
    for now, use in parts:
        rest = (x - np.median(x[others], axis=0))[:, use]
        shifted = x - np.median(rest, axis=1)[:, None]
        n1, n0 = inside.sum(0), out.sum(0)
        n, u = n1 + n0, 1 / n1 + 1 / n0
        mean1, mean0 = mean_over(shifted, inside), mean_over(shifted, out)
        f, d, g = n - 2, mean1 - mean0, mean_over(shifted, inside | out)
        ss = np.where(inside, shifted - mean1, 0.0) ** 2 + np.where(out, shifted - mean0, 0.0) ** 2
        s2 = np.maximum(ss.sum(0) / f, 1e-20)
        teach = use & (n >= 3)
        e = np.log(s2) - special.digamma(f / 2) + np.log(f / 2)
        excess = e[teach].var(ddof=1) - special.polygamma(1, f[teach] / 2).mean()
        assert abs(excess) > 1e-6
        if excess > 0:
            f0 = 2 * inverse_trigamma(excess)
            s02 = math.exp(e[teach].mean() + special.digamma(f0 / 2) - math.log(f0 / 2))
            shrunken = (f0 * s02 + f * s2) / (f0 + f)
        else:
            shrunken = np.full(s2.shape, math.exp(e[teach].mean()))
        tau2 = max(0.0, d[teach].var(ddof=1) - (shrunken * u)[teach].mean())
        w = tau2 / (tau2 + shrunken * u)
        moved = d[teach].mean() + w * (d - d[teach].mean())
        spread_in = np.sqrt(shrunken * (1 + 1 / n) + (n0 / n) ** 2 * w * shrunken * u)
        spread_out = np.sqrt(shrunken * (1 + 1 / n) + (n1 / n) ** 2 * w * shrunken * u)
        ratio = log_normal(shifted[m], g + n0 * moved / n, spread_in)
        ratio -= log_normal(shifted[m], g - n1 * moved / n, spread_out)
        result[now] = ratio[now]
    return result


def log_mean(p, q):
    """log of a mean probability, given that mean and the mean of 1 - p."""
    return np.where(q < 0.5, np.log1p(-np.minimum(q, 0.5)), np.log(np.maximum(p, 1e-300)))


def best_threshold(values, member):
    """The lowest t that maximises TPR + TNR of `value >= t`, in integers; 0 where one side is missing."""
    values, member = values.ravel(), member.ravel()
    candidates = np.unique(values)
    inside, out = np.sort(values[member]), np.sort(values[~member])
    if not inside.size or not out.size:
        return 0.0
    hits = inside.size - np.searchsorted(inside, candidates)
    passed = np.searchsorted(out, candidates)
    return candidates[np.argmax(hits * out.size + passed * inside.size)]


def log_ratios(s, m, inside, out):
    """log p_y of the target over the mean of both sides' means (rmia), and over the mean of all shadows (base)."""
    p_bar = (mean_over(s.p, inside) + mean_over(s.p, out)) / 2
    q_bar = (mean_over(s.q, inside) + mean_over(s.q, out)) / 2
    both = inside | out
    base = s.log_p[m] - log_mean(mean_over(s.p, both), mean_over(s.q, both))
    return s.log_p[m] - log_mean(p_bar, q_bar), base


def score_view(s, design, labels, test=None):
    models, examples = s.phi.shape
    classes = labels if labels is not None else np.zeros(examples, int)
    plain = {"correctness": s.correct, "confidence": s.log_p, "loss": s.log_p}
    by_class = {"confidence": s.p, "loss": s.log_p}
    if s.entropy is not None:
        plain |= {"entropy": -s.entropy, "modified-entropy": -s.modified}
        by_class |= {"entropy": -s.entropy, "modified-entropy": -s.modified}
    scores = {}
    # Examples that are scored for nobody are left out of the pool.
    kept = np.any([design.scored(m) for m in design.targets], axis=0)
    for m in design.targets:
        got = {name: x[m] for name, x in plain.items()}
        shadows = design.outside(m)
        for name, x in by_class.items():
            t = np.zeros(examples)
            for now, use in design.parts:
                for c in set(classes):
                    taught = use & kept & (classes == c)
                    t[now & (classes == c)] = best_threshold(x[shadows][:, taught], design.member[shadows][:, taught])
            got[f"{name}-per-class"] = x[m] - t
        at = np.flatnonzero(design.scored(m))
        got = {name: x[at] for name, x in got.items()}
        parts = [(now[at], use[at]) for now, use in design.parts]

        def learnt(what):
            """A number for each example, learnt from those that teach it."""
            result = np.empty(at.size)
            for now, use in parts:
                result[now] = what(use)
            return result

        inside, out = (side[:, at] for side in design.sides(m))
        v = s.of(at)
        phi, log_p = v.phi[m], v.log_p[m]
        below = mean_over(np.float64(v.log_p < log_p), out)
        assert np.array_equal(below, mean_over(np.float64(v.phi < phi), out))
        got["attack-r"] = below + mean_over(np.float64(v.log_p == log_p), out) / 2
        got["calibrated-loss"] = log_p - mean_over(v.log_p, out)
        right = v.correct
        got["calibrated-correctness"] = right[m] - (mean_over(right, inside) + mean_over(right, out)) / 2

        mid_in, mid_out = median_over(v.phi, inside), median_over(v.phi, out)
        mean_in, mean_out = mean_over(v.phi, inside), mean_over(v.phi, out)
        s_in, s_out = std_over(v.phi, inside), std_over(v.phi, out)

        def pooled(x, side):
            return learnt(lambda use: x[side & use].std()) + TINY

        raw_in, raw_out = pooled(v.phi, inside), pooled(v.phi, out)
        left_in, left_out = pooled(v.phi - mid_in, inside), pooled(v.phi - mid_out, out)
        about_in, about_out = pooled(v.phi - mean_in, inside), pooled(v.phi - mean_out, out)
        for name, centre_in, a, centre_out, b in [
            ("lira-online", mid_in, s_in, mid_out, s_out),
            ("lira-online-fixed", mid_in, left_in, mid_out, left_out),
            ("lira-online-fixed@official", mid_in, raw_in, mid_out, raw_in),
            ("lira-online-fixed@per-side", mid_in, raw_in, mid_out, raw_out),
            ("lira-online-fixed(centre=mean)", mean_in, about_in, mean_out, about_out),
        ]:
            got[name] = log_normal(phi, centre_in, a) - log_normal(phi, centre_out, b)
        for suffix, b in [("", s_out), ("-fixed", left_out)]:
            got[f"lira-offline{suffix}"] = (phi - mid_out) / b
            got[f"lira-offline-two-sided{suffix}"] = -log_normal(phi, mid_out, b)

        got["rmia"], got["base"] = log_ratios(v, m, inside, out)
        got["rmia-offline"] = log_p - np.log1p(-(1 + A) / 2 * mean_over(v.q, out))
        for t, x in v.warm.items():
            got[f"rmia(t={t})"], base = log_ratios(x, m, inside, out)
            if t == 2:
                got[f"base(t={t})"] = base
        if test is not None:
            others = np.log1p(-(1 + A) / 2 * test.q[shadows].mean(0))
            z = test.log_p[m] - others
            x = got["rmia-offline"]
            assert np.abs(x[:, None] - z).min() > 1e-10
            got["rmia-gamma"] = (z < x[:, None]).mean(1)
        for name, degrees in [("bavaria-n", None), ("bavaria-t", 2.0)]:
            got[name] = bavaria(v.phi, phi, inside, degrees, learnt) - bavaria(v.phi, phi, out, degrees, learnt)
        got["empirical-bayes"] = empirical_bayes(v.phi, m, design.outside_group(m), inside, out, parts)
        for name, row in got.items():
            scores.setdefault(name, np.full((models, examples), np.nan))[m, at] = row
    return scores


def score(views, design, labels, test=None):
    each = [score_view(s, design, labels, test) for s in views]
    out = {name: np.mean([e[name] for e in each], axis=0) for name in each[0]}
    if len(views) > 1:
        # The gap attack looks at the plain view, the label-only attack at all of them.
        out["label-only"] = out["correctness"]
        out["correctness"] = each[0]["correctness"]
        out["calibrated-correctness"] = each[0]["calibrated-correctness"]
    scored = np.array([design.scored(m) for m in range(len(design.member))])
    assert all(np.array_equal(np.isfinite(x), scored) and np.array_equal(np.isnan(x), ~scored) for x in out.values())
    return out


def check_slow(kind, views, member, labels, test, scores, design):
    """Compare with the loops, at every target and example."""
    slow = [Slow(kind, v, member, labels, test) for v in views]
    reading = slow[0].reading
    assert reading.block == design.blocks.tolist()
    assert [k or "reference" for k in reading.design] == design.kinds
    worst = 0.0
    for m in range(member.shape[0]):
        at = reading.examples_of(m)
        assert at == np.flatnonzero(design.scored(m)).tolist()
        if not at:
            continue
        each = [s.target(m) for s in slow]
        assert set(scores) - set(each[0][0]) <= {"label-only"}
        for name in each[0][0]:
            got = scores[name][m, at]
            if name == "correctness" and "label-only" in scores:
                assert np.array_equal(got, each[0][0][name])
                got = scores["label-only"][m, at]
            used = each[:1] if name == "calibrated-correctness" else each
            want = np.mean([e[0][name] for e in used], axis=0)
            size = np.max([e[1][name] for e in used], axis=0)
            error = np.abs(got - want) / np.maximum(size, 1e-40)
            worst = max(worst, error.max())
            assert error.max() < 1e-11, (name, m, error.max())
    return worst


# Further checks ----------------------------------------------------------------------------------------------------


def auc(scores, member):
    return stats.mannwhitneyu(scores[member], scores[~member]).statistic / (member.sum() * (~member).sum())


def mean_auc_of(scores, design):
    """Over the targets; in fixed classes within strata of examples of one fold and one count."""
    values = []
    for m in design.targets:
        at = design.scored(m)
        stratum = np.zeros(at.size, int)
        if design.kinds[m] == "fixed":
            stratum = design.read["folds"] + FOLDS * design.read["strata"][design.read["classes"][m]]
        won = pairs = 0.0
        for value in set(stratum[at]):
            inside, out = (scores[m, at & (stratum == value) & (design.member[m] == side)] for side in (True, False))
            if inside.size and out.size:
                won, pairs = won + stats.mannwhitneyu(inside, out).statistic, pairs + inside.size * out.size
        values.append(won / pairs)
    return np.mean(values)


def check_scores(views, design, labels, test, scores):
    """What must hold of the scores, whatever the formulas."""
    member = design.member
    assert np.array_equal(scores["confidence"], scores["loss"], equal_nan=True)
    s = views[0]
    for m in design.targets:
        at = np.flatnonzero(design.scored(m))
        inside, out = (side[:, at] for side in design.sides(m))
        # Equal counts: pbar is the mean of all shadows.
        equal = at[inside.sum(0) == out.sum(0)]
        for t in ["", "(t=2)"] if s.warm else [""]:
            assert np.allclose(scores[f"rmia{t}"][m, equal], scores[f"base{t}"][m, equal], rtol=1e-12, atol=1e-13)
        if len(views) == 1:
            phi, own = s.phi[:, at], s.phi[m, at]
            columns = range(at.size)
            s_out = np.array([phi[out[:, i], i].std() for i in columns]) + TINY
            mid = np.array([np.median(phi[out[:, i], i]) for i in columns])
            want = -stats.norm.logpdf(own, mid, s_out)
            assert np.allclose(scores["lira-offline-two-sided"][m, at], want, rtol=1e-10)
            share = [stats.percentileofscore(phi[out[:, i], i], own[i], "mean") for i in columns]
            assert np.allclose(scores["attack-r"][m, at], np.array(share) / 100, atol=1e-13)
            # The pooled offline test ranks as phi - median does, among examples that learn from the same ones.
            for now, _ in design.parts:
                now = now[at]
                both = scores["lira-offline-fixed"][m, at][now], (own - mid)[now]
                assert np.array_equal(*(np.argsort(x, kind="stable") for x in both))
    # The scores of a target must not move with the outputs of the other models of its block.
    for b in range(design.blocks.max() + 1):
        rows = np.flatnonzero(design.blocks == b)
        if rows.size > 1:
            m = rows[0]

            def moved(v):
                phi = v.phi.copy()
                phi[rows[1:]] = np.float32(3.0 - 1.7 * phi[rows[1:]])
                entropies = (None, None) if v.entropy is None else (v.entropy.copy(), v.modified.copy())
                for e in entropies:
                    if e is not None:
                        e[rows[1:]] = 0.5 * e[rows[1:]]
                return Signals(phi, v.correct, *entropies, {t: moved(x) for t, x in v.warm.items()})

            again = score([moved(v) for v in views], design, labels, test)
            assert all(np.array_equal(again[name][m], scores[name][m], equal_nan=True) for name in scores)
            assert not np.array_equal(again["rmia"], scores["rmia"], equal_nan=True)
    # A score that reads no output of the target: over a block its AUCs average to exactly 1/2, in pairs counted.
    if set(design.kinds) == {"balanced"}:
        wins = Fraction(0)
        for m in design.targets:
            shadows = -s.phi[design.outside(m)].mean(0)
            a, b = shadows[member[m]][:, None], shadows[~member[m]]
            pairs = Fraction(2 * int((a > b).sum()) + int((a == b).sum()), 2 * a.size * b.size)
            assert abs(float(pairs) - auc(shadows, member[m])) < 1e-12
            wins += pairs
        assert wins / len(member) == Fraction(1, 2)


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
    assert (member.sum(0) == 6).all()
    return {"logits": logits(rng, member, labels, 4), "labels": labels, "membership": member}


def coins(rng, models, examples, rows=lambda x: x):
    """Independent coins, columns redrawn until two shadows at least are left on either side of every target."""
    member = rows(rng.random((models, examples)) < 0.5)
    while True:
        blocks = read(member)["blocks"]
        sides = [member[blocks != b] for b in blocks]
        bad = np.any([np.minimum(x.sum(0), (~x).sum(0)) < 2 for x in sides], axis=0)
        bad |= np.minimum(member.sum(0), (~member).sum(0)) < 3
        if not bad.any():
            return member
        member[:, bad] = rows(rng.random((models, bad.sum())) < 0.5)


def bernoulli(rng):
    member = coins(rng, 11, 90)
    assert len(set(member.sum(0))) > 3
    phi = phis(rng, member)
    # Beyond what any probability in double precision gives, one model an example.
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
    return {"phi": phis(rng, member), "membership": member}


def shuffled(rng, member):
    return member[rng.permutation(len(member))][:, rng.permutation(member.shape[1])]


def idle(rng):
    """Independent rows and a reference; some examples are in none of them, some in all but the reference."""
    rows = np.hstack([rng.random((9, 52)) < 0.45, np.zeros((9, 4), bool), np.ones((9, 4), bool)])
    member, labels = shuffled(rng, np.vstack([rows, np.zeros((1, 60), bool)])), some_labels(rng, 60, 4)
    return {"logits": np.float32(logits(rng, member, labels, 4)), "labels": labels, "membership": member}


def folds(rng):
    """Three times five models, each trained without its fifth of the examples."""
    held_out = np.vstack([rng.permutation(np.arange(50) % 5) == np.arange(5)[:, None] for _ in range(3)])
    member = shuffled(rng, ~held_out)
    return {"phi": phis(rng, member), "membership": member}


def fixed(rng):
    """Every example in half of the models; a label of which some folds know nothing."""
    member = np.stack([rng.permutation(np.arange(10) < 5) for _ in range(120)], axis=1)
    labels = some_labels(rng, 120, 3)
    labels[np.flatnonzero(read(member)["folds"] == 2)[[3, 8]]] = 3
    return {"logits": np.float32(logits(rng, member, labels, 4)), "labels": labels, "membership": member}


def rates(rng):
    """Every example has its own rate of inclusion."""
    member = rng.random((12, 70)) < rng.random(70)
    return {"phi": phis(rng, member), "membership": member}


def two_data(rng):
    """Models of two data sets: pairs on the one, independent rows on the other."""
    member = np.zeros((16, 76), bool)
    member[:8, :36], member[8:, 36:] = paired_rows(rng, 8, 36), rng.random((8, 40)) < 0.5
    member = shuffled(rng, member)
    return {"phi": phis(rng, member), "membership": member}


# The designs that are meant to be there, and whether all examples are scored for all models.
PAIRS = {"balanced"}
cases = {
    blocks: (PAIRS, True),
    views: (PAIRS, True),
    balanced: ({"fixed"}, True),
    bernoulli: ({"independent"}, True),
    ties: (PAIRS, True),
    saturated: (PAIRS, True),
    duplicates: ({"independent"}, True),
    idle: ({"independent", "reference"}, False),
    folds: ({"balanced"}, True),
    fixed: ({"fixed"}, True),
    rates: ({"mixed"}, False),
    two_data: ({"balanced", "independent"}, False),
}
for number, (make, (kinds, complete)) in enumerate(cases.items()):
    files = make(np.random.default_rng([20260, number]))
    case = make.__name__.replace("_", "-")
    folder = HERE / case
    folder.mkdir(exist_ok=True)
    labels, member, test = files.get("labels"), files["membership"], None
    if "test_logits" in files:
        test = from_logits(files["test_logits"], files["test_labels"])
    kind = next(k for k in ("logits", "probabilities", "phi") if k in files)
    raw = [files[kind][:, :, q] for q in range(3)] if make is views else [files[kind]]
    convert = {"logits": from_logits, "probabilities": from_probabilities, "phi": lambda x, _: from_phi(x)}[kind]
    signals = [convert(x, labels) for x in raw]
    design = Design(member)
    assert set(design.kinds) == kinds
    assert design.targets == [m for m in range(len(member)) if design.kinds[m] != "reference"]
    assert complete == all(design.scored(m).all() for m in range(len(member)))
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
    # The old name of: some block does not hold all of its examples equally often.
    expected = {"blocks": design.blocks.tolist(), "dropped_rule": set(design.kinds) != {"balanced"}}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")
    mean_auc = {name: mean_auc_of(x, design) for name, x in scores.items()}
    print(case, expected, f"largest difference from the loops {worst:.1e}")
    print("  designs", design.kinds, "examples scored", [int(design.scored(m).sum()) for m in range(len(member))])
    print("  mean AUC", ", ".join(f"{name} {a:.3f}" for name, a in mean_auc.items()))
