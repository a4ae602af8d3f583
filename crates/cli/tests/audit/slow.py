"""The attacks' scores by plain loops over lists, for `make_reference.py` to check its arrays against."""

import decimal
import math
import statistics
from fractions import Fraction

import numpy as np

A = 0.3
decimal.getcontext().prec = 120


class Slow:
    """One view, from the values of the file, with Python's floats, exact sums and fractions."""

    def __init__(self, kind, values, member, labels, test=None):
        self.member = [[bool(b) for b in row] for row in member]
        self.models, self.examples = len(member), len(member[0])
        self.labels = [0] * self.examples if labels is None else [int(c) for c in labels]
        self.has_entropy = kind != "phi"
        signals = [[self.signal(kind, v, c) for v, c in zip(row, self.labels)] for row in values]
        self.signals = signals
        self.test = test and [[self.signal("logits", v, int(c)) for v, c in zip(row, test[1])] for row in test[0]]
        self.block = self.blocks()
        columns = range(self.examples)
        self.drop = False
        for b in set(self.block):
            counts = {sum(self.member[m][i] for m in range(self.models) if self.block[m] == b) for i in columns}
            self.drop |= len(counts) > 1

    @staticmethod
    def signal(kind, v, label):
        if kind == "phi":
            x = float(v)
            limit = -math.log(1e-45)
            phi = float(np.float32(min(max(x, -limit), limit)))
            out = {"correctness": float(phi > 0)}
        else:
            if kind == "probabilities":
                z = [float(np.float32(math.log(p) if p > 0 else math.log(1e-45))) for p in map(float, v)]
            else:
                z = [float(np.float32(x)) for x in v]
            # Plain sums of exponentials of differences: the logits here are far from overflow.
            ratio = math.fsum(math.exp(x - z[label]) for j, x in enumerate(z) if j != label)
            phi = float(np.float32(-math.log(ratio)))
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
        log_p = -math.log1p(math.exp(-phi))
        p = 1 / (1 + math.exp(-phi))
        digits = 1 / (1 + (-decimal.Decimal(phi)).exp())
        assert float(digits) == p or abs(float(digits) / p - 1) < 1e-15
        return out | {"phi": phi, "confidence": log_p, "loss": log_p, "p": p, "digits": digits}

    def blocks(self):
        n = self.examples
        links = {m: set() for m in range(self.models)}
        opposite = {m: set() for m in range(self.models)}
        for m in range(self.models):
            for k in range(self.models):
                a, b = self.member[m], self.member[k]
                if k == m:
                    continue
                both, x, y = sum(i and j for i, j in zip(a, b)), sum(a), sum(b)
                # r^2 as a fraction: (n xy - x y)^2 / (x (n - x) y (n - y)).
                r2 = Fraction((n * both - x * y) ** 2, x * (n - x) * y * (n - y))
                if r2 > Fraction(1, 16) and r2 * n > 25:
                    links[m].add(k)
                if all(i != j for i, j in zip(a, b)):
                    opposite[m].add(k)
        if all(len(o) == 1 for o in opposite.values()):
            links = opposite
        block, count = [None] * self.models, 0
        for m in range(self.models):
            if block[m] is None:
                todo = [m]
                while todo:
                    k = todo.pop()
                    if block[k] is None:
                        block[k] = count
                        todo += links[k]
                count += 1
        return block

    def sides(self, target, i):
        shadows = [k for k in range(self.models) if self.block[k] != self.block[target]]
        inside = [k for k in shadows if self.member[k][i]]
        out = [k for k in shadows if not self.member[k][i]]
        if self.drop:
            while len(inside) > len(out):
                inside.pop()
            while len(out) > len(inside):
                out.pop()
        return inside, out

    def threshold(self, target, name, label):
        pairs = [
            (self.signals[k][i][name], self.member[k][i])
            for k in range(self.models)
            if self.block[k] != self.block[target]
            for i in range(self.examples)
            if self.labels[i] == label
        ]
        inside, out = [v for v, b in pairs if b], [v for v, b in pairs if not b]
        best, at = Fraction(-1), None
        for t in sorted({v for v, _ in pairs}):
            tpr, tnr = Fraction(sum(v >= t for v in inside), len(inside)), Fraction(sum(v < t for v in out), len(out))
            if (tpr + tnr) / 2 > best:
                best, at = (tpr + tnr) / 2, t
        return at

    def target(self, m):
        """All scores of one target, as {name: list over the examples}, and the size of the terms of each."""
        scores, sizes = {}, {}

        def put(name, value, *terms):
            scores.setdefault(name, []).append(value)
            sizes.setdefault(name, []).append(max([abs(t) for t in terms] + [abs(value)]))

        def mean(x):
            return math.fsum(x) / len(x)

        def normal(x, c, s):
            return -math.log(s) - math.log(2 * math.pi) / 2 - ((x - c) / s) ** 2 / 2

        def at(i, models, name):
            return [self.signals[k][i][name] for k in models]

        sides = [self.sides(m, i) for i in range(self.examples)]
        pooled = {}
        for side in (0, 1):
            raw, residual = [], []
            for i in range(self.examples):
                x = at(i, sides[i][side], "phi")
                raw += x
                residual += [v - statistics.median(x) for v in x]
            pooled["raw", side] = statistics.pstdev(raw) + 1e-30
            pooled["residual", side] = statistics.pstdev(residual) + 1e-30
        limits = {}
        by_class = {"confidence": "p", "loss": "loss"}
        if self.has_entropy:
            by_class |= {"entropy": "entropy", "modified-entropy": "modified-entropy"}
        for name, signal in by_class.items():
            for c in set(self.labels):
                limits[name, c] = self.threshold(m, signal, c)
        outside = [k for k in range(self.models) if self.block[k] != self.block[m]]
        z = []
        if self.test:
            for j in range(len(self.test[0])):
                bar = (1 + A) / 2 * mean([self.test[k][j]["p"] for k in outside]) + (1 - A) / 2
                z.append(self.test[m][j]["p"] / bar)
        for i in range(self.examples):
            own, (inside, out) = self.signals[m][i], sides[i]
            phi, log_p = own["phi"], own["loss"]
            for name in ["correctness", *by_class]:
                put(name, own[name])
            for name, signal in by_class.items():
                t = limits[name, self.labels[i]]
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
                ("lira-online-fixed", pooled["residual", 0], pooled["residual", 1]),
                ("lira-online-fixed@official", pooled["raw", 0], pooled["raw", 0]),
                ("lira-online-fixed@per-side", pooled["raw", 0], pooled["raw", 1]),
            ]:
                one, two = normal(phi, mid_in, a), normal(phi, mid_out, b)
                put(name, one - two, one, two)
            for suffix, b in [("", s_out), ("-fixed", pooled["residual", 1])]:
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
            if self.test:
                x = own["p"] / float(bar_offline)
                put("rmia-gamma", sum(v < x for v in z) / len(z))
        return scores, sizes
