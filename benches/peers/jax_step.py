"""Time a JAX training step on the CPU and print one JSON line, as pytorch.py does.

    taskset -c 0 python jax_step.py --network mlp-bench --optimizer sgd --steps 400

JAX chooses its threads by the cores it may use, so one core is set from outside. The step is compiled whole: drawing and gathering the
batch, loss, gradient, momentum and decay; SAM takes the gradient twice on the same batch. The state's buffers are donated.
"""

import argparse
import functools
import json
import os
import statistics
import time

import jax
import jax.numpy as jnp

EXAMPLES, BATCH, RATE, MOMENTUM, DECAY, RHO = 2000, 128, 0.01, 0.9, 5e-4, 0.05

DENSE = {
    "mlp": ((784, 256, 128, 10), jax.nn.relu),
    "mlp-bench": ((600, 512, 256, 128, 100), jnp.tanh),
    "purchase-fc": ((600, 1024, 512, 256, 128, 100), jnp.tanh),
}
RESIDUAL = ("resnet20", "wrn-16-4")


def dense(key, sizes):
    keys = jax.random.split(key, len(sizes))
    return [
        {"w": jax.random.normal(k, (a, b)) / a**0.5, "b": jnp.zeros(b)} for k, a, b in zip(keys, sizes, sizes[1:])
    ]


def convolution(x, layer):
    y = jax.lax.conv_general_dilated(x, layer["w"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    y = jax.nn.relu(y + layer["b"])
    return jax.lax.reduce_window(y, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def plain(x, w, stride=1):
    return jax.lax.conv_general_dilated(
        x, w, (stride, stride), [((w.shape[0] - 1) // 2,) * 2] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def norm(x, layer):
    """Batch norm with the batch's statistics; the running ones, which a training loop also keeps, are left out."""
    mean, variance = jnp.mean(x, (0, 1, 2)), jnp.var(x, (0, 1, 2))
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * layer["scale"] + layer["shift"]


def residual(network, key):
    """resnet20 and wrn-16-4 as pytorch.py has them: parameters and logits."""
    before = network == "wrn-16-4"
    widths, n = ([16, 64, 128, 256], 2) if before else ([16, 16, 32, 64], 3)
    keys = iter(jax.random.split(key, 64))

    def filters(side, i, o):
        return jax.random.normal(next(keys), (side, side, i, o)) / (side * side * i) ** 0.5

    def ones(c):
        return {"scale": jnp.ones(c), "shift": jnp.zeros(c)}

    blocks, strides = [], []
    for stage in range(3):
        for k in range(n):
            a, b = widths[stage + (k > 0)], widths[stage + 1]
            stride = 2 if stage > 0 and k == 0 else 1
            block = {"conv1": filters(3, a, b), "conv2": filters(3, b, b), "norm1": ones(a if before else b), "norm2": ones(b)}
            if stride != 1 or a != b:
                block["short"] = filters(1, a, b)
                if not before:
                    block["norm3"] = ones(b)
            blocks.append(block)
            strides.append(stride)
    parameters = {
        "stem": filters(3, 3, widths[0]),
        "norm": ones(widths[3] if before else widths[0]),
        "blocks": blocks,
        "head": dense(next(keys), (widths[3], 10)),
    }

    def logits(p, x):
        relu = jax.nn.relu
        x = plain(x, p["stem"])
        if not before:
            x = relu(norm(x, p["norm"]))
        for block, stride in zip(p["blocks"], strides):
            if before:
                h = relu(norm(x, block["norm1"]))
                y = plain(relu(norm(plain(h, block["conv1"], stride), block["norm2"])), block["conv2"])
                x = y + (plain(h, block["short"], stride) if "short" in block else x)
            else:
                y = relu(norm(plain(x, block["conv1"], stride), block["norm1"]))
                y = norm(plain(y, block["conv2"]), block["norm2"])
                x = relu(y + (norm(plain(x, block["short"], stride), block["norm3"]) if "short" in block else x))
        if before:
            x = relu(norm(x, p["norm"]))
        return jnp.mean(x, (1, 2)) @ p["head"][0]["w"] + p["head"][0]["b"]

    return parameters, logits


def build(network, key):
    """Parameters, logits of a batch, shape of an input, number of classes."""
    if network in RESIDUAL:
        return *residual(network, key), (32, 32, 3), 10
    if network in DENSE:
        sizes, activation = DENSE[network]

        def logits(layers, x):
            for layer in layers[:-1]:
                x = activation(x @ layer["w"] + layer["b"])
            return x @ layers[-1]["w"] + layers[-1]["b"]

        return dense(key, sizes), logits, sizes[:1], sizes[-1]

    a, b, c = jax.random.split(key, 3)
    filters = [
        {"w": jax.random.normal(k, (3, 3, i, o)) / (9 * i) ** 0.5, "b": jnp.zeros(o)}
        for k, i, o in ((a, 1, 32), (b, 32, 64))
    ]

    def logits(parameters, x):
        filters, (hidden, last) = parameters
        for layer in filters:
            x = convolution(x, layer)
        x = jax.nn.relu(x.reshape(x.shape[0], -1) @ hidden["w"] + hidden["b"])
        return x @ last["w"] + last["b"]

    return (filters, dense(c, (3136, 128, 10))), logits, (28, 28, 1), 10


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", choices=[*DENSE, "cnn", *RESIDUAL], default="mlp")
    parser.add_argument("--optimizer", choices=["sgd", "sam"], default="sgd")
    parser.add_argument("--steps", type=int, default=350, help="timed steps in all")
    parser.add_argument("--windows", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=20, help="steps before timing")
    args = parser.parse_args()

    key = jax.random.key(0)
    parameters, logits, shape, classes = build(args.network, key)
    x = jax.random.normal(key, (EXAMPLES, *shape))
    y = jax.random.randint(key, (EXAMPLES,), 0, classes)

    def loss_of(w, bx, by):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(w, bx)), by[:, None], 1))

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(w, velocity, key):
        key, now = jax.random.split(key)
        index = jax.random.randint(now, (BATCH,), 0, EXAMPLES)
        bx, by = x[index], y[index]
        loss, g = jax.value_and_grad(loss_of)(w, bx, by)
        if args.optimizer == "sam":
            norm = jnp.sqrt(sum(jnp.vdot(v, v) for v in jax.tree.leaves(g)))
            moved = jax.tree.map(lambda p, v: p + RHO / (norm + 1e-12) * v, w, g)
            g = jax.grad(loss_of)(moved, bx, by)
        velocity = jax.tree.map(lambda m, v, p: MOMENTUM * m + v + DECAY * p, velocity, g, w)
        return jax.tree.map(lambda p, m: p - RATE * m, w, velocity), velocity, key, loss

    state = (parameters, jax.tree.map(jnp.zeros_like, parameters), key)
    for _ in range(max(args.warmup, 1)):
        *state, loss = step(*state)
    first = float(loss)
    per_window = args.steps // args.windows
    times = []
    for _ in range(args.windows):
        start = time.perf_counter()
        for _ in range(per_window):
            *state, loss = step(*state)
        jax.block_until_ready(state)
        times.append((time.perf_counter() - start) * 1e3 / per_window)
    print(
        json.dumps(
            {
                "peer": "jax",
                "network": args.network,
                "optimizer": args.optimizer,
                "batch": BATCH,
                "threads": len(os.sched_getaffinity(0)),
                "ms_per_step": round(statistics.median(times), 4),
                "ms_min": round(min(times), 4),
                "ms_max": round(max(times), 4),
                "steps": per_window * args.windows,
                "windows": args.windows,
                "channels_last": False,
                "loss_after_warmup": round(first, 4),
                "loss_end": round(float(loss), 4),
                "jax": jax.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
