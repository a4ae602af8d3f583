"""Time a PyTorch training step on the CPU and print one JSON line.

    python pytorch.py --network mlp --optimizer sgd --batch 128 --steps 350 --threads 1

A step is what a training loop does: draw random indices, gather the batch from a
resident array of 2,000 examples, forward, mean cross entropy, backward, update. SAM
does the forward and backward twice on the same batch. `--steps` timed steps are split
over `--windows` windows after a warm-up; `ms_per_step` is the median of the windows'
means.
"""

import argparse
import json
import os
import statistics
import time

EXAMPLES = 2000

NETWORKS = {
    "mlp": {"input": (784,), "classes": 10},
    "mlp-bench": {"input": (600,), "classes": 100},
    "purchase-fc": {"input": (600,), "classes": 100},
    "cnn": {"input": (1, 28, 28), "classes": 10},
    "resnet20": {"input": (3, 32, 32), "classes": 10},
    "wrn-16-4": {"input": (3, 32, 32), "classes": 10},
}
IMAGES = ("cnn", "resnet20", "wrn-16-4")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", choices=list(NETWORKS), default="mlp")
    parser.add_argument("--optimizer", choices=["sgd", "sam"], default="sgd")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=350, help="timed steps in all")
    parser.add_argument("--windows", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=20, help="steps before timing")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="torch.compile the loss")
    parser.add_argument("--channels-last", action="store_true", help="image networks only")
    parser.add_argument(
        "--update",
        choices=["loop", "foreach", "fused"],
        default="fused",
        help="implementation of torch.optim.SGD",
    )
    parser.add_argument("--rho", type=float, default=0.05, help="SAM radius")
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.channels_last and args.network not in IMAGES:
        parser.error("--channels-last needs a network on images")
    if args.windows < 1 or args.steps < args.windows:
        parser.error("--steps must be at least --windows")
    return args


def residual(network):
    """The same networks as the presets resnet20 and wrn-16-4: projections where sizes change."""
    from torch import nn
    from torch.nn.functional import relu

    class Basic(nn.Module):
        def __init__(self, a, b, stride):
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
            self.conv2, self.norm2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
            self.short = None
            if stride != 1 or a != b:
                self.short = nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))

        def forward(self, x):
            y = self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))
            return relu(y + (x if self.short is None else self.short(x)))

    class PreActivated(nn.Module):
        def __init__(self, a, b, stride):
            super().__init__()
            self.norm1, self.conv1 = nn.BatchNorm2d(a), nn.Conv2d(a, b, 3, stride, 1, bias=False)
            self.norm2, self.conv2 = nn.BatchNorm2d(b), nn.Conv2d(b, b, 3, 1, 1, bias=False)
            self.short = None if stride == 1 and a == b else nn.Conv2d(a, b, 1, stride, bias=False)

        def forward(self, x):
            h = relu(self.norm1(x))
            y = self.conv2(relu(self.norm2(self.conv1(h))))
            return y + (x if self.short is None else self.short(h))

    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if network == "resnet20":
        layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        widths, block, n, head = [16, 16, 32, 64], Basic, 3, pool + [nn.Linear(64, 10)]
    else:
        layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)]
        widths, block, n = [16, 64, 128, 256], PreActivated, 2
        head = [nn.BatchNorm2d(256), nn.ReLU()] + pool + [nn.Linear(256, 10)]
    for stage in range(3):
        for k in range(n):
            a = widths[stage] if k == 0 else widths[stage + 1]
            layers.append(block(a, widths[stage + 1], 2 if stage > 0 and k == 0 else 1))
    return nn.Sequential(*layers, *head)


def build(network):
    from torch import nn

    if network in ("resnet20", "wrn-16-4"):
        return residual(network)

    if network == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(3136, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )
    sizes, act = {
        "mlp": ((784, 256, 128, 10), nn.ReLU),
        "mlp-bench": ((600, 512, 256, 128, 100), nn.Tanh),
        "purchase-fc": ((600, 1024, 512, 256, 128, 100), nn.Tanh),
    }[network]
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        if i:
            layers.append(act())
        layers.append(nn.Linear(a, b))
    return nn.Sequential(*layers)


def main():
    args = arguments()
    # Before torch loads, so that its thread pools are made with this size.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(args.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(args.seed)
    spec = NETWORKS[args.network]
    net = build(args.network)
    x = torch.randn(EXAMPLES, *spec["input"])
    y = torch.randint(spec["classes"], (EXAMPLES,))
    if args.channels_last:
        net = net.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    params = list(net.parameters())
    sgd = torch.optim.SGD(
        params,
        lr=args.lr,
        momentum=0.9,
        weight_decay=5e-4,
        foreach=args.update == "foreach",
        fused=args.update == "fused",
    )

    def loss_of(bx, by):
        return cross_entropy(net(bx), by)

    if args.compile:
        loss_of = torch.compile(loss_of, dynamic=False)

    saved = [torch.empty_like(p) for p in params]

    def perturb():
        """Keep the weights and move them by rho * g / ||g||, one norm over all."""
        with torch.no_grad():
            grads = [p.grad for p in params]
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
            torch._foreach_copy_(saved, params)
            torch._foreach_mul_(grads, args.rho / (norm + 1e-12))
            torch._foreach_add_(params, grads)

    def restore():
        with torch.no_grad():
            torch._foreach_copy_(params, saved)

    def step():
        index = torch.randint(EXAMPLES, (args.batch,))
        bx = x.index_select(0, index)
        by = y.index_select(0, index)
        if args.channels_last:
            bx = bx.contiguous(memory_format=torch.channels_last)
        sgd.zero_grad(set_to_none=True)
        loss = loss_of(bx, by)
        loss.backward()
        if args.optimizer == "sam":
            perturb()
            sgd.zero_grad(set_to_none=True)
            loss_of(bx, by).backward()
            restore()
        sgd.step()
        return loss

    loss = None
    for _ in range(max(args.warmup, 1)):
        loss = step()
    first_loss = float(loss.detach())

    per_window = args.steps // args.windows
    times = []
    for _ in range(args.windows):
        start = time.perf_counter()
        for _ in range(per_window):
            loss = step()
        times.append((time.perf_counter() - start) * 1e3 / per_window)

    print(
        json.dumps(
            {
                "peer": "pytorch-compile" if args.compile else "pytorch-eager",
                "network": args.network,
                "optimizer": args.optimizer,
                "batch": args.batch,
                "threads": args.threads,
                "ms_per_step": round(statistics.median(times), 4),
                "ms_min": round(min(times), 4),
                "ms_max": round(max(times), 4),
                "steps": per_window * args.windows,
                "windows": args.windows,
                "channels_last": args.channels_last,
                "update": args.update,
                "loss_after_warmup": round(first_loss, 4),
                "loss_end": round(float(loss.detach()), 4),
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
