"""Make the reference fixtures of the training engine's tests.

    python make_fixtures.py            # writes fixtures/*.safetensors beside this file

Needs torch, numpy and safetensors. Everything runs in float32 on one thread.

One file per network, seed and optimizer:

  x, y              the data set; batch b is a run of rows, see `batches` below
  init.<param>      weights before the first step
  logits            output for the first batch at the initial weights
  loss.<t>          mean cross entropy at step t before its update, shape [1], t = 0..9
  grad.<param>      plain gradient of step 0 (no weight decay, no perturbation)
  input_grad        gradient of step 0's loss with respect to the first batch's inputs;
                    only this shows which of the tied maxima a pool chose, because
                    tied windows see equal patches and so give equal weight gradients
  sam_grad.<param>  SAM only: gradient of step 0 at the perturbed weights
  final.<param>     weights after the last step

Step t uses batch t % 2: the first rows of x, then the shorter rest. Parameters carry
the names of nn.Sequential, so the number is the position in the layer list.

Metadata (all strings): layers, input, batch, batches, steps, seed, optimizer, lr,
momentum, weight_decay, nesterov, rho, torch; f64_final_diff and f64_loss_diff are the
largest absolute difference from the same run in float64, a guide to tolerances.

Layer words: `linear IN OUT`, `conv IN OUT KERNEL PADDING`, `maxpool SIZE`, `flatten`,
`relu`, `tanh`.
"""

import json
import struct
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d

STEPS = 10
SEEDS = (0, 1)
OUT = Path(__file__).resolve().parent / "fixtures"

NETWORKS = {
    "mlp": {
        "layers": "linear 20 16;relu;linear 16 12;tanh;linear 12 5",
        "input": (20,),
        "classes": 5,
        "batches": (8, 5),
    },
    "cnn": {
        "layers": "conv 1 4 3 1;relu;maxpool 2;conv 4 6 3 1;relu;maxpool 2;flatten;linear 24 10",
        "input": (1, 8, 8),
        "classes": 10,
        "batches": (6, 3),
    },
    # Odd height and width: pooling drops the last row and column.
    "cnn-odd": {
        "layers": "conv 2 3 3 1;relu;maxpool 2;flatten;linear 36 7;relu;linear 7 4",
        "input": (2, 9, 7),
        "classes": 4,
        "batches": (6, 3),
    },
}

OPTIMIZERS = {
    "sgd": {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "nesterov": False, "rho": 0.0},
    "momentum": {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": False, "rho": 0.0},
    "nesterov": {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": True, "rho": 0.0},
    "sam": {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": False, "rho": 0.1},
}


def build(layers):
    made = []
    for text in layers.split(";"):
        kind, *sizes = text.split()
        n = [int(s) for s in sizes]
        if kind == "linear":
            made.append(nn.Linear(n[0], n[1]))
        elif kind == "conv":
            made.append(nn.Conv2d(n[0], n[1], n[2], padding=n[3]))
        elif kind == "maxpool":
            made.append(nn.MaxPool2d(n[0]))
        else:
            made.append({"relu": nn.ReLU, "tanh": nn.Tanh, "flatten": nn.Flatten}[kind]())
    return nn.Sequential(*made)


def data(spec, seed):
    """Random examples. Images are multiples of 0.5 with many zeros and constant
    patches; equal neighbourhoods give equal convolution outputs, so pooling ties."""
    gen = torch.Generator().manual_seed(1000 + seed)
    n = sum(spec["batches"])
    y = torch.randint(spec["classes"], (n,), generator=gen)
    x = torch.randn(n, *spec["input"], generator=gen)
    if len(spec["input"]) == 1:
        return x, y
    x = torch.round(x * 2) / 2
    x[torch.rand(x.shape, generator=gen) < 0.3] = 0.0
    height, width = spec["input"][1:]
    for image in x:
        top = int(torch.randint(height - 4, (1,), generator=gen))
        left = int(torch.randint(width - 4, (1,), generator=gen))
        for plane in image:
            value = int(torch.randint(-4, 5, (1,), generator=gen)) / 2
            plane[top : top + 5, left : left + 5] = value
    x[1] = 1.0
    x[2] = -1.5
    return x + 0.0, y  # no negative zeros


def check_pool_ties(net, x, seed):
    """Count pooling windows whose maximum is reached more than once, assert that some
    are positive, and assert that the gradient goes to the first maximum of a window
    in row-major order. Returns one (positive ties, zero ties) pair per pool layer."""
    counts = []
    h = x
    with torch.no_grad():
        for layer in net:
            if isinstance(layer, nn.MaxPool2d):
                counts.append(check_one_pool(h.clone(), layer.kernel_size, seed))
            h = layer(h)
    assert counts and counts[0][0] > 0, f"no positive ties in the first pool: {counts}"
    return counts


def check_one_pool(h, k, seed):
    n, c, rows, cols = h.shape
    oh, ow = rows // k, cols // k
    windows = h.numpy()[:, :, : oh * k, : ow * k].reshape(n, c, oh, k, ow, k)
    windows = windows.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, oh, ow, k * k)
    top = windows.max(-1, keepdims=True)
    tied = (windows == top).sum(-1) > 1
    positive = int((tied & (top[..., 0] > 0)).sum())
    zero = int((tied & (top[..., 0] == 0)).sum())

    first = windows.argmax(-1)  # numpy returns the first maximum
    with torch.enable_grad():
        h.requires_grad_(True)
        out = max_pool2d(h, k)
        upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(seed))
        (got,) = torch.autograd.grad(out, h, upstream)
    want = np.zeros(h.shape, dtype=np.float32)
    i, j, a, b = np.indices(first.shape)
    want[i, j, a * k + first // k, b * k + first % k] = upstream.numpy()
    assert np.array_equal(want, got.numpy()), "max-pool gradient is not at the first maximum"
    return positive, zero


def gradients(net, x, y):
    """Mean cross entropy and its gradients, by parameter."""
    loss = cross_entropy(net(x), y)
    grads = torch.autograd.grad(loss, list(net.parameters()))
    return loss.detach(), [g.clone() for g in grads]


def sam_gradients(net, x, y, grads, rho):
    """Gradients at w + rho * g / (||g|| + 1e-12), one norm over all parameters taken in
    float64. The weights are restored exactly."""
    norm = sum(float(g.double().square().sum()) for g in grads) ** 0.5
    scale = rho / (norm + 1e-12)
    params = list(net.parameters())
    with torch.no_grad():
        saved = [p.clone() for p in params]
        for p, g in zip(params, grads):
            p.add_((g.double() * scale).to(g.dtype))
    _, second = gradients(net, x, y)
    with torch.no_grad():
        for p, s in zip(params, saved):
            p.copy_(s)
    return second


def train(spec, opt, seed, dtype):
    """One whole run; returns the tensors of a fixture in `dtype`."""
    torch.manual_seed(seed)
    net = build(spec["layers"]).to(dtype)
    x, y = data(spec, seed)
    x = x.to(dtype)
    first = spec["batches"][0]
    batches = [(x[:first], y[:first]), (x[first:], y[first:])]
    names = [name for name, _ in net.named_parameters()]

    tensors = {"x": x, "y": y}
    for name, p in net.named_parameters():
        tensors[f"init.{name}"] = p.detach().clone()
    probe = batches[0][0].clone().requires_grad_(True)
    logits = net(probe)
    (input_grad,) = torch.autograd.grad(cross_entropy(logits, batches[0][1]), probe)
    tensors["logits"] = logits.detach()
    tensors["input_grad"] = input_grad

    sgd = torch.optim.SGD(
        net.parameters(),
        lr=opt["lr"],
        momentum=opt["momentum"],
        weight_decay=opt["weight_decay"],
        nesterov=opt["nesterov"],
        foreach=False,
    )
    for t in range(STEPS):
        bx, by = batches[t % 2]
        loss, grads = gradients(net, bx, by)
        tensors[f"loss.{t}"] = loss.reshape(1)
        used = grads
        if opt["rho"] > 0:
            used = sam_gradients(net, bx, by, grads, opt["rho"])
        if t == 0:
            for name, g in zip(names, grads):
                tensors[f"grad.{name}"] = g.clone()
            if opt["rho"] > 0:
                for name, g in zip(names, used):
                    tensors[f"sam_grad.{name}"] = g.clone()
        for p, g in zip(net.parameters(), used):
            p.grad = g
        sgd.step()
    for name, p in net.named_parameters():
        tensors[f"final.{name}"] = p.detach().clone()
    return tensors


def largest_difference(a, b, prefix):
    return max(
        float((a[k].double() - b[k].double()).abs().max()) for k in a if k.startswith(prefix)
    )


def write(path, tensors, metadata):
    """Write a safetensors file with its metadata in sorted order, so that two runs
    give the same bytes."""
    tensors = {k: v.contiguous() for k, v in tensors.items()}
    raw = safetensors.torch.save(tensors, metadata=metadata)
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header = {"__metadata__": dict(sorted(header.pop("__metadata__").items())), **header}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + length :])


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_default_dtype(torch.float32)
    OUT.mkdir(exist_ok=True)
    total = 0
    for network, spec in NETWORKS.items():
        for seed in SEEDS:
            ties = ""
            if network != "mlp":
                torch.manual_seed(seed)
                net = build(spec["layers"])
                x = data(spec, seed)[0]
                assert torch.equal(x * 2, torch.round(x * 2))
                counts = check_pool_ties(net, x[: spec["batches"][0]], seed)
                ties = f"  (positive, zero) ties per pool: {counts}"
            for optimizer, opt in OPTIMIZERS.items():
                tensors = train(spec, opt, seed, torch.float32)
                double = train(spec, opt, seed, torch.float64)
                losses = [float(tensors[f"loss.{t}"]) for t in range(STEPS)]
                assert all(np.isfinite(losses))
                final_diff = largest_difference(tensors, double, "final.")
                loss_diff = largest_difference(tensors, double, "loss.")
                # A larger gap would mean that a ReLU or pooling choice hangs on rounding.
                assert final_diff < 2e-5 and loss_diff < 2e-5, (final_diff, loss_diff)
                metadata = {
                    "layers": spec["layers"],
                    "input": ",".join(map(str, spec["input"])),
                    "batch": str(spec["batches"][0]),
                    "batches": ",".join(map(str, spec["batches"])),
                    "steps": str(STEPS),
                    "seed": str(seed),
                    "optimizer": optimizer,
                    "lr": repr(opt["lr"]),
                    "momentum": repr(opt["momentum"]),
                    "weight_decay": repr(opt["weight_decay"]),
                    "nesterov": str(opt["nesterov"]).lower(),
                    "rho": repr(opt["rho"]),
                    "torch": torch.__version__.split("+")[0],
                    "f64_final_diff": f"{final_diff:.1e}",
                    "f64_loss_diff": f"{loss_diff:.1e}",
                }
                path = OUT / f"{network}-{seed}-{optimizer}.safetensors"
                write(path, tensors, metadata)
                size = path.stat().st_size
                total += size
                print(
                    f"{path.name:32} {size:6} bytes  loss {losses[0]:.4f} -> {losses[-2]:.4f}"
                    f"  float64 gap {final_diff:.1e} {loss_diff:.1e}{ties}"
                )
    assert total < 500_000, total
    print(f"total {total} bytes")


if __name__ == "__main__":
    main()
