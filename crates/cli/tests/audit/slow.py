"""Designs and the attacks' scores by plain loops over lists, for `make_reference.py` to check its arrays against."""

import decimal
import math
import statistics
from fractions import Fraction

import numpy as np

A = 0.3
TEMPERATURES = (2, 4)
decimal.getcontext().prec = 120


# Functions of statistics -------------------------------------------------------------------------------------------


def digamma(x):
    below = 0.0
    while x < 30:
        below, x = below - 1 / x, x + 1
    return below + math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6) + 1 / (240 * x**8)


def trigamma(x):
    below = 0.0
    while x < 30:
        below, x = below + 1 / x**2, x + 1
    tail = 1 / (6 * x**3) - 1 / (30 * x**5) + 1 / (42 * x**7) - 1 / (30 * x**9)
    return below + 1 / x + 1 / (2 * x**2) + tail


def inverse_trigamma(value):
    low, high = math.log(1e-9), math.log(1e15)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if trigamma(math.exp(middle)) > value else (low, middle)
    return math.exp(low)


def chi_square_below(x, degrees):
    """P(chi-square <= x), by the series of the incomplete gamma function."""
    a, x = degrees / 2, x / 2
    if x > 2 * a + 100:
        return 1.0
    terms, k = [1.0], 0
    while terms[-1] > 1e-20 * terms[0] or k < x:
        k += 1
        terms.append(terms[-1] * x / (a + k))
    return math.exp(a * math.log(x) - x - math.lgamma(a + 1) + math.log(math.fsum(terms))) if x > 0 else 0.0


def variance(x):
    """With ddof 1."""
    middle = math.fsum(x) / len(x)
    return math.fsum((v - middle) ** 2 for v in x) / (len(x) - 1)


# Design ------------------------------------------------------------------------------------------------------------


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def components(rows, linked):
    """Lists of rows, in the order of their first ones; `linked` holds pairs."""
    found, seen = [], set()
    for row in rows:
        if row not in seen:
            part, todo = set(), [row]
            while todo:
                k = todo.pop()
                if k not in part:
                    part.add(k)
                    todo += [b for a, b in linked if a == k] + [a for a, b in linked if b == k]
            found.append(sorted(part))
            seen |= part
    return found


def partition(sets, whole):
    """Keys of the first sets, three or more, that partition the whole: from the lowest key that starts a partition."""

    def extend(chosen, left):
        if not left:
            return chosen if len(chosen) > 2 else None
        for key in sorted(sets):
            if key > chosen[-1] and sets[key] <= left:
                found = extend([*chosen, key], left - sets[key])
                if found:
                    return found
        return None

    for start in sorted(sets):
        found = extend([start], whole - sets[start])
        if found:
            return found
    return None


class Reading:
    """Blocks, designs, shadows and examples to score; examples are kept in sets."""

    def __init__(self, member):
        self.models, self.examples = len(member), len(member[0])
        self.held = [{i for i in range(self.examples) if row[i]} for row in member]
        everything = set(range(self.examples))
        rows = [m for m in range(self.models) if self.held[m] and self.held[m] != everything]
        shared = [(a, b) for a in rows for b in rows if a < b and self.held[a] & self.held[b]]
        self.classes = components(rows, shared)
        self.of, linked = {}, []
        for number, of_class in enumerate(self.classes):
            self.of |= dict.fromkeys(of_class, number)
            linked += self.links(of_class)
        self.members = components(range(self.models), linked)
        self.block = [next(b for b, part in enumerate(self.members) if m in part) for m in range(self.models)]
        self.design = [None] * self.models
        for of_class in self.classes:
            design = self.find_design(of_class)
            for m in of_class:
                self.design[m] = design
        self.with_folds = "fixed" in self.design
        self.fold = [mix(mix(0xF01D) ^ i) % 5 if self.with_folds else 0 for i in range(self.examples)]

    def support(self, of_class):
        return set().union(*(self.held[m] for m in of_class))

    def informative(self, of_class):
        return self.support(of_class) - set.intersection(*(self.held[m] for m in of_class))

    def links(self, rows):
        whole = self.informative(rows)
        size, n = len(rows), len(whole)
        cut = {m: frozenset(self.held[m] & whole) for m in rows}
        alive = [m for m in rows if 0 < len(cut[m]) < n]
        linked, s = [], dict.fromkeys(rows, 1)
        free = []
        for a in alive:
            same = [b for b in alive if cut[b] == cut[a]]
            opposite = [b for b in alive if cut[b] == whole - cut[a]]
            linked += [(a, b) for b in same + opposite if b > a]
            s[a] = len(same) - len(opposite)
            if not opposite and same[0] == a:
                free.append(a)
        for side in (lambda a: whole - cut[a], lambda a: cut[a]):
            while found := partition({a: side(a) for a in free}, whole):
                free = [a for a in free if a not in found]
                everyone = [b for a in found for b in alive if cut[b] == cut[a]]
                linked += [(everyone[0], b) for b in everyone[1:]]
                s |= dict.fromkeys(everyone, 0)
        groups = components(rows, linked)
        rate = {i: sum(i in cut[m] for m in rows) / size for i in whole}
        total = sum(s.values())
        for a in alive:
            for b in alive:
                if a < b and not any(a in g and b in g for g in groups):
                    x, y = ([(i in cut[m]) - rate[i] for i in sorted(whole)] for m in (a, b))
                    x, y = ([v - math.fsum(z) / n for v in z] for z in (x, y))
                    xx, yy = (math.fsum(v * v for v in z) for z in (x, y))
                    # 1 - 2 s / size + total / size^2, both of them and in whole numbers.
                    one, two = (size * size - 2 * s[m] * size + total for m in (a, b))
                    if min(xx, yy) >= 1e-9 * n and min(one, two) > 0:
                        r = math.fsum(u * v for u, v in zip(x, y)) / math.sqrt(xx * yy)
                        expected = (total - (s[a] + s[b]) * size) / math.sqrt(one * two)
                        if abs(r - expected) > max(0.25, 4.5 / math.sqrt(n)):
                            linked.append((a, b))
        return linked

    def find_design(self, rows):
        whole = self.informative(rows)
        parts = [part for part in self.members if set(part) <= set(rows)]
        if all(len({sum(i in self.held[m] for m in part) for i in whole}) < 2 for part in parts):
            return "balanced"
        size = len(parts)
        k = [sum(i in self.held[part[0]] for part in parts) for i in whole]
        inner = [c for c in k if 0 < c < size]
        lower, upper = False, False
        if len(inner) > 1 and 1 < (mu := Fraction(sum(inner), len(inner))) < size - 1:
            low, high = 0.0, 1.0
            for _ in range(100):
                p = (low + high) / 2
                weights = [math.comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(1, size)]
                mean = math.fsum(w * c for c, w in enumerate(weights, 1)) / math.fsum(weights)
                low, high = (p, high) if mean < mu else (low, p)
            v = math.fsum(w * (c - mean) ** 2 for c, w in enumerate(weights, 1)) / math.fsum(weights)
            below = chi_square_below(float(sum((c - mu) ** 2 for c in inner)) / v, len(inner) - 1)
            lower, upper = below < 1e-6, 1 - below < 1e-6
        equal = all(self.held[m] & whole == self.held[part[0]] & whole for part in parts for m in part)
        if equal and (lower or max(k) == min(k)):
            return "fixed"
        return "mixed" if upper else "independent"

    def outside(self, target):
        return [k for k in range(self.models) if self.block[k] != self.block[target]]

    def sides(self, target, i):
        others = self.outside(target)
        kept = set(others)
        if self.design[target] == "fixed":
            rows = self.classes[self.of[target]]
            parts = [part for part in self.members if part[0] in rows]
            own = self.members[self.block[target]][0]
            for inside in (True, False):
                side = [part for part in parts if (i in self.held[part[0]]) == inside]
                rest = [part for part in side if part[0] != own]
                rest.sort(key=lambda part: mix(mix(mix(own) ^ i) ^ part[0]))
                for part in rest[max(len(side) - 1, 0):]:
                    kept -= set(part)
        inside = [k for k in others if k in kept and i in self.held[k]]
        return inside, [k for k in others if k in kept and i not in self.held[k]]

    def scored(self, target, i):
        if self.design[target] is None:
            return False
        rows = self.classes[self.of[target]]
        return i in self.informative(rows) and all(len({self.block[k] for k in side}) > 1 for side in self.sides(target, i))

    def examples_of(self, target):
        """The examples scored for a target; none if there are no members or no non-members among them."""
        at = [i for i in range(self.examples) if self.scored(target, i)]
        return at if 0 < sum(i in self.held[target] for i in at) < len(at) else []

    def offset_rows(self, target):
        """The models whose median an offset is measured from."""
        if len(self.members) <= 16:
            return self.outside(target)
        return [k for k in range(self.models) if (self.block[k] - self.block[target]) % 8]


# Scores ------------------------------------------------------------------------------------------------------------


class Slow:
    """One view, from the values of the file, with Python's floats, exact sums and fractions."""

    def __init__(self, kind, values, member, labels, test=None):
        self.reading = Reading(member)
        self.member = [[bool(b) for b in row] for row in member]
        self.models, self.examples = len(member), len(member[0])
        self.labels = [0] * self.examples if labels is None else [int(c) for c in labels]
        self.has_classes = kind != "phi"
        signals = [[self.signal(kind, v, c) for v, c in zip(row, self.labels)] for row in values]
        self.signals = signals
        self.test = test and [[self.signal("logits", v, int(c)) for v, c in zip(row, test[1])] for row in test[0]]

    @staticmethod
    def signal(kind, v, label):
        warm = {}
        if kind == "phi":
            phi = float(np.float32(v))
            out = {"correctness": float(phi > 0)}
        else:
            if kind == "probabilities":
                z = [float(np.float32(math.log(p) if p > 0 else math.log(1e-45))) for p in map(float, v)]
            else:
                z = [float(np.float32(x)) for x in v]
            # Plain sums of exponentials of differences: the logits here are far from overflow.
            for t in (1, *TEMPERATURES):
                ratio = math.fsum(math.exp((x - z[label]) / t) for j, x in enumerate(z) if j != label)
                warm[t] = float(np.float32(-math.log(ratio)))
            phi = warm.pop(1)
            odds = [math.fsum(math.exp(x - z[j]) for k, x in enumerate(z) if k != j) for j in range(len(z))]
            p = [1 / (1 + o) for o in odds]
            log_p = [max(-math.log1p(o), math.log(1e-30)) for o in odds]
            log_not = [max(-math.log1p(1 / o), math.log(1e-30)) for o in odds]
            h = -math.fsum(a * b for a, b in zip(p, log_p))
            not_own = odds[label] / (1 + odds[label])
            terms = [p[j] * log_not[j] for j in range(len(z)) if j != label] + [not_own * log_p[label]]
            best = max(range(len(z)), key=lambda j: (z[j], -j))
            out = {
                "correctness": float(best == label),
                "entropy": -float(np.float32(h)),
                "modified-entropy": -float(np.float32(-math.fsum(terms))),
            }
        for t, x in warm.items():
            out["loss", t], out["digits", t] = -math.log1p(math.exp(-x)), 1 / (1 + (-decimal.Decimal(x)).exp())
        log_p = -math.log1p(math.exp(-phi))
        p = 1 / (1 + math.exp(-phi))
        digits = 1 / (1 + (-decimal.Decimal(phi)).exp())
        assert float(digits) == p or abs(float(digits) / p - 1) < 1e-15
        return out | {"phi": phi, "confidence": log_p, "loss": log_p, "p": p, "digits": digits}

    def threshold(self, outside, name, label, taught):
        pairs = [
            (self.signals[k][i][name], self.member[k][i]) for k in outside for i in taught if self.labels[i] == label
        ]
        inside, out = [v for v, b in pairs if b], [v for v, b in pairs if not b]
        best, at = Fraction(-1), 0.0
        if not inside or not out:
            return at
        for t in sorted({v for v, _ in pairs}):
            tpr, tnr = Fraction(sum(v >= t for v in inside), len(inside)), Fraction(sum(v < t for v in out), len(out))
            if (tpr + tnr) / 2 > best:
                best, at = (tpr + tnr) / 2, t
        return at

    def empirical_bayes(self, target, sides, lesson):
        """A function that gives both log densities of the target's phi at an example, from what the lesson teaches."""
        rows = self.reading.offset_rows(target)
        middle = {i: statistics.median([self.signals[k][i]["phi"] for k in rows]) for i in lesson}
        offset = [statistics.median([row[i]["phi"] - middle[i] for i in lesson]) for row in self.signals]

        def summary(i):
            one, two = ([self.signals[k][i]["phi"] - offset[k] for k in side] for side in sides[i])
            n1, n0 = len(one), len(two)
            if n1 == 0 or n0 == 0 or n1 + n0 < 3:
                return None
            mean1, mean0 = math.fsum(one) / n1, math.fsum(two) / n0
            ss = math.fsum((v - mean1) ** 2 for v in one) + math.fsum((v - mean0) ** 2 for v in two)
            s2 = max(ss / (n1 + n0 - 2), 1e-20)
            return n1, n0, s2, mean1 - mean0, math.fsum(one + two) / (n1 + n0)

        taught = [summary(i) for i in lesson]
        taught = [x for x in taught if x is not None]
        half = [(n1 + n0 - 2) / 2 for n1, n0, *_ in taught]
        e = [math.log(x[2]) - digamma(h) + math.log(h) for x, h in zip(taught, half)]
        excess = variance(e) - math.fsum(map(trigamma, half)) / len(half)
        prior = math.fsum(e) / len(e)
        f0 = math.inf
        if excess > 0:
            f0 = 2 * inverse_trigamma(excess)
            prior += digamma(f0 / 2) - math.log(f0 / 2)

        def shrunken(n, s2):
            f = n - 2
            return math.exp(prior) if f0 == math.inf else (f0 * math.exp(prior) + f * s2) / (f0 + f)

        noise = [shrunken(n1 + n0, s2) * (1 / n1 + 1 / n0) for n1, n0, s2, _, _ in taught]
        d = [x[3] for x in taught]
        mean_d = math.fsum(d) / len(d)
        tau2 = max(0.0, variance(d) - math.fsum(noise) / len(noise))

        def densities(i):
            n1, n0, s2, difference, g = summary(i)
            n = n1 + n0
            v = shrunken(n, s2)
            error = v * (1 / n1 + 1 / n0)
            w = tau2 / (tau2 + error)
            moved = mean_d + w * (difference - mean_d)
            x = self.signals[target][i]["phi"] - offset[target]
            result = []
            for centre, share in [(g + n0 * moved / n, n0 / n), (g - n1 * moved / n, n1 / n)]:
                spread = v * (1 + 1 / n) + share**2 * w * error
                result.append(-math.log(2 * math.pi * spread) / 2 - (x - centre) ** 2 / (2 * spread))
            return result

        return densities

    def target(self, m):
        """All scores of one target, as {name: list over the examples scored}, and the size of the terms of each."""
        scores, sizes = {}, {}

        def put(name, value, *terms):
            scores.setdefault(name, []).append(value)
            sizes.setdefault(name, []).append(max([abs(t) for t in terms] + [abs(value)]))

        def mean(x):
            return math.fsum(x) / len(x)

        def normal(x, c, s):
            return -math.log(s) - math.log(2 * math.pi) / 2 - ((x - c) / s) ** 2 / 2

        def student(x, c, s, df):
            constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2 - math.log(s)
            return constant - (df + 1) / 2 * math.log1p(((x - c) / s) ** 2 / df)

        def at(i, models, name):
            return [self.signals[k][i][name] for k in models]

        scored, fold = self.reading.examples_of(m), self.reading.fold
        sides = {i: self.reading.sides(m, i) for i in scored}
        outside = self.reading.outside(m)
        by_class = {"confidence": "p", "loss": "loss"}
        if self.has_classes:
            by_class |= {"entropy": "entropy", "modified-entropy": "modified-entropy"}
        # Examples that are scored for nobody are left out of the pool.
        models = range(len(self.member))
        kept = [i for i in range(self.examples) if any(self.reading.scored(k, i) for k in models)]
        pooled, limits, bayes = {}, {}, {}
        for f in {fold[i] for i in scored}:
            lesson = [i for i in scored if not self.reading.with_folds or fold[i] != f]
            taught = [i for i in kept if not self.reading.with_folds or fold[i] != f]
            for side in (0, 1):
                raw, residual, about_mean = [], [], []
                for i in lesson:
                    x = at(i, sides[i][side], "phi")
                    raw += x
                    residual += [v - statistics.median(x) for v in x]
                    about_mean += [v - mean(x) for v in x]
                pooled["raw", side, f] = statistics.pstdev(raw) + 1e-30
                pooled["residual", side, f] = statistics.pstdev(residual) + 1e-30
                pooled["about mean", side, f] = statistics.pstdev(about_mean) + 1e-30
                pooled["prior", side, f] = mean(raw), max(statistics.pvariance(raw), 1e-10)
            for name, signal in by_class.items():
                for c in set(self.labels):
                    limits[name, c, f] = self.threshold(outside, signal, c, taught)
            bayes[f] = self.empirical_bayes(m, sides, lesson)
        z = []
        if self.test:
            for j in range(len(self.test[0])):
                bar = (1 + A) / 2 * mean([self.test[k][j]["p"] for k in outside]) + (1 - A) / 2
                z.append(self.test[m][j]["p"] / bar)
        for i in scored:
            own, (inside, out), f = self.signals[m][i], sides[i], fold[i]
            phi, log_p = own["phi"], own["loss"]
            for name in ["correctness", *by_class]:
                put(name, own[name])
            for name, signal in by_class.items():
                t = limits[name, self.labels[i], f]
                put(f"{name}-per-class", own[signal] - t, t)
            others = at(i, out, "loss")
            put("attack-r", (sum(v < log_p for v in others) + sum(v == log_p for v in others) / 2) / len(others))
            put("calibrated-loss", log_p - mean(others), log_p)
            right_in, right_out = mean(at(i, inside, "correctness")), mean(at(i, out, "correctness"))
            put("calibrated-correctness", own["correctness"] - (right_in + right_out) / 2, right_in, right_out)
            phi_in, phi_out = at(i, inside, "phi"), at(i, out, "phi")
            mid_in, mid_out = statistics.median(phi_in), statistics.median(phi_out)
            s_in, s_out = statistics.pstdev(phi_in) + 1e-30, statistics.pstdev(phi_out) + 1e-30
            for name, a, b in [
                ("lira-online", s_in, s_out),
                ("lira-online-fixed", pooled["residual", 0, f], pooled["residual", 1, f]),
                ("lira-online-fixed@official", pooled["raw", 0, f], pooled["raw", 0, f]),
                ("lira-online-fixed@per-side", pooled["raw", 0, f], pooled["raw", 1, f]),
            ]:
                one, two = normal(phi, mid_in, a), normal(phi, mid_out, b)
                put(name, one - two, one, two)
            one = normal(phi, mean(phi_in), pooled["about mean", 0, f])
            two = normal(phi, mean(phi_out), pooled["about mean", 1, f])
            put("lira-online-fixed(centre=mean)", one - two, one, two)
            for suffix, b in [("", s_out), ("-fixed", pooled["residual", 1, f])]:
                put(f"lira-offline{suffix}", (phi - mid_out) / b)
                put(f"lira-offline-two-sided{suffix}", -normal(phi, mid_out, b), 1)
            # With 120 digits there is no trouble near 1.
            p_in, p_out, a = at(i, inside, "digits"), at(i, out, "digits"), decimal.Decimal(A)
            bar_in, bar_out = sum(p_in) / len(p_in), sum(p_out) / len(p_out)
            bar_offline = (1 + a) / 2 * bar_out + (1 - a) / 2
            for name, bar in [
                ("rmia", (bar_in + bar_out) / 2),
                ("rmia-offline", bar_offline),
                ("base", sum(p_in + p_out) / (len(p_in) + len(p_out))),
            ]:
                put(name, float((own["digits"] / bar).ln()), log_p, float(bar.ln()))
            for t in TEMPERATURES if self.has_classes else ():
                p_in, p_out = at(i, inside, ("digits", t)), at(i, out, ("digits", t))
                bar = (sum(p_in) / len(p_in) + sum(p_out) / len(p_out)) / 2
                put(f"rmia(t={t})", float((own["digits", t] / bar).ln()), own["loss", t], float(bar.ln()))
                if t == 2:
                    bar = sum(p_in + p_out) / (len(p_in) + len(p_out))
                    put(f"base(t={t})", float((own["digits", t] / bar).ln()), own["loss", t], float(bar.ln()))
            if self.test:
                x = own["p"] / float(bar_offline)
                put("rmia-gamma", sum(v < x for v in z) / len(z))
            for name in ("bavaria-n", "bavaria-t"):
                both = []
                for side, x in enumerate([phi_in, phi_out]):
                    (centre, v), n = pooled["prior", side, f], len(x)
                    beta = v + math.fsum((y - mean(x)) ** 2 for y in x) / 2
                    beta += n * (mean(x) - centre) ** 2 / (2 * (n + 1))
                    if name == "bavaria-n":
                        both.append(normal(phi, mean(x), math.sqrt(2 * beta / n)))
                    else:
                        alpha = 2 + n / 2
                        s2 = max(beta * (n + 2) / (alpha * (n + 1)), 1e-10)
                        both.append(student(phi, (centre + math.fsum(x)) / (n + 1), math.sqrt(s2), 2 * alpha))
                put(name, both[0] - both[1], *both)
            one, two = bayes[f](i)
            put("empirical-bayes", one - two, one, two)
        return scores, sizes
