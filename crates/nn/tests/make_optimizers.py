"""Make optimizers.safetensors, the optimizers' reference.

A function per optimizer, on all parameters as one vector in nn.Sequential's order. Every run trains NET for ten steps,
on rows 0..8 when t is even, else 8..13. Results are a float64 run's, rounded; inputs are exact.

  x, y, init.<param>        data set and first weights
  grad0                     gradient of step 0, flattened
  loss.<config>             mean cross entropy at w before each update, [10]
  final.<config>.<param>    last weights (swa: the average)
  eps<t>.<config>.<param>   perturbation of step t: 0, for friendly-sam also 1
  esam.mask                 [10, 6], 1 where step t perturbs tensor j
  esam.selected             [10, 8], 1 where the second pass of step t uses row i of its batch
  dp.noise.<param>          [10, *shape], standard normal, before sigma * clip

Metadata: layers, batches, seed, torch; config.<name> is JSON: the parameters, lr and rho by step, f64_final_diff and
f64_loss_diff, a float32 run's largest differences.
"""

import json
import math
from types import SimpleNamespace

import torch
from torch import nn, optim
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from make_fixtures import OUT, write

torch.manual_seed(0)
NET = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 5))
SHAPES = {name: p.shape for name, p in NET.named_parameters()}
SIZES = torch.tensor([shape.numel() for shape in SHAPES.values()])
STEPS, BATCH, BETA = 10, 8, 0.6
INIT = torch.cat([p.detach().flatten() for p in NET.parameters()])
X, Y = torch.randn(13, 20), torch.randint(5, (13,))
MASK = (torch.rand(STEPS, len(SIZES)) < BETA).float()
NOISE = torch.randn(STEPS, len(INIT))

SGD = dict(base="sgd", lr=[0.05] * STEPS, momentum=0.9, weight_decay=5e-4)
FALLING = [0.05 * (1 - t / STEPS) for t in range(STEPS)]
GSAM = dict(SGD, lr=FALLING, lr_min=0.0, lr_max=0.05, rho_min=0.04, rho_max=0.1)
ADAM = dict(base="adam", lr=[0.01] * STEPS, betas=[0.9, 0.999], eps=1e-8, weight_decay=5e-4)
DP = dict(SGD, weight_decay=0.0, clip=1.0, sigma=0.5, expected_batch=6.5)


def each(value):
    return [value] * STEPS


def make(base, method=None, rho=0.0, **more):
    return dict(base, method=method, rho=each(rho), **more)


CONFIGS = {
    "sgd": make(SGD),
    "sam": make(SGD, "mixed", 0.1, alpha=1.0),
    "mixed": make(SGD, "mixed", 0.1, alpha=0.3),
    "wsam-coupled": make(SGD, "mixed", 0.02, alpha=4.0, gamma=0.8),
    "wsam": make(SGD, "wsam", 0.02, alpha=4.0, gamma=0.8),
    "sharpreg": make(SGD, "mixed", 0.1, alpha=-0.3),
    "asam": make(SGD, "asam", 0.5, eta=0.01),
    "asam-all": make(SGD, "asam_all", 2.0),
    "gsam": make(GSAM, "gsam", alpha=0.4) | dict(rho=[0.04 + (0.1 - 0.04) * lr / 0.05 for lr in FALLING]),
    "looksam": make(SGD, "looksam", 0.1, k=3, alpha=0.7),
    "friendly-sam": make(SGD, "friendly", 0.1, sigma=1.0, lam=0.9),
    "esam": make(SGD, "esam", 0.1, beta=BETA, gamma=0.5),
    "m-sam": make(SGD, "m_sam", 0.1, m=3),
    "swa": make(SGD, average_from=5),
    "adam": make(ADAM),
    "adamw": make(ADAM | dict(base="adamw", weight_decay=0.01)),
    "sam-adam": make(ADAM, "mixed", 0.1, alpha=1.0),
    "dp-sgd": make(DP, "dp"),
    "dp-sgd-wide": make(DP | dict(clip=1.9), "dp"),
    "dp-sat": make(DP, "dp", 0.1),
}


def named(v, prefix=""):
    parts = zip(SHAPES.items(), v.split(SIZES.tolist(), -1))
    return {prefix + name: p.reshape(*v.shape[:-1], *shape) for (name, shape), p in parts}


def losses(w, x, y):
    return cross_entropy(functional_call(NET, named(w), x), y, reduction="none")


def gradient(w, x, y):
    w = w.detach().requires_grad_()
    return torch.autograd.grad(losses(w, x, y).mean(), w)[0]


def dot(a, b):
    return float(a.double() @ b.double())


def norm(a):
    return dot(a, a) ** 0.5


def towards(d, rho):
    return (d.double() * (rho / (norm(d) + 1e-12))).to(d.dtype)


# An optimizer gets step s and returns the base optimizer's gradient. At rho = 0 only these run; dp with a radius is DP-SAT.
ALWAYS = {"dp"}


def ascended(s, move=None):
    s.move = towards(s.g, s.rho) if move is None else move
    return gradient(s.w + s.move, s.x, s.y)


def mixed(s):
    return (1 - s.alpha) * s.g + s.alpha * ascended(s)


def wsam(s):
    s.after = s.alpha * (ascended(s) - s.g)
    return s.g


def asam(s):
    matrix = torch.tensor([len(shape) > 1 for shape in SHAPES.values()]).repeat_interleave(SIZES)
    size = torch.where(matrix, s.w.abs() + s.eta, 1.0)
    return ascended(s, size * towards(size * s.g, s.rho))


def asam_all(s):
    size = s.w.abs()
    return ascended(s, size * towards(size * s.g, s.rho))


def gsam(s):
    gs = ascended(s)
    return gs - s.alpha * (s.g - dot(s.g, gs) / dot(gs, gs) * gs)


def looksam(s):
    if s.t % s.k == 0:
        gs, unit = ascended(s), towards(s.g, 1.0)
        v = gs - dot(gs, unit) * unit
        s.kept["v"] = v if norm(v) > 1e-6 * norm(gs) else None
        return gs
    v = s.kept["v"]
    return s.g if v is None else s.g + s.alpha * norm(s.g) / norm(v) * v


def friendly(s):
    m = s.kept.get("m")
    s.kept["m"] = s.g if m is None else s.lam * m + (1 - s.lam) * s.g
    return ascended(s, towards(s.g if m is None else s.g - s.sigma * m, s.rho))


def esam(s):
    eps = MASK[s.t].repeat_interleave(SIZES).to(s.g.dtype) * towards(s.g, s.rho) / s.beta
    rise = (losses(s.w + eps, s.x, s.y) - losses(s.w, s.x, s.y)).tolist()
    order = sorted(range(len(rise)), key=lambda i: -rise[i])  # stable
    s.chosen = sorted(order[: math.ceil(s.gamma * len(rise))])
    s.x, s.y = s.x[s.chosen], s.y[s.chosen]
    return ascended(s, eps)


def m_sam(s):
    total = 0.0
    for x, y in zip(s.x.split(s.m), s.y.split(s.m)):
        w = s.w + towards(gradient(s.w, x, y), s.rho)
        total = total + len(y) / len(s.y) * gradient(w, x, y)
    return total


def dp(s):
    w = s.w + towards(s.kept["noisy"], s.rho) if s.kept else s.w
    total = s.sigma * s.clip * NOISE[s.t].to(w.dtype)
    for x, y in zip(s.x.split(1), s.y.split(1)):
        g = gradient(w, x, y)
        total = total + g * min(1.0, s.clip / max(norm(g), 1e-12))
    s.kept["noisy"] = total / s.expected_batch
    return s.kept["noisy"]


def base_step(s, d, lr, kept):
    w = s.w
    if s.base == "adamw":
        w = w - lr * s.weight_decay * w
    else:
        d = d + s.weight_decay * w
    if s.base == "sgd":
        kept["b"] = s.momentum * kept["b"] + d if s.t else d
        return w - lr * kept["b"]
    b1, b2 = s.betas
    m = kept["m"] = b1 * kept.get("m", 0.0) + (1 - b1) * d
    v = kept["v"] = b2 * kept.get("v", 0.0) + (1 - b2) * d * d
    return w - lr * m / (1 - b1 ** (s.t + 1)) / ((v / (1 - b2 ** (s.t + 1))).sqrt() + s.eps)


def batch(t, dtype):
    return X.to(dtype).split(BATCH)[t % 2], Y.split(BATCH)[t % 2]


def train(c, dtype):
    w, kept, base, steps, average = INIT.to(dtype), {}, {}, [], []
    for t, (lr, rho) in enumerate(zip(c["lr"], c["rho"])):
        x, y = batch(t, dtype)
        s = SimpleNamespace(**c | dict(t=t, w=w, x=x, y=y, g=gradient(w, x, y), rho=rho, kept=kept, after=0.0))
        d = globals()[s.method](s) if rho or s.method in ALWAYS else s.g
        w = base_step(s, d, lr, base) - lr * s.after
        steps.append(s)
        average += [w] * (t >= c.get("average_from", STEPS - 1))
    loss = torch.stack([losses(s.w, *batch(s.t, dtype)).mean() for s in steps])
    return {"final": sum(average) / len(average), "loss": loss}, steps


def gap(a, b):
    return float((a - b).abs().max())


def check(dtype):
    """Identities, to the bit where a gap is 0."""

    def final(name, **changes):
        return train(CONFIGS[name] | changes, dtype)[0]["final"]

    small, sam, at = 1e-6 if dtype == torch.float32 else 1e-14, final("sam"), each(0.1)
    for name, c in CONFIGS.items():
        plain = final(name, rho=each(0.0), method=c["method"] if c["method"] in ALWAYS else None)
        assert gap(final(name, rho=each(0.0)), plain) == 0
        if c["method"] and name not in ("looksam", "esam"):
            assert gap(final(name, rho=each(1e-9)), plain) < 1e-6
    assert gap(final("gsam", alpha=0.0, rho=at, lr=each(0.05)), sam) == 0
    assert gap(final("looksam", k=1), sam) == gap(final("friendly-sam", sigma=0.0), sam) == 0
    assert gap(final("m-sam", m=BATCH), sam) == gap(final("wsam-coupled", alpha=1.0, rho=at), sam) == 0
    assert gap(final("wsam", alpha=1.0, rho=at, momentum=0.0), final("sam", momentum=0.0)) < small
    for name, kind, more in (("sgd", optim.SGD, {"momentum": 0.9}), ("adam", optim.Adam, {}), ("adamw", optim.AdamW, {})):
        w, c = nn.Parameter(INIT.to(dtype, copy=True)), CONFIGS[name]
        optimizer = kind([w], lr=c["lr"][0], weight_decay=c["weight_decay"], **more)
        for t in range(STEPS):
            w.grad = gradient(w, *batch(t, dtype))
            optimizer.step()
        assert gap(w.detach(), final(name)) < small


def main():
    torch.set_num_threads(1)
    tensors = {"x": X, "y": Y, "esam.mask": MASK} | named(INIT, "init.") | named(NOISE, "dp.noise.")
    meta = {"layers": "linear 20 16;relu;linear 16 12;tanh;linear 12 5", "batches": "8,5", "seed": "0"}
    meta["torch"] = torch.__version__.split("+")[0]
    check(torch.float32)
    check(torch.float64)
    for config, c in CONFIGS.items():
        single, (double, steps) = train(c, torch.float32)[0], train(c, torch.float64)
        gaps = {f"f64_{k}_diff": gap(single[k], double[k]) for k in double}
        assert max(gaps.values()) < 3e-5, config
        tensors |= named(double["final"], f"final.{config}.") | {f"loss.{config}": double["loss"]}
        for s in steps[: 1 + (config == "friendly-sam")]:
            tensors |= named(s.move, f"eps{s.t}.{config}.") if hasattr(s, "move") else {}
        if config == "esam":
            tensors["esam.selected"] = torch.tensor([[i in s.chosen for i in range(BATCH)] for s in steps])
        tensors["grad0"] = steps[0].g
        meta[f"config.{config}"] = json.dumps(c | gaps)
        print(config, gaps)
    write(OUT.parent / "optimizers.safetensors", {k: v if k == "y" else v.float() for k, v in tensors.items()}, meta)


if __name__ == "__main__":
    main()
