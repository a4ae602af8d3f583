"""Write fixtures/presets.json: every preset at full width in PyTorch, and the layers that no preset has.

    python make_presets.py LAYERS.json      # needs torch; one thread, float32

LAYERS.json is what `cargo run --release -p flatleak-nn --example layer_lists` prints: name, input shape and layer texts. Weights and data are not
stored but generated, on both sides, from splitmix64 of (tensor name's CRC-32, element): see `uniform`. Stored are losses, logits after the last
step in evaluation mode, and of every tensor's first gradient (SAM: at the perturbed weights too) and final value the largest absolute value
and sixteen elements spread over it. Names are `<layer>.weight` and so on: a module's place in the list.

A sum within rounding of 0 in front of a ReLU may fall on either side of it, which no two programs share. So images are small, and data are drawn
(`x0`, `x1`, ...) until no decision is closer than 2e-6 deviations and float32 and float64 agree. A bias in front of a batch norm has no gradient but rounding:
values are relative to the tensor's largest, but to the network's where that is below 1e-4 of it.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

BATCH, RATE, MOMENTUM, DECAY, RHO, SAMPLES = 4, 0.005, 0.9, 5e-4, 0.05, 16


def uniform(name, count):
    """`count` numbers in [-1, 1), float64, from splitmix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(zlib.crc32(name.encode())) * np.uint64(1 << 32) + np.arange(1, count + 1, dtype=np.uint64)
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


class Net(nn.Module):
    """The layer list as PyTorch modules, named by their place."""

    def __init__(self, layers, shape, classes):
        super().__init__()
        self.texts, self.margin = [t.split() for t in layers], 1.0
        # Sizes by running a batch of two through modules as they are made.
        x, kept = torch.zeros(2, *shape), []
        for i, words in enumerate(self.texts):
            if words[0] == "split":
                kept.append(x)
            elif words[0] == "add":
                x = x + kept.pop()
            elif words[0] == "shortcut":
                kept[-1] = self.make(i, words[1:], kept[-1], classes)
            else:
                x = self.make(i, words, x, classes)

    def make(self, i, words, x, classes):
        kind, channels = words[0], x.shape[1]
        if kind == "conv":
            kernel = 1 if "1x1" in words else 3
            stride = int(words[words.index("stride") + 1]) if "stride" in words else 1
            m = nn.Conv2d(channels, int(words[1]), kernel, stride, kernel // 2, bias="no-bias" not in words)
        elif kind == "linear":
            m = nn.Linear(channels, int(words[1]) if len(words) > 1 else classes)
        elif kind == "batch-norm":
            m = nn.BatchNorm2d(channels) if x.dim() == 4 else nn.BatchNorm1d(channels)
        elif kind == "group-norm":
            m = nn.GroupNorm(int(words[1]), channels)
        else:
            m = {
                "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "flatten": nn.Flatten,
                "max-pool": lambda: nn.MaxPool2d(2), "average-pool": lambda: nn.AvgPool2d(2),
                "global-pool": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            }[kind]()
        self.add_module(str(i), m)
        return m(x)

    def forward(self, x):
        kept, modules = [], dict(self.named_children())
        for i, words in enumerate(self.texts):
            if words[0] == "split":
                kept.append(x)
            elif words[0] == "add":
                x = x + kept.pop()
            elif words[0] == "shortcut":
                kept[-1] = modules[str(i)](kept[-1])
            else:
                self.note(words[0], x.detach())
                x = modules[str(i)](x)
        return x

    def note(self, kind, x):
        """The closest decision so far: how near a ReLU's input is to 0, or a window's maximum to its runner-up, in deviations."""
        if kind == "relu":
            self.margin = min(self.margin, float(x.abs().min() / x.std()))
        if kind == "max-pool":
            top = nn.functional.unfold(x.reshape(-1, 1, *x.shape[2:]), 2, stride=2).topk(2, dim=1).values
            apart = (top[:, 0] - top[:, 1])[top[:, 0] > 0]
            self.margin = min(self.margin, float(apart.min() / x.std()))


def fill(net):
    # Making the modules ran them.
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.BatchNorm1d)):
            m.reset_running_stats()
    with torch.no_grad():
        for name, p in net.named_parameters():
            module = dict(net.named_modules())[name.rsplit(".", 1)[0]]
            u = torch.from_numpy(uniform(name, p.numel())).reshape(p.shape)
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d, nn.GroupNorm)):
                p.copy_(1 + 0.5 * u if name.endswith("weight") else 0.2 * u)
            else:
                fan = module.weight[0].numel()
                p.copy_(u * (2.0 / fan) ** 0.5)


def sample(t):
    flat = t.detach().double().reshape(-1)
    at = [(flat.numel() * k) // SAMPLES for k in range(min(SAMPLES, flat.numel()))]
    return [float(flat.abs().max())] + [float(f"{float(flat[i]):.8g}") for i in at]


def run(case, optimizer, steps, dtype, data):
    torch.set_default_dtype(dtype)
    shape, classes = case["shape"], case["classes"]
    net = Net(case["layers"], shape, classes)
    fill(net)
    x = torch.from_numpy(uniform(data, 2 * BATCH * int(np.prod(shape)))).reshape(2 * BATCH, *shape).to(dtype)
    y = torch.arange(2 * BATCH) * 7 % classes
    params = [p for _, p in net.named_parameters()]
    sgd = torch.optim.SGD(params, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    out = {"optimizer": optimizer, "losses": [], "grad": {}, "sam_grad": {}, "final": {}}
    norms = [m for m in net.modules() if isinstance(m, (nn.BatchNorm2d, nn.BatchNorm1d))]
    for step in range(steps):
        # The second batch is one short.
        rows = slice(0, BATCH) if step % 2 == 0 else slice(BATCH, 2 * BATCH - 1)
        sgd.zero_grad()
        loss = cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        out["losses"].append(float(loss.detach()))
        if step == 0:
            out["grad"] = {n: sample(p.grad) for n, p in net.named_parameters()}
        if optimizer == "sam":
            with torch.no_grad():
                norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in params))
                kept = [p.clone() for p in params]
                for p in params:
                    p.add_(p.grad * (RHO / (norm + 1e-12)).to(dtype))
            sgd.zero_grad()
            # Running statistics follow the first pass alone.
            for m in norms:
                m.momentum = 0.0
            cross_entropy(net(x[rows]), y[rows]).backward()
            for m in norms:
                m.momentum = 0.1
            if step == 0:
                out["sam_grad"] = {n: sample(p.grad) for n, p in net.named_parameters()}
            with torch.no_grad():
                for p, k in zip(params, kept):
                    p.copy_(k)
        sgd.step()
    out["margin"] = net.margin
    net.eval()
    state = {n: t for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")}
    out["final"] = {n: sample(t) for n, t in state.items()}
    with torch.no_grad():
        out["logits"] = [float(f"{float(v):.8g}") for v in net(x[:3]).reshape(-1)]
    return out


def gap(a, b):
    """Largest difference between two runs, relative to the scale that the file's head explains."""
    worst = 0.0
    for key in ("grad", "sam_grad", "final"):
        whole = max((v[0] for v in a[key].values()), default=0.0)
        for n in a[key]:
            scale = a[key][n][0] if a[key][n][0] > 1e-4 * whole else whole
            worst = max(worst, max(abs(p - q) for p, q in zip(a[key][n][1:], b[key][n][1:])) / scale)
    return worst


def main():
    torch.set_num_threads(2)
    cases = json.loads(Path(sys.argv[1]).read_text())
    out = []
    for case in cases:
        for optimizer, steps in case["runs"]:
            for draw in range(300):
                data = f"x{draw}"
                result = run(case, optimizer, steps, torch.float32, data)
                if result["margin"] < 2e-6:
                    continue
                result["f64_gap"] = gap(result, run(case, optimizer, steps, torch.float64, data))
                if result["f64_gap"] < 2e-5:
                    break
            else:
                raise SystemExit(f"{case['name']}: no data on which float32 and float64 agree")
            result["data"] = data
            print(f"{case['name']:14} {optimizer:4} {steps:3} steps  loss {result['losses'][0]:.4f} -> {result['losses'][-1]:.4f}  float64 gap {result['f64_gap']:.1e}, margin {result['margin']:.1e}, {data}", flush=True)
            out.append({"name": case["name"], "shape": case["shape"], "classes": case["classes"], "layers": case["layers"], "steps": steps, **result})
    path = Path(__file__).resolve().parent / "fixtures" / "presets.json"
    path.write_text(json.dumps(out, separators=(",", ":")))
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
