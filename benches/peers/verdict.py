"""The default study of `flatleak compare` as one would write it with PyTorch and NumPy; prints its time as one JSON line.

    OMP_NUM_THREADS=1 python verdict.py --workers 2

Same data, network, recipes, memberships in complementary pairs and schedule: 32 models of each of three recipes,
one model per worker and thread. Then three attacks (LiRA online with pooled spread, RMIA, confidence), each target
scored without its own pair, the mean difference of AUC and its jackknife interval over pairs. That is a part of what
flatleak does: no exchange tests, none of the eighteen other attacks, no explanation and no report.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

EMBEDDED = Path(__file__).resolve().parents[2] / "crates/data/embedded"
MODELS, POOL, EPOCHS, BATCH, LR = 32, 1600, 80, 64, 0.05
# Of Student's distribution with 15 degrees of freedom, for 16 pairs.
QUANTILE = 2.131
RECIPES = {"sgd": (1, 0.0), "sgd-2x": (2, 0.0), "sam": (1, 0.1)}


def idx(name):
    raw = gzip.decompress((EMBEDDED / name).read_bytes())
    sizes = np.frombuffer(raw, ">u4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes)


def data():
    x = idx("pool-images-idx3-ubyte.gz")[:POOL].reshape(POOL, -1).astype(np.float32) / 255
    t = idx("test-images-idx3-ubyte.gz")
    t = t.reshape(len(t), -1).astype(np.float32) / 255
    mean, std = x.mean(), x.std()
    y, u = idx("pool-labels-idx1-ubyte.gz")[:POOL], idx("test-labels-idx1-ubyte.gz")
    return (x - mean) / std, y.astype(np.int64), (t - mean) / std, u.astype(np.int64)


def membership(models):
    rows = []
    for block in range(models // 2):
        half = np.zeros(POOL, bool)
        half[np.random.default_rng(block).permutation(POOL)[: POOL // 2]] = True
        rows += [half, ~half]
    return np.array(rows)


def train(job):
    """Phi of all pool examples and test accuracy of one model."""
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)
    recipe, model, members = job
    times, rho = RECIPES[recipe]
    x, y, tx, ty = (torch.from_numpy(np.ascontiguousarray(v)) for v in data())
    mx, my = x[members], y[members]
    torch.manual_seed(model)
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    params = list(net.parameters())
    sgd = torch.optim.SGD(params, lr=LR, momentum=0.9, weight_decay=5e-4, fused=True)
    saved = [torch.empty_like(p) for p in params]
    steps = -(-len(mx) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, steps * EPOCHS * times)
    for _ in range(EPOCHS * times):
        for index in torch.randperm(len(mx)).split(BATCH):
            bx, by = mx[index], my[index]
            sgd.zero_grad(set_to_none=True)
            cross_entropy(net(bx), by).backward()
            if rho:
                with torch.no_grad():
                    grads = [p.grad for p in params]
                    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
                    torch._foreach_copy_(saved, params)
                    torch._foreach_mul_(grads, rho / (norm + 1e-12))
                    torch._foreach_add_(params, grads)
                sgd.zero_grad(set_to_none=True)
                cross_entropy(net(bx), by).backward()
                with torch.no_grad():
                    torch._foreach_copy_(params, saved)
            sgd.step()
            schedule.step()
    with torch.no_grad():
        z = net(x).double()
        own = z.gather(1, y[:, None])[:, 0]
        rest = z.scatter(1, y[:, None], -torch.inf).logsumexp(1)
        return (own - rest).numpy(), (net(tx).argmax(1) == ty).double().mean().item()


def auc(score, member):
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    for value in np.unique(score[order][:-1][np.diff(score[order]) == 0]):
        ties = score == value
        ranks[ties] = ranks[ties].mean()
    n = member.sum()
    return (ranks[member].sum() - n * (n + 1) / 2) / (n * (len(score) - n))


def scores(phi, member, target, shadows):
    inside = np.where(member[shadows], phi[shadows], np.nan)
    outside = np.where(member[shadows], np.nan, phi[shadows])
    value = 0.0
    for side, sign in ((inside, 1), (outside, -1)):
        middle = np.nanmedian(side, 0)
        spread = np.nanstd(side - middle)
        value = value - sign * (0.5 * ((phi[target] - middle) / spread) ** 2 + np.log(spread))
    p = 1 / (1 + np.exp(-phi))
    mean = (np.nanmean(np.where(member[shadows], p[shadows], np.nan), 0)
            + np.nanmean(np.where(member[shadows], np.nan, p[shadows]), 0)) / 2
    return {"lira-online-fixed": value, "rmia": p[target] / mean, "confidence": phi[target]}


def mean_aucs(phi, member, without=None):
    rows = [m for m in range(len(phi)) if m // 2 != without]
    found = []
    for target in rows:
        shadows = [m for m in rows if m // 2 != target // 2]
        found.append([auc(s, member[target]) for s in scores(phi, member, target, shadows).values()])
    return np.mean(found, 0)


def analyse(job):
    """Mean AUCs of the three attacks with all pairs and without each."""
    phi, member = job
    return [mean_aucs(phi, member, without) for without in [None, *range(len(phi) // 2)]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    start = time.time()
    member = membership(MODELS)
    jobs = [(recipe, m, member[m]) for recipe in RECIPES for m in range(MODELS)]
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        done = pool.map(train, jobs, chunksize=1)
        trained = time.time()
        phi = {r: np.array([d[0] for d, j in zip(done, jobs) if j[0] == r]) for r in RECIPES}
        results = dict(zip(RECIPES, pool.map(analyse, [(phi[r], member) for r in RECIPES], chunksize=1)))
    report, n = {}, MODELS // 2
    for baseline in ("sgd", "sgd-2x"):
        for k, name in enumerate(("lira-online-fixed", "rmia", "confidence")):
            d = np.array([a[k] - b[k] for a, b in zip(results["sam"], results[baseline])])
            half = QUANTILE * np.sqrt((n - 1) / n * ((d[1:] - d[1:].mean()) ** 2).sum())
            report[f"sam - {baseline} {name}"] = [round(v, 4) for v in (d[0], d[0] - half, d[0] + half)]
    accuracy = {r: round(float(np.mean([d[1] for d, j in zip(done, jobs) if j[0] == r])), 4) for r in RECIPES}
    seconds = {"training_s": round(trained - start, 1), "analysis_s": round(time.time() - trained, 1)}
    print(json.dumps({"peer": "pytorch + numpy", "workers": args.workers, **seconds, "test_accuracy": accuracy, "differences": report}))


if __name__ == "__main__":
    main()
