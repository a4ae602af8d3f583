"""One small world, and the AUC that its outputs must have, by an implementation that shares nothing with the program's."""

import itertools
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
M, N, C = 8, 48, 3
# phi of a probability that is 1 in single precision, which stands for what is infinite where all of a model is.
END = 103.6
LEAST = 1e-45


class World:
    """Eight models in complementary pairs; members are fitted better. Logits are eighths, which two bytes hold, but for two classes."""

    def __init__(self, classes, seed, n=N):
        g = np.random.default_rng(seed)
        self.labels = g.permutation(np.arange(n) % classes)
        half = [g.permutation(n) < n // 2 for _ in range(M // 2)]
        self.member = np.array([row for h in half for row in (h, ~h)])
        ease = 1.5 + 1.2 * g.normal(size=n)
        z = g.normal(size=(M, n, classes))
        own = np.arange(classes) == self.labels[:, None]
        z += own * (ease[:, None] + 1.8 * self.member[..., None])
        self.logits = z.astype(np.float32).astype(np.float64) if classes == 2 else np.round(8 * z) / 8
        # The same examples under a second view.
        self.mirrored = self.logits + np.round(4 * g.normal(size=z.shape)) / 8

    @property
    def probabilities(self):
        e = np.exp(self.logits - self.logits.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)


def logsumexp(z):
    top = z.max(-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(z - top).sum(-1)) + top[..., 0]


def single(phi):
    """In single precision, with what is infinite as far out as the furthest of its model."""
    phi = np.float64(np.float32(phi))
    flat = phi.reshape(len(phi), -1)
    far = np.array([max(np.abs(row[np.isfinite(row)]), default=END) for row in flat]).reshape(-1, *[1] * (phi.ndim - 1))
    far = np.float64(np.float32(far))
    return np.where(np.isinf(phi), np.sign(phi) * far, phi)


def phi_of_logits(z, labels):
    """(M, N, C) or (M, N, Q, C)."""
    z = np.float64(np.float32(z))
    own = np.arange(z.shape[-1]) == labels.reshape(-1, *[1] * (z.ndim - 2))
    rest = logsumexp(np.where(own, -np.inf, z))
    return single(np.where(own, z, 0.0).sum(-1) - rest)


def phi_of_column(d, labels):
    """One logit, that of the second of two classes."""
    return single(np.where(labels == 1, d, -np.float64(d)))


def phi_of_probabilities(p, labels, votes=None):
    """Half a step from the end where probabilities are shares of so many votes."""
    p = np.float64(p)
    own = np.arange(p.shape[-1]) == labels.reshape(-1, *[1] * (p.ndim - 2))
    phi = phi_of_logits(np.log(np.maximum(p, LEAST)), labels)
    if votes:
        right, rest = (p * own).sum(-1), (p * ~own).sum(-1)
        step = np.log(2 * votes - 1)
        phi = np.where(right < LEAST, -step, np.where(rest < LEAST, step, phi))
        phi = np.float64(np.float32(phi))
    return phi


def phi_of_chance(p, labels):
    """One probability, that of the second of two classes."""
    p = np.float64(p)
    return phi_of_probabilities(np.stack([1 - p, p], -1), labels)


def phi_of_loss(loss):
    loss = np.float64(loss)
    with np.errstate(divide="ignore"):
        return single(-np.log(np.expm1(loss)))


def phi_of_confidence(p):
    p = np.float64(p)
    with np.errstate(divide="ignore"):
        return single(np.log(p) - np.log1p(-p))


def scores(phi, member):
    """LiRA online with a pooled deviation (Carlini et al. 2022): medians, one deviation of the residuals per side, the target's pair left
    out; (M, N) of one view."""
    out = np.zeros(phi.shape)
    for target in range(len(phi)):
        rest = [m for m in range(len(phi)) if m // 2 != target // 2]
        log_density = []
        for side in (True, False):
            own = np.where(member[rest] == side, phi[rest], np.nan)
            centre = np.nanmedian(own, axis=0)
            left = (own - centre)[~np.isnan(own)]
            s = left.std() + 1e-30
            log_density.append(-0.5 * ((phi[target] - centre) / s) ** 2 - np.log(s))
        out[target] = log_density[0] - log_density[1]
    return out


def auc(phi, member):
    """Mean over targets; phi is (M, N) or (M, N, Q), and the scores of several views are averaged."""
    views = phi[..., None] if phi.ndim == 2 else phi
    score = np.mean([scores(views[..., q], member) for q in range(views.shape[-1])], axis=0)
    each = []
    for s, inside in zip(score, member):
        pairs = s[inside][:, None] - s[~inside][None]
        each.append(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    return float(np.mean(each))


def shares(p):
    """The least number of votes of which all probabilities are shares, where some are 0 or 1 and some are not."""
    ends = (p == 0) | (p == 1)
    if not ends.any() or ends.all():
        return None
    return next((n for n in itertools.chain(range(2, 1001), [10_000]) if np.abs(p * n - np.round(p * n)).max() < 1e-4), None)
