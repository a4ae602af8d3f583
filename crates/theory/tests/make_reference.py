"""Write reference.json: values of NumPy and SciPy that the tests of this crate compare with.

Run: python3 make_reference.py (made with SciPy 1.17, NumPy 2.4).
Every value takes the plain route: null-space bases, refits without an example, quadrature, dense search.
Closed forms appear only inside assertions.
"""

import json
from pathlib import Path

import numpy as np
from scipy import integrate, linalg, optimize, special, stats

ETAS = [0.0, 0.1, 1.0, 10.0, 100.0]
STEPS = np.array([0, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 20, 40])
STEPS = np.concatenate([-STEPS[:0:-1], STEPS])


def close(a, b, tolerance=1e-9):
    """Assert agreement, relative to the largest entry where that exceeds 1."""
    a, b = np.asarray(a), np.asarray(b)
    gap, size = np.abs(a - b).max(initial=0), max(1.0, np.abs(b).max(initial=0))
    assert gap <= tolerance * size, (gap, a, b)


def panels(f, points):
    """The integral of f between the least and the greatest of the points, panel by panel."""
    points = np.unique(points)
    # Panels of a few units in the last place upset the quadrature.
    points = points[np.append(True, np.diff(points) > 1e-13 * np.abs(points).max())]
    return sum(
        integrate.quad(f, low, high, epsabs=1e-15, epsrel=1e-12, limit=200)[0] for low, high in zip(points, points[1:])
    )


def roots(f, grid):
    """The sign changes of f that a dense grid shows, refined."""
    grid = np.unique(grid)
    values = f(grid)
    hits = np.flatnonzero(values[:-1] * values[1:] < 0)
    found = [optimize.brentq(f, grid[i], grid[i + 1], xtol=1e-300, rtol=1e-15) for i in hits]
    return np.array(found + grid[values == 0].tolist())


def maximum(f, grid, count=20):
    """The greatest value of f, by a dense grid and a bounded search around its best points."""
    grid = np.unique(grid)
    values = f(grid)
    best = values.max()
    for i in np.argsort(values)[-count:]:
        low, high = grid[max(i - 1, 0)], grid[min(i + 1, grid.size - 1)]
        # Over the share of the way, since the search stops at a step relative to its variable.
        loss = lambda share: -float(f(np.array([low + share * (high - low)]))[0])
        found = optimize.minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-10})
        best = max(best, -found.fun)
    return float(best)


# Least-norm fits


def null_basis(x):
    return linalg.null_space(x) if x.shape[0] else np.eye(x.shape[1])


def interpolate(x, y, g):
    """argmin w'Gw subject to Xw = y: a particular solution and a step in the null space of X."""
    n, d = x.shape
    particular = linalg.lstsq(x, y)[0] if n else np.zeros(d)
    z = null_basis(x)
    c = linalg.solve(z.T @ g @ z, -z.T @ g @ particular)
    w = particular + z @ c
    close(x @ w, y, 1e-10)
    close(z.T @ g @ w / np.abs(g).max(), np.zeros(z.shape[1]), 1e-10)
    return w


def ridge_fit(x, y, g, penalty):
    """argmin |Xw - y|^2 + penalty w'Gw by the normal equations."""
    return linalg.solve(x.T @ x + penalty * g, x.T @ y)


def refits(fit, x, y):
    """The fit to all examples, and the fits without each."""
    keep = [np.arange(y.size) != i for i in range(y.size)]
    return fit(x, y), [fit(x[k], y[k]) for k in keep]


def check_leave_one_out(x, y, g, penalty, queries, mem, influence):
    """Against the formula of one factorisation, with explicit inverses."""
    inverse = np.linalg.inv(g)
    k = x @ inverse @ x.T
    m = np.linalg.inv(k + penalty * np.eye(y.size))
    a, diagonal = m @ y, np.diag(m)
    close(mem, y * a * (1 / diagonal - penalty))
    close(influence, (queries @ inverse @ x.T @ m) * (a / diagonal))


def path(kind, x, y, sigma, queries):
    n, d = x.shape
    eye, z = np.eye(d), null_basis(x)
    eigenvalues = np.linalg.eigvalsh(sigma)
    assert np.array_equal(sigma, sigma.T) and eigenvalues[0] > -1e-12
    definite = eigenvalues[0] > 1e-6
    out = {"kind": kind, "x": x.tolist(), "y": y.tolist(), "sigma": sigma.tolist(), "etas": ETAS}
    ws, vs, slopes, mems, influences = [], [], [], [], []
    for eta in ETAS:
        g = eye + eta * sigma
        w, without = refits(lambda a, b: interpolate(a, b, g), x, y)
        s = z.T @ sigma @ w
        slope = -2 * s @ np.linalg.inv(z.T @ g @ z) @ s
        mem = [y[i] * (y[i] - x[i] @ without[i]) for i in range(n)]
        influence = [[q @ w - q @ without[i] for i in range(n)] for q in queries]
        check_leave_one_out(x, y, g, 0.0, queries, mem, influence)
        # w by explicit inverses; the slope by a complex step and by the form without a null-space basis.
        inverse = np.linalg.inv(g)
        k = x @ inverse @ x.T
        close(w, inverse @ x.T @ np.linalg.inv(k) @ y)
        stepped = eye + (eta + 1e-30j) * sigma
        w_step = w + z @ np.linalg.solve(z.T @ stepped @ z, -z.T @ stepped @ w)
        close(slope, (w_step @ sigma @ w_step).imag / 1e-30)
        b = sigma @ w
        close(slope, -2 * (b @ inverse @ b - b @ inverse @ x.T @ np.linalg.inv(k) @ x @ inverse @ b))
        ws.append(w.tolist())
        vs.append(float(w @ sigma @ w))
        slopes.append(float(slope))
        mems.append([float(v) for v in mem])
        influences.append([[float(v) for v in row] for row in influence])
    limit = None
    if definite:
        w = interpolate(x, y, sigma)
        limit = float(w @ sigma @ w)
        close(limit, y @ np.linalg.inv(x @ np.linalg.inv(sigma) @ x.T) @ y)
        far = interpolate(x, y, eye + 1e9 * sigma)
        close(limit, far @ sigma @ far, 1e-6)
        assert all(v >= limit - 1e-9 for v in vs)
    flat = kind.startswith("flat")
    assert all(later < earlier or flat for earlier, later in zip(vs, vs[1:]))
    if flat:
        close(vs, [vs[0]] * len(vs))
        close(slopes, [0.0] * len(vs))

    penalty, eta = 0.3, 1.0
    g = eye + eta * sigma
    w, without = refits(lambda a, b: ridge_fit(a, b, g, penalty), x, y)
    close(2 * x.T @ (x @ w - y) + 2 * penalty * g @ w, np.zeros(d))
    mem = [float(y[i] * (x[i] @ w - x[i] @ without[i])) for i in range(n)]
    influence = [[float(q @ w - q @ without[i]) for i in range(n)] for q in queries]
    check_leave_one_out(x, y, g, penalty, queries, mem, influence)
    ridge = {"lambda": penalty, "eta": eta, "w": w.tolist(), "mem": mem, "influence": influence}
    return out | {
        "w": ws,
        "v": vs,
        "slope": slopes,
        "v_limit": limit,
        "mem": mems,
        "queries": queries.tolist(),
        "influence": influences,
        "ridge": ridge,
    }


def symmetric(a):
    return (a + a.T) / 2


def rotated(rng, values):
    q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return symmetric((q * values) @ q.T)


def draw(rng, rows, sigma):
    """Rows of N(0, sigma), or of N(0, I) where sigma is singular, to three digits."""
    root = linalg.sqrtm(sigma).real if np.linalg.eigvalsh(sigma)[0] > 1e-9 else np.eye(len(sigma))
    return np.round(rng.normal(size=(rows, len(sigma))) @ root, 3)


def signs(rng, n):
    y = rng.choice([-1.0, 1.0], n)
    y[: min(n, 2)] = [1.0, -1.0][: min(n, 2)]
    return y


def paths():
    rng = np.random.default_rng(81)
    power = lambda d, p: np.round(np.arange(1, d + 1.0) ** -p, 4)
    spikes = lambda d: np.concatenate([[9.0, 6.0, 4.0], np.full(d - 3, 0.25)])
    a = rng.normal(size=(20, 24))
    cases = [
        ("power law, diagonal", 6, np.diag(power(15, 1.0)), False),
        ("power law, rotated", 10, rotated(rng, power(30, 1.2)), False),
        ("spiked, rotated", 6, rotated(rng, spikes(15)), False),
        ("spiked, diagonal", 10, np.diag(spikes(30)), False),
        ("general, real labels", 8, symmetric(a @ a.T / 24), True),
        ("singular, diagonal", 6, np.diag(np.concatenate([power(10, 0.5), np.zeros(5)])), False),
        ("one example", 1, rotated(rng, power(4, 1.0)), False),
        ("flat: multiple of I", 6, 2.5 * np.eye(15), False),
    ]
    out = []
    for kind, n, sigma, real in cases:
        x, queries = draw(rng, n, sigma), draw(rng, 3, sigma)
        y = np.round(rng.normal(size=n), 3) if real else signs(rng, n)
        out.append(path(kind, x, y, sigma, queries))
    x, queries = draw(rng, 6, np.eye(15)), draw(rng, 3, np.eye(15))
    out.append(path("flat: X'X/n", x, signs(rng, 6), symmetric(x.T @ x / 6), queries))
    return out


def general():
    rng = np.random.default_rng(82)
    out = []
    for n, d, real in [(4, 9, False), (6, 15, True), (9, 12, False)]:
        a = rng.normal(size=(d, d + 3))
        g = symmetric(a @ a.T / d) + 0.05 * np.eye(d)
        x = np.round(rng.normal(size=(n, d)), 3)
        y = np.round(rng.normal(size=n), 3) if real else signs(rng, n)
        w, inverse = interpolate(x, y, g), np.linalg.inv(g)
        close(w, inverse @ x.T @ np.linalg.inv(x @ inverse @ x.T) @ y)
        out.append({"x": x.tolist(), "y": y.tolist(), "g": g.tolist(), "w": w.tolist()})
    return out


# Two normals


def parameters():
    """(m, tau, mu, sigma): member and non-member."""
    rng = np.random.default_rng(83)
    fixed = [(1.0, 0.1, 0.0, s) for s in [0.2, 0.6, 1.0, 4.0]]
    fixed += [
        (1.0, 1.0, 0.0, 1.0),
        (0.0, 1.0, 1.0, 1.0),
        (0.5, 0.7, 0.5, 0.7),
        (1.0, 1e-6, 0.3, 0.8),
        (1.0, 1e-3, 0.0, 1.0),
        (1.0, 1e-3, 1.0, 1.0),
        (0.0, 2.0, 0.0, 1.0),
        (0.0, 1.0, 0.0, 2.0),
        (-2.0, 2.0, 0.0, 1.0),
        (-2.0, 1.0, 0.0, 2.0),
        (-4.0, 1.5, 0.0, 1.0),
        (3.0, 0.5, 0.0, 0.5),
        (6.0, 1.0, 0.0, 1.0),
        (1.0, 0.5, 0.9, 0.51),
    ]
    drawn = [np.round([rng.normal(1, 1), 10 ** rng.uniform(-2, 0.5), rng.normal(0, 1), 10 ** rng.uniform(-1, 1)], 4) for _ in range(22)]
    return fixed + [tuple(p.tolist()) for p in drawn]


def extremes():
    return [
        # Nearly equal deviations, where the two crossings as a quotient lose their digits.
        (0.937, 0.37, 0.1, 0.37 * (1 + 1e-6)),
        (0.937, 0.37, 0.1, 0.37 * (1 + 1e-11)),
        (0.937, 0.37, 0.1, 0.37 * (1 + 1e-13)),
        (0.937, 0.37, 0.1, 0.37 * (1 + 1e-15)),
        (0.9, 1.3, -0.2, 1.3 * (1 - 1e-14)),
        (0.0, 0.5, 0.0, 0.5 * (1 + 1e-4)),
        (0.0, 0.5, 0.0, 0.5 * (1 + 1e-8)),
        (1e-5, 1.0, 0.0, 1.0),
        (1.0, 1e-8, 0.0, 1.0),
        (1.0, 1e-5, 0.0, 1e3),
        (0.0, 1e3, 1.0, 1e-5),
        (60.0, 1.0, 0.0, 1.0),
        (60.0, 0.01, 0.0, 3.0),
        (-1e6, 1.0, 1e6, 2.0),
    ]


def grid_of(m, tau, mu, sigma):
    u = np.linspace(-40, 40, 16_001)
    return np.concatenate([m + tau * u, mu + sigma * u])


def one_sided():
    out = []
    for m, tau, mu, sigma in parameters():

        def gain(z):
            member, other = (z - m) / tau, (z - mu) / sigma
            upper, lower = special.ndtr(-member) - special.ndtr(-other), special.ndtr(other) - special.ndtr(member)
            # The same difference; the second form keeps its digits in the lower tails.
            return np.where((member < 0) & (other < 0), lower, upper)

        value = max(0.0, maximum(gain, grid_of(m, tau, mu, sigma)))
        # At the best threshold the densities are equal.
        log_ratio = lambda z: stats.norm.logpdf(z, m, tau) - stats.norm.logpdf(z, mu, sigma)
        crossings = roots(log_ratio, grid_of(m, tau, mu, sigma))
        close(value, max([0.0, *gain(crossings)]), 1e-13)
        assert value <= total_variation(m, tau, mu, sigma) + 1e-11
        out.append({"m": m, "tau": tau, "mu": mu, "sigma": sigma, "advantage": value})
    # Member scores at exactly 1: Phi((1 - mu) / sigma).
    close(out[7]["advantage"], special.ndtr(0.7 / 0.8), 1e-5)
    return out


def total_variation(m, tau, mu, sigma):
    """Half the integral of the absolute difference of two normal densities, in units of the narrower one."""
    if tau > sigma:
        return total_variation(mu, sigma, m, tau)
    m, tau, mu, sigma, excess = 0.0, 1.0, (mu - m) / tau, sigma / tau, (sigma - tau) / tau

    def log_ratio(u):
        # ((u - mu) / sigma)^2 / 2 - u^2 / 2 + log(sigma), in a form that keeps its digits where sigma is nearly 1
        v = (u - mu) / sigma
        return -(u * excess + mu) / sigma * (v + u) / 2 + np.log1p(excess)

    def gap(u):
        # |p - q| = max(p, q) (1 - min(p, q) / max(p, q))
        return -max(stats_pdf(u, m, tau), stats_pdf(u, mu, sigma)) * np.expm1(-abs(log_ratio(u)))

    some = np.array([-3.0, 0.2, 1.7])
    close(log_ratio(some), stats.norm.logpdf(some) - stats.norm.logpdf(some, mu, sigma), 1e-9)
    crossings = roots(log_ratio, grid_of(m, tau, mu, sigma)) if excess or mu else np.array([])
    points = np.concatenate([m + tau * STEPS, mu + sigma * STEPS, crossings])
    value = panels(lambda u: gap(u) / 2, points)
    edges = np.concatenate([[-np.inf], np.sort(crossings), [np.inf]])
    gaps = np.diff(special.ndtr((edges - m) / tau)) - np.diff(special.ndtr((edges - mu) / sigma))
    close(value, np.abs(gaps).sum() / 2, 1e-11)
    return float(value)


def stats_pdf(z, mean, deviation):
    u = (z - mean) / deviation
    return np.exp(-u * u / 2) / (deviation * np.sqrt(2 * np.pi))


def likelihood_ratio():
    out = []
    for m, tau, mu, sigma in parameters() + extremes():
        value = total_variation(m, tau, mu, sigma)
        if tau == sigma:
            close(value, 2 * special.ndtr(abs(m - mu) / (2 * sigma)) - 1, 1e-11)
        elif abs(sigma / tau - 1) > 1e-7:
            difference, variance = m - mu, sigma**2 - tau**2
            root = sigma * tau * np.sqrt(difference**2 + 2 * variance * np.log(sigma / tau))
            low, high = sorted([(m * sigma**2 - mu * tau**2 + s * root) / variance for s in [-1, 1]])
            inside = special.ndtr((high - m) / tau) - special.ndtr((low - m) / tau)
            outside = special.ndtr((high - mu) / sigma) - special.ndtr((low - mu) / sigma)
            close(value, abs(inside - outside))
        out.append({"m": m, "tau": tau, "mu": mu, "sigma": sigma, "advantage": value})
    close([v["advantage"] for v in out[:4]], [0.999, 0.904, 0.868, 0.941], 6e-4)
    return out


def zero_mean():
    out = []
    pairs = [(1, 1), (1, 2), (2, 1), (0.5, 0.3), (0.3, 0.5), (1, 10), (10, 1), (1, 1.001), (1.001, 1), (1, 1 + 1e-7), (1e-3, 1), (5, 4)]
    for s0, s1 in pairs:
        s0, s1 = float(s0), float(s1)
        value = total_variation(0.0, s1, 0.0, s0)
        if s0 != s1:
            t = np.sqrt(2 * s0**2 * s1**2 * np.log(s1 / s0) / (s1**2 - s0**2))
            close(value, 2 * abs(special.ndtr(t / s0) - special.ndtr(t / s1)))
        out.append({"s0": s0, "s1": s1, "advantage": value})
    return out


# Owen's T and the skew normal


def owens_t():
    pairs = [(h, a) for h in [0.0, 1e-3, 0.5, 2.0, 6.0, 12.0] for a in [0.0, 0.1, 0.5, 0.9, 1.0, 1.5, 5.0, 50.0, 1e6]]
    pairs += [(-0.5, 0.9), (0.5, -0.9), (-0.5, -0.9), (-2.0, 5.0), (2.0, -5.0), (-6.0, -0.1), (-1e-3, 1e6), (0.0, -50.0)]
    out = []
    for h, a in pairs:
        t = float(special.owens_t(h, a))
        # The defining integral, with x = tan(angle).
        end = np.arctan(abs(a))
        integral = panels(lambda v: np.exp(-h * h / (2 * np.cos(v) ** 2)), end * np.linspace(0, 1, 33)) / (2 * np.pi)
        assert abs(t - np.copysign(integral, a) * (a != 0)) <= 1e-15 + 1e-12 * integral, (h, a, t, integral)
        if h >= 6 and integral:
            scaled = panels(lambda v: np.exp(-h * h * np.tan(v) ** 2 / 2), end * np.linspace(0, 1, 65)) / (2 * np.pi)
            assert abs(abs(t) / (scaled * np.exp(-h * h / 2)) - 1) < 1e-11, (h, a, t)
        out.append({"h": h, "a": a, "t": t})
    return out


def skew_log_pdf(u, shape):
    return np.log(2) - u * u / 2 - np.log(2 * np.pi) / 2 + special.log_ndtr(shape * u)


def skew_lower(u, shape):
    """P(U <= u) of the standard skew normal by quadrature, with panels that grow away from u."""
    scale = 1 / ((1 + shape * shape) * (1 + abs(u)))
    steps = np.concatenate([[0], scale * 2.0 ** np.arange(0, 30)])
    kinks = np.concatenate([STEPS, STEPS / max(1.0, abs(shape))])
    points = np.concatenate([u - steps[steps < 45], kinks[kinks < u]])
    density = lambda v: np.exp(skew_log_pdf(v, shape))
    points = np.unique(points)
    return sum(integrate.quad(density, a, b, epsabs=0, epsrel=1e-12, limit=200)[0] for a, b in zip(points, points[1:]))


def skew_normal():
    out = []
    for i, shape in enumerate([-20.0, -5.0, -1.0, -0.3, 0.0, 0.2, 1.0, 2.5, 8.0, 20.0]):
        location, scale = [0.0, 0.7, -1.5][i % 3], [1.0, 0.35, 2.0, 0.08][i % 4]
        kinks = np.concatenate([STEPS, STEPS / max(1.0, abs(shape))])
        moment = lambda f: panels(lambda u: f(u) * np.exp(skew_log_pdf(u, shape)), kinks)
        first = moment(lambda u: u)
        mean, variance = location + scale * first, scale**2 * moment(lambda u: (u - first) ** 2)
        close([mean, variance], stats.skewnorm.stats(shape, location, scale, moments="mv"), 1e-11)
        # A tail on either side, then the bulk.
        for u in [[-1.2, -3.0, -7.0][i % 3], -0.3, 0.45, [1.3, 3.5, 6.5][(i + 1) % 3]]:
            z = round(location + scale * u, 6)
            u = (z - location) / scale
            lower, upper = skew_lower(u, shape), skew_lower(-u, -shape)
            close(lower + upper, 1, 1e-12)
            cdf = lower if lower < 0.5 else 1 - upper
            pdf = np.exp(skew_log_pdf(u, shape)) / scale
            close(cdf, special.ndtr(u) - 2 * special.owens_t(u, shape), 1e-12)
            close(pdf * scale, stats.skewnorm.pdf(z, shape, location, scale) * scale, 1e-12)
            assert cdf == 0 or cdf > 1e-300
            out.append(
                {"location": location, "scale": scale, "shape": shape, "z": z}
                | {"cdf": float(cdf), "pdf": float(pdf), "mean": float(mean), "variance": float(variance)}
            )
    return out


# The signed margin of a linear teacher


def normal_density(u):
    return np.exp(-u * u / 2) / np.sqrt(2 * np.pi)


def margin_case(rng, w, theta, sigma_diag, noise):
    w, theta, spread = np.array(w), np.array(theta), np.array(sigma_diag)
    # f = w'x and t = theta'x + noise e are jointly normal: t = c u, f = a u + b v with u and v standard.
    covariance = np.array([[w @ (spread * w), w @ (spread * theta)], [w @ (spread * theta), theta @ (spread * theta) + noise**2]])
    c = np.sqrt(covariance[1, 1])
    a = covariance[0, 1] / c
    b = np.sqrt(max(0.0, covariance[0, 0] - a * a))
    margin_of = lambda u, v: np.sign(u) * (a * u + b * v)

    # Both moments over the plane, one half-plane of the class at a time, by product Gauss-Legendre panels.
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(-14, 14, 29)
    at = (edges[:-1, None] + (nodes + 1) / 2).ravel()
    mass = np.tile(weights / 2, 28) * normal_density(at)
    plane = margin_of(at[:, None], at[None, :])
    mean, second = mass @ plane @ mass, mass @ plane**2 @ mass
    adaptive = sum(
        integrate.dblquad(lambda v, u: margin_of(u, v) * normal_density(u) * normal_density(v), *half, -10, 10, epsabs=1e-11)[0]
        for half in [(-10, 0), (0, 10)]
    )
    close(mean, adaptive, 1e-10)

    def below(z):
        """P(margin <= z): over u, the chance that v lies on the right side."""
        if b == 0:
            inside = lambda u: float(np.sign(u) * a * u <= z) * normal_density(u)
            kinks = [0.0, z / a, -z / a]
        else:
            # class +: a u + b v <= z; class -: a u + b v >= -z
            inside = lambda u: (special.ndtr((z - a * u) / b) if u > 0 else special.ndtr((z + a * u) / b)) * normal_density(u)
            kinks = [0.0]
            if a != 0:
                kinks += [(side * z + k * b) / a for side in [-1, 1] for k in STEPS]
        points = np.concatenate([STEPS, kinks])
        return float(panels(inside, points[np.abs(points) <= 40]))

    error = below(0.0)
    zs = np.round(mean + np.sqrt(second - mean**2) * np.array([-2.5, -1.0, 0.1, 0.8, 2.2]), 3)
    cdf = [[float(z), below(z)] for z in zs]

    # The law is skew normal with scale sqrt(w'Sigma w); its moments and orthant probability.
    scale = np.sqrt(covariance[0, 0])
    delta = covariance[0, 1] / (scale * c)
    close([mean, second, error], [scale * delta * np.sqrt(2 / np.pi), scale**2, np.arccos(delta) / np.pi], 1e-10)
    if b > 0:
        shape = a / b
        close([p for _, p in cdf], special.ndtr(zs / scale) - 2 * special.owens_t(zs / scale, shape), 1e-10)
    # The stated model itself, by simulation.
    x = rng.normal(size=(200_000, w.size)) * np.sqrt(spread)
    z = np.sign(x @ theta + noise * rng.normal(size=200_000)) * (x @ w)
    close([z.mean() / scale, (z**2).mean() / scale**2, (z < 0).mean()], [mean / scale, second / scale**2, error], 0.02)
    close([(z <= cut).mean() for cut in zs], [p for _, p in cdf], 0.01)
    out = {"w": w.tolist(), "theta": theta.tolist(), "sigma_diag": spread.tolist(), "noise": noise}
    return out | {"mean": float(mean), "second_moment": float(second), "error": error, "cdf": cdf}


def margin():
    rng = np.random.default_rng(84)
    cases = [
        ([1.0, 0.5], [1.0, 1.0], [1.0, 0.5], 0.5),
        ([0.3, -0.2, 0.1], [1.0, 0.5, -1.0], [2.0, 1.0, 0.5], 0.0),
        ([1.0, 0.0], [0.0, 1.0], [1.0, 1.0], 0.3),
        ([-1.0, 0.2], [1.0, 0.4], [1.0, 2.0], 0.2),
        ([0.5, 1.0, 0.25], [0.5, 1.0, 0.25], [1.0, 0.5, 0.25], 0.01),
        ([0.5, 1.0, 0.25], [0.5, 1.0, 0.25], [1.0, 0.5, 0.25], 5.0),
    ]
    for d, noise in [(3, 0.0), (5, 0.4), (8, 1.0)]:
        theta = rng.normal(size=d)
        w = np.round(0.4 * theta + 0.3 * rng.normal(size=d), 3)
        cases.append((w.tolist(), np.round(theta, 3).tolist(), np.round(np.arange(1, d + 1.0) ** -1, 4).tolist(), noise))
    # The limit of perfect alignment, a half normal (infinite shape), comes last.
    cases.append(([1.0, 0.0], [1.0, 0.0], [1.0, 1.0], 0.0))
    return [margin_case(rng, *case) for case in cases]


def margin_tv_case(components, m, tau):
    density = lambda z: sum(p * np.exp(skew_log_pdf((z - l) / s, k)) / s for p, l, s, k in components)
    mixture = lambda z: sum(p * (special.ndtr((z - l) / s) - 2 * special.owens_t((z - l) / s, k)) for p, l, s, k in components)
    gain = lambda z: special.ndtr((m - z) / tau) - (1 - mixture(z))
    u = np.linspace(-12, 12, 8_001)
    grid = np.concatenate([m + tau * u] + [l + s * u / r for _, l, s, k in components for r in (1, max(1.0, abs(k)))])
    one = max(0.0, maximum(gain, grid))

    difference = lambda z: stats_pdf(z, m, tau) - density(z)
    # Where both densities underflow, or are negligible, a crossing has no mass around it.
    crossings = np.sort([z for z in roots(difference, grid) if density(z) > 1e-40])
    kinks = [l + s * STEPS / r for _, l, s, k in components for r in (1, max(1.0, abs(k)))]
    points = np.concatenate([m + tau * STEPS, crossings, *kinks])
    total = panels(lambda z: abs(difference(z)) / 2, points)
    edges = np.concatenate([[-np.inf], crossings, [np.inf]])
    above = np.concatenate([[0.0], gain(crossings), [0.0]])
    close(total, np.abs(np.diff(above)).sum() / 2, 1e-10)
    assert len(edges) == len(above)
    close(one, max(0.0, *above), 1e-11)
    assert one <= total + 1e-11
    # The same supremum with the mixture's tail by quadrature.
    tail = lambda z: sum(p * skew_lower((l - z) / s, -k) for p, l, s, k in components)
    close(one, max(0.0, *[special.ndtr((m - z) / tau) - tail(z) for z in crossings]), 1e-11)
    named = [{"weight": p, "location": l, "scale": s, "shape": k} for p, l, s, k in components]
    return {"components": named, "m": m, "tau": tau, "one_sided": one, "total_variation": float(total)}


def margin_tv():
    cases = [
        ([(1.0, 0.0, 1.0, 0.0)], 1.0, 0.1),
        ([(1.0, 0.0, 0.8, 1.5)], 1.0, 0.05),
        ([(1.0, 0.0, 0.8, 1.5)], 1.0, 0.3),
        ([(1.0, 0.0, 0.5, 20.0)], 1.0, 1.0),
        ([(1.0, 0.0, 1.2, -2.0)], 0.5, 0.25),
        ([(1.0, 2.0, 0.5, 3.0)], 1.0, 0.5),
        ([(0.9, 0.0, 0.7, 2.0), (0.1, 0.0, 0.7, -2.0)], 1.0, 0.1),
        ([(0.5, -1.0, 0.2, 0.0), (0.5, 2.5, 0.3, 1.0)], 1.0, 1.0),
        ([(0.25, 0.8, 0.3, 4.0), (0.75, 0.1, 1.0, 0.5)], 1.0, 0.6),
        ([(0.5, -0.4, 0.4, 5.0), (0.25, 0.0, 1.5, 0.0), (0.25, 1.6, 0.3, -6.0)], 1.0, 0.2),
        ([(0.5, -0.4, 0.4, 5.0), (0.25, 0.0, 1.5, 0.0), (0.25, 1.6, 0.3, -6.0)], -1.0, 0.8),
    ]
    out = [margin_tv_case(*case) for case in cases]
    close(out[0]["total_variation"], total_variation(1.0, 0.1, 0.0, 1.0), 1e-11)
    return out


makers = [paths, general, one_sided, likelihood_ratio, zero_mean, owens_t, skew_normal, margin, margin_tv]
reference = {make.__name__: make() for make in makers}
with open(Path(__file__).with_name("reference.json"), "w", encoding="utf-8") as file:
    json.dump(reference, file, separators=(",", ":"), allow_nan=False)
    file.write("\n")
