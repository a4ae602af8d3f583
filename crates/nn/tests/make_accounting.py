"""Write accounting.json: epsilons and Renyi divergences of the Poisson-subsampled Gaussian mechanism from Google's accountant.

    pip install dp-accounting==0.6.0
    python make_accounting.py           # about a minute of one core, most of it privacy-loss distributions

For sampling probability q, noise multiplier sigma and a number of steps, neighbours by adding or removing one example, delta 1e-5. `grid` has the
epsilon by Renyi accounting at the accountant's default orders (`rdp`) and at the integers 2 to 256 alone (`integer`), each with the order that
gave it, and, for up to 1,000 steps, by privacy-loss distributions (`pld`, an upper bound too). `renyi` has the divergence of one step at integer
orders. At fractional orders the accountant adds its series' terms without the binomials' signs, and drops orders where that does not converge (it
warns): `rdp` with a fractional order is an upper bound of what exact divergences at the same orders give.
"""

import json
import math
from importlib.metadata import version
from pathlib import Path

from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.privacy_accountant import NeighboringRelation
from dp_accounting.rdp import RdpAccountant
from dp_accounting.rdp.rdp_privacy_accountant import DEFAULT_RDP_ORDERS

DELTA = 1e-5
SAMPLING = [0.001, 0.01, 0.04, 0.08, 0.256, 1.0]
NOISE = [0.5, 0.8, 1.0, 2.0, 8.0]
STEPS = [1, 100, 1000, 10000]
INTEGERS = list(range(2, 257))
SHOWN = [2, 3, 5, 16, 64, 256]
PLD_STEPS = 1000
NEIGHBOURS = NeighboringRelation.ADD_OR_REMOVE_ONE


def event(q, sigma, steps):
    return SelfComposedDpEvent(PoissonSampledDpEvent(q, GaussianDpEvent(sigma)), steps)


def renyi(orders, q, sigma, steps):
    accountant = RdpAccountant(orders, NEIGHBOURS)
    return accountant.compose(event(q, sigma, steps))


def finite(x):
    assert math.isfinite(x), x
    return float(x)


def main():
    grid, divergences = [], []
    for q in SAMPLING:
        for sigma in NOISE:
            # `_rdp` is private, but nothing public gives the divergences.
            values = renyi(SHOWN, q, sigma, 1)._rdp
            divergences.append({"q": q, "sigma": sigma, "rdp": [float(v) for v in values]})
            for steps in STEPS:
                row = {"q": q, "sigma": sigma, "steps": steps}
                for name, orders in [("rdp", None), ("integer", INTEGERS)]:
                    epsilon, order = renyi(orders, q, sigma, steps).get_epsilon_and_optimal_order(DELTA)
                    row[name], row[name + "_order"] = finite(epsilon), float(order)
                if steps <= PLD_STEPS:
                    row["pld"] = finite(PLDAccountant(NEIGHBOURS).compose(event(q, sigma, steps)).get_epsilon(DELTA))
                grid.append(row)
    made = {
        "versions": {name: version(name) for name in ["dp-accounting", "numpy", "scipy"]},
        "neighbours": "add or remove one",
        "delta": DELTA,
        "default_orders": [float(a) for a in DEFAULT_RDP_ORDERS],
        "integer_orders": [2, 256],
        "pld_value_discretization_interval": 1e-4,
        "renyi_orders": SHOWN,
        "renyi": divergences,
        "grid": grid,
    }
    lines = []
    for key, value in made.items():
        if key in ("renyi", "grid"):
            rows = ",\n".join("  " + json.dumps(row) for row in value)
            lines.append(f'"{key}": [\n{rows}\n ]')
        else:
            lines.append(f'"{key}": {json.dumps(value)}')
    path = Path(__file__).with_name("accounting.json")
    path.write_text("{\n " + ",\n ".join(lines) + "\n}\n")
    json.loads(path.read_text())


if __name__ == "__main__":
    main()
