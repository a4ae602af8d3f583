"""A learned membership-inference attack ("strongest") against its yardsticks.

Usage:
    python learner.py [options] FOLDER [FOLDER ...]

Every FOLDER holds pool.npz with logits (M, N, C), labels (N) and membership (M, N);
models 2j and 2j+1 were trained on complementary halves and form block j.

Options:
    --attack K    attack only K blocks of each pool, evenly spread (default 5; 0 = all)
    --kinds LIST  comma separated, of: full, 8, 12, 16 (first so many models), coin
                  (one model of each pair, every model its own block), coin8 (eight such),
                  phi (only phi is known), col (only the confidence of the label is known),
                  null (memberships redrawn at random), null8.  Default: full
    --sim K       also K simulated worlds (default 0)
    --no-boost    leave gradient boosting out (quick)
    --ridge R     ridge penalty per training row (default 1e-5)
    --clip C      bound of standardised features (default 5)
    --without A,B leave out the features whose name contains one of these words
    --list        print the features in order and stop

Prints, per pool, AUC / TPR at 1 % FPR, averaged over targets, of the learner, gradient
boosting and single attacks; then the difference learner - boosting with its standard error
(over blocks), and learner - best single attack (best by AUC).

Block b is attacked.  Features of its targets come from all models outside b; those of a
training target in block c from all models outside b and c.  Rows whose example no allowed
shadow has seen at all do not occur in these pools.
"""
import os
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import argparse
import time
import numpy as np
from scipy.special import digamma, polygamma, expit

FLOOR = 1e-4                                    # of the mean pooled variance
SIGNALS = ("phi", "lp2", "lp4", "nent")         # the learner's signals, in this order
PARTS = ("llr", "zout", "dS", "lS", "raw")      # of each signal, in this order
TAIL = ("rmia1", "rmia2", "rmia4", "corr", "mcorr_out")
PRODUCTS = (("phi:dS", "phi:zout"), ("lp2:dS", "lp2:zout"), ("lp4:dS", "lp4:zout"),
            ("nent:dS", "nent:zout"), ("phi:raw", "phi:raw"), ("lp2:raw", "phi:raw"),
            ("nent:raw", "nent:raw"), ("nent:raw", "phi:llr"))
BASE = [s + ":" + p for s in SIGNALS for p in PARTS] + list(TAIL)

# What gradient boosting sees.
BOOST_SIGNALS = ("phi", "margin", "nent", "norm")
BOOST = [s + ":" + p for s in BOOST_SIGNALS for p in ("raw", "llr", "zout", "zin", "D", "S")] \
    + ["rmia1", "rmia2", "rmia4", "corr", "mcorr_in", "mcorr_out"]
SINGLES = ("lira", "phi:llr", "rmia1", "rmia2", "rmia4", "p1")
FITTED = ("phi", "lp2", "lp4", "nent", "margin", "norm")   # signals with a fit
COLUMNS = [s + ":" + p for s in FITTED for p in ("raw", "llr", "zout", "zin", "dS", "lS", "D", "S")] \
    + ["rmia1", "rmia2", "rmia4", "corr", "mcorr_in", "mcorr_out", "lira", "p1"]
AT = {name: k for k, name in enumerate(COLUMNS)}


# ---------------------------------------------------------------- signals
def logsumexp(z):
    top = z.max(-1, keepdims=True)
    return (top + np.log(np.exp(z - top).sum(-1, keepdims=True)))[..., 0]


def signals(z, y):
    """Signals (M, N) of logits (M, N, C).  nent is sum p log p (at most 0)."""
    z = z.astype(np.float64)
    rows = np.arange(z.shape[1])
    zy = z[:, rows, y]
    others = z.copy()
    others[:, rows, y] = -np.inf
    best = others.max(-1)
    out = {}
    for t in (1, 2, 4):
        phi = zy / t - logsumexp(others / t)
        out["lp%d" % t] = -np.logaddexp(0, -phi)
        out["p%d" % t] = np.exp(out["lp%d" % t])
        if t == 1:
            out["phi"] = phi
    lp = z - logsumexp(z)[..., None]
    out["nent"] = (np.exp(lp) * lp).sum(-1)
    out["corr"] = (zy > best).astype(float)
    out["margin"] = zy - best
    c = z - z.mean(-1, keepdims=True)
    out["norm"] = .5 * np.log((c * c).sum(-1) + 1e-12)
    return out


def two_class(phi):
    """Where only phi is known: the logits (phi, 0) of two classes, label 0."""
    return np.stack([phi, np.zeros_like(phi)], -1), np.zeros(phi.shape[1], int)


# ---------------------------------------------------------------- shrunk fit
def inverse_trigamma(v):
    x = .5 + 1 / v
    for _ in range(100):
        step = (polygamma(1, x) - v) / polygamma(2, x)
        x = x - step if x - step > 0 else x / 2
        if abs(step) < 1e-12 * x:
            break
    return x


def fit(n1, s1, q1, n0, s0, q0):
    """Shrunk IN and OUT laws of every example, from counts, sums and sums of squares.

    An example without an IN or an OUT shadow gets the mean difference with w = 0 (limit u -> inf);
    one without degrees of freedom gets the prior variance."""
    n = n1 + n0
    both = (n1 > 0) & (n0 > 0)
    m1, m0 = s1 / np.maximum(n1, 1), s0 / np.maximum(n0, 1)
    f = n - (n1 > 0) - (n0 > 0)
    free = f > 0
    s2 = np.maximum(q1 - s1 * m1, 0) + np.maximum(q0 - s0 * m0, 0)
    s2 = s2 / np.maximum(f, 1)
    s2 = np.maximum(s2, FLOOR * s2[free].mean() + 1e-30)
    h = f[free] / 2
    e = np.log(s2[free]) - digamma(h) + np.log(h)
    excess = e.var() - polygamma(1, h).mean()
    if excess <= 0:
        S = np.full(n.shape, np.exp(e.mean()))
    else:
        h0 = inverse_trigamma(excess)
        prior = np.exp(e.mean() + digamma(h0) - np.log(h0))
        S = (2 * h0 * prior + f * s2) / (2 * h0 + f)
    d = m1 - m0
    u = 1 / np.maximum(n1, 1) + 1 / np.maximum(n0, 1)
    dbar = d[both].mean()
    tau2 = max(0., d[both].var() - (S * u)[both].mean())
    w = np.where(both, tau2 / (tau2 + S * u), 0.)
    wsu = np.where(both, w * S * u, tau2)
    D = dbar + w * (d - dbar)
    D[~both] = dbar
    g = (s1 + s0) / n
    return dict(S=S, D=D, m_in=g + n0 * D / n, m_out=g - n1 * D / n,
                v_in=S * (1 + 1 / n) + (n0 / n) ** 2 * wsu,
                v_out=S * (1 + 1 / n) + (n1 / n) ** 2 * wsu)


# ---------------------------------------------------------------- features
class Pool:
    def __init__(self, z, y, member, block):
        self.sig = signals(z, y)
        self.member, self.block = member, block
        self.M, self.N = member.shape
        self.B = int(block.max()) + 1
        # each model's mean over the examples is its offset
        self.centred = {s: self.sig[s] - self.sig[s].mean(1, keepdims=True) for s in FITTED}
        used = dict(self.centred)
        for s in ("p1", "p2", "p4", "corr"):
            used[s] = self.sig[s]
        used["rawphi"] = self.sig["phi"]
        m = member.astype(float)
        self.count = self.per_block(np.ones_like(m), m)
        self.sums = {s: (self.per_block(x, m), self.per_block(x * x, m)) for s, x in used.items()}

    def per_block(self, x, m):
        out = np.zeros((2, self.B, self.N))
        for i in range(self.M):
            out[0, self.block[i]] += m[i] * x[i]
            out[1, self.block[i]] += (1 - m[i]) * x[i]
        return out

    def features(self, block, without):
        """Columns for the models of a block; shadows: all blocks but `without`."""
        keep = np.ones(self.B, bool)
        keep[list(without)] = False
        n1, n0 = self.count[:, keep].sum(1)
        targets = np.flatnonzero(self.block == block)
        out = np.empty((len(targets), self.N, len(COLUMNS)))
        for s in FITTED:
            (s1, s0), (q1, q0) = (a[:, keep].sum(1) for a in self.sums[s])
            E = fit(n1, s1, q1, n0, s0, q0)
            for j, t in enumerate(targets):
                x = self.centred[s][t]
                zi = (x - E["m_in"]) / np.sqrt(E["v_in"])
                zo = (x - E["m_out"]) / np.sqrt(E["v_out"])
                llr = .5 * (zo * zo - zi * zi) + .5 * np.log(E["v_out"] / E["v_in"])
                parts = dict(raw=self.sig[s][t], llr=llr, zout=zo, zin=zi, dS=E["D"] / np.sqrt(E["S"]),
                             lS=.5 * np.log(E["S"]), D=E["D"], S=E["S"])
                for p, v in parts.items():
                    out[j, :, AT[s + ":" + p]] = v
        mean = lambda a, n: a / np.maximum(n, 1)
        one, zero = n1 > 0, n0 > 0
        for t in ("1", "2", "4"):
            a1, a0 = self.sums["p" + t][0][:, keep].sum(1)
            ref = (mean(a1, n1) + mean(a0, n0)) / (one.astype(int) + zero)
            out[:, :, AT["rmia" + t]] = self.sig["lp" + t][targets] - np.log(ref + 1e-300)
        c1, c0 = self.sums["corr"][0][:, keep].sum(1)
        out[:, :, AT["corr"]] = self.sig["corr"][targets]
        out[:, :, AT["mcorr_in"]] = np.where(one, mean(c1, n1), mean(c0, n0))
        out[:, :, AT["mcorr_out"]] = np.where(zero, mean(c0, n0), mean(c1, n1))
        (s1, s0), (q1, q0) = (a[:, keep].sum(1) for a in self.sums["rawphi"])
        m1, m0 = mean(s1, n1), mean(s0, n0)
        v1 = max((q1 - s1 * m1).sum() / n1.sum(), 1e-30)
        v0 = max((q0 - s0 * m0).sum() / n0.sum(), 1e-30)
        x = self.sig["phi"][targets]
        out[:, :, AT["lira"]] = .5 * np.log(v0 / v1) + .5 * (x - m0) ** 2 / v0 - .5 * (x - m1) ** 2 / v1
        out[:, :, AT["p1"]] = self.sig["lp1"][targets]
        return targets, out

    def attack(self, b):
        """Training rows, their labels, and the rows of the targets in block b."""
        X, y = [], []
        for c in range(self.B):
            if c != b:
                t, f = self.features(c, (b, c))
                X.append(f.reshape(-1, f.shape[-1]))
                y.append(self.member[t].ravel())
        t, f = self.features(b, (b,))
        return np.concatenate(X), np.concatenate(y).astype(float), t, f


# ---------------------------------------------------------------- the learner
class Scale:
    """Standardise by the training rows (variance over n) and clip; a constant column becomes 0."""

    def __init__(self, A, clip):
        self.mean, sd = A.mean(0), A.std(0)
        self.k = np.where(sd > 1e-6 * (1 + np.abs(self.mean)), 1 / np.maximum(sd, 1e-300), 0.)
        self.clip = clip

    def __call__(self, A):
        return np.clip((A - self.mean) * self.k, -self.clip, self.clip)


class Learner:
    def __init__(self, X, y, ridge, clip, base, products):
        self.cols = [AT[c] for c in base]
        self.pairs = [(base.index(a), base.index(c)) for a, c in products]
        self.first = Scale(X[:, self.cols], clip)
        Z = self.first(X[:, self.cols])
        P = self.product(Z)
        self.second = Scale(P, clip)
        A = np.hstack([Z, self.second(P), np.ones((len(Z), 1))])
        n, k = A.shape
        penalty = np.full(k, ridge * n)
        penalty[-1] = 0.
        w = np.zeros(k)
        loss = lambda w: (np.logaddexp(0, A @ w) - y * (A @ w)).sum() + .5 * (penalty * w * w).sum()
        now = loss(w)
        for self.rounds in range(1, 31):
            q = expit(A @ w)
            half = A * np.sqrt(q * (1 - q))[:, None]
            H = half.T @ half + np.diag(penalty)
            H[np.diag_indices(k)] += 1e-12 * n      # for constant columns and a saturated fit
            step = np.linalg.solve(H, A.T @ (q - y) + penalty * w)
            size = 1.
            while loss(w - size * step) > now + 1e-9 * n and size > 1e-4:
                size /= 2
            w = w - size * step
            now = loss(w)
            if np.abs(size * step).max() < 1e-6:
                break
        self.w = w

    def product(self, Z):
        if not self.pairs:
            return np.empty((len(Z), 0))
        return np.stack([Z[:, a] * Z[:, c] for a, c in self.pairs], 1)

    def score(self, X):
        Z = self.first(X[:, self.cols])
        A = np.hstack([Z, self.second(self.product(Z))])
        return A @ self.w[:-1] + self.w[-1]


# ---------------------------------------------------------------- evaluation
def metrics(s, y):
    """AUC (ties half) and the largest TPR at an FPR of at most 1 %."""
    o = np.argsort(-s, kind="stable")
    s, y = s[o], y[o]
    last = np.append(s[1:] != s[:-1], True)
    tpr = np.append(0, np.cumsum(y)[last] / y.sum())
    fpr = np.append(0, np.cumsum(~y)[last] / (~y).sum())
    return np.trapezoid(tpr, fpr), tpr[fpr <= .01].max()


def world(seed, N=250, M=32):
    """A simulated world: phi, membership and the scores of the oracle."""
    r = np.random.default_rng(seed)
    a, b, u = r.normal(1.5, 2, N), np.abs(r.normal(0, 1.5, N)), r.normal(0, .3, (M, 1))
    s = np.exp(r.normal(-.1, .5, N))
    e = r.normal(size=(M, N))
    e[1::2] = -.4 * e[::2] + np.sqrt(1 - .16) * e[1::2]
    half = r.random((M // 2, N)) < .5
    member = np.empty((M, N), bool)
    member[::2], member[1::2] = half, ~half
    phi = a + b * member + u + s * e
    return phi, member, .5 * ((phi - a - u) / s) ** 2 - .5 * ((phi - a - b - u) / s) ** 2


def spread(B, k):
    return list(range(B)) if k <= 0 or k >= B else sorted(set(np.linspace(0, B - 1, k).round().astype(int).tolist()))


def evaluate(pool, args, oracle=None):
    """Per attack an array (blocks attacked, 2): AUC and TPR, averaged over the block's targets."""
    res = {}
    for b in spread(pool.B, args.attack):
        X, y, targets, F = pool.attack(b)
        scores = {k: [f[:, AT[k]] for f in F] for k in SINGLES}
        L = Learner(X, y, args.ridge, args.clip, args.base, args.products)
        scores["learner"] = [L.score(f) for f in F]
        if not args.no_boost:
            from sklearn.ensemble import HistGradientBoostingClassifier
            cols = [AT[c] for c in BOOST]
            step = -(-len(X) // 60000)
            h = HistGradientBoostingClassifier(random_state=0).fit(X[::step, cols], y[::step])
            scores["boost"] = [h.decision_function(f[:, cols]) for f in F]
        if oracle is not None:
            scores["oracle"] = [oracle[t] for t in targets]
        for k, v in scores.items():
            res.setdefault(k, []).append(np.mean([metrics(s, pool.member[t]) for s, t in zip(v, targets)], 0))
    return {k: np.array(v) for k, v in res.items()}


def one_kind(z, y, member, kind):
    M = len(member)
    block = np.arange(M) // 2
    if kind.isdigit():
        k = int(kind)
        z, member, block = z[:k], member[:k], block[:k]
    elif kind.startswith("coin"):
        j = np.arange(M // 2) * 2 + (np.random.default_rng(5).random(M // 2) < .5)
        j = j[:8] if kind == "coin8" else j
        z, member, block = z[j], member[j], np.arange(len(j))
    elif kind == "phi":
        z, y = two_class(signals(z, y)["phi"])
    elif kind == "col":
        p = signals(z, y)["p1"].astype(np.float32).astype(float)
        p = np.clip(p, 1e-7, 1 - 1e-7)
        z, y = two_class(np.log(p) - np.log1p(-p))
    elif kind.startswith("null"):
        if kind == "null8":
            z, member, block = z[:8], member[:8], block[:8]
        half = np.random.default_rng(1).random((len(member) // 2, member.shape[1])) < .5
        member = np.empty_like(member)
        member[::2], member[1::2] = half, ~half
    return Pool(z, y, member, block)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folders", nargs="*")
    ap.add_argument("--attack", type=int, default=5)
    ap.add_argument("--kinds", default="full")
    ap.add_argument("--sim", type=int, default=0)
    ap.add_argument("--no-boost", action="store_true")
    ap.add_argument("--ridge", type=float, default=1e-5)
    ap.add_argument("--clip", type=float, default=5.)
    ap.add_argument("--without", default="")
    ap.add_argument("--list", action="store_true")
    args = ap.parse_args()
    drop = [w for w in args.without.split(",") if w]
    args.base = [c for c in BASE if not any(w in c for w in drop)]
    args.products = [] if "products" in drop else [p for p in PRODUCTS if p[0] in args.base and p[1] in args.base]
    if args.list:
        for k, c in enumerate(args.base + [a + " * " + b for a, b in args.products], 1):
            print(k, c)
        return
    keys = ["learner"] + ([] if args.no_boost else ["boost"]) + list(SINGLES)
    print("%-32s" % "AUC / TPR at 1 % FPR in %", " ".join("%11s" % k for k in keys), "  to boosting: AUC (se), TPR ratio | to best single: AUC")
    all_d, start = [], time.time()
    for kind in args.kinds.split(","):
        for folder in args.folders:
            data = np.load(os.path.join(folder, "pool.npz"))
            y = data["labels"].astype(int)
            pool = one_kind(data["logits"], y, data["membership"].astype(bool), kind)
            r = evaluate(pool, args)
            name = kind + ":" + "/".join(os.path.normpath(folder).split(os.sep)[-2:])
            best = max(SINGLES, key=lambda k: r[k][:, 0].mean())
            line = " ".join("%.4f/%4.1f" % (r[k][:, 0].mean(), 100 * r[k][:, 1].mean()) for k in keys)
            gap = r["learner"] - r[best]
            se = lambda d: d.std(ddof=1) / np.sqrt(len(d))
            text = " | %s %+.4f (%.4f)" % (best, gap[:, 0].mean(), se(gap[:, 0]))
            if "boost" in r:
                d = r["learner"] - r["boost"]
                ratio = r["learner"][:, 1].mean() / r["boost"][:, 1].mean()
                text = "%+.4f (%.4f) %.2f (%.2f)" % (d[:, 0].mean(), se(d[:, 0]), ratio, se(d[:, 1]) / r["boost"][:, 1].mean()) + text
                all_d.append((d[:, 0].mean(), ratio, gap[:, 0].mean()))
            print("%-32s" % name, line, text, "%.0fs" % (time.time() - start), flush=True)
    if all_d:
        a = np.array(all_d)
        print("mean over pools: AUC %+.4f (worst %+.4f), TPR ratio %.3f (worst %.2f), to best single %+.4f (worst %+.4f)"
              % (a[:, 0].mean(), a[:, 0].min(), a[:, 1].mean(), a[:, 1].min(), a[:, 2].mean(), a[:, 2].min()))
    if args.sim:
        rows = []
        for s in range(args.sim):
            phi, member, oracle = world(s)
            z, y = two_class(phi)
            r = evaluate(Pool(z, y, member, np.arange(len(phi)) // 2), args, oracle)
            rows.append([r[k].mean(0) for k in keys + ["oracle"]])
        a = np.array(rows).mean(0)
        print("%d simulated worlds:" % args.sim, "  ".join("%s %.4f/%.1f" % (k, v[0], 100 * v[1]) for k, v in zip(keys + ["oracle"], a)),
              "  learner - oracle %+.4f" % (a[0, 0] - a[-1, 0]))


if __name__ == "__main__":
    main()
