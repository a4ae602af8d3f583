"""Quantile regressions by SciPy's linear programming, in their primal form, for tests/quantile.rs.

    python make_quantile.py        # writes quantile.json beside this file (made with NumPy 2.4, SciPy 1.17)
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import linprog


def fit(x, y, level):
    """b, u, v >= 0 that minimise level sum u + (1 - level) sum v with X b + u - v = y."""
    n, d = x.shape[0], x.shape[1] + 1
    design = np.hstack([np.ones((n, 1)), x])
    cost = np.concatenate([np.zeros(d), np.full(n, level), np.full(n, 1 - level)])
    equal = np.hstack([design, np.eye(n), -np.eye(n)])
    found = linprog(cost, A_eq=equal, b_eq=y, bounds=[(None, None)] * d + [(0, None)] * (2 * n), method="highs")
    assert found.status == 0
    return found.x[:d]


rng = np.random.default_rng(7)
cases = []
for n, width, level, scale in [(120, 3, 0.9, 1.0), (200, 5, 0.9, 100.0), (150, 2, 0.5, 1e-3)]:
    x = np.float32(rng.normal(scale, scale, (n, width)))
    y = 1.5 + np.float64(x) @ rng.normal(size=width) / scale + rng.normal(size=n) * (1 + rng.random(n))
    b = fit(np.float64(x), y, level)
    cases.append({"width": width, "level": level, "x": x.ravel().tolist(), "y": y.tolist(), "coefficients": b.tolist()})
(Path(__file__).parent / "quantile.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
