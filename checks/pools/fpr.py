"""What one threshold for all examples does to each: the spread of per-example false-positive rates at a pooled FPR.

    python3 fpr.py POOL.npz [FPR]

POOL.npz has logits (M, N, C), labels (N), membership (M, N); models 2j and 2j+1 are complementary. For LiRA (means, pooled deviations,
leave-one-block-out) and for the standardised statistic of Jaelkoe et al. 2026 (arXiv 2605.25819; as their code has it: sign(mean IN - mean OUT)
(phi - mean OUT) / deviation OUT), the threshold is the (1 - FPR) quantile of all OUT scores. Printed: the standard deviation over examples of
the share of OUT models above it, beside that of as many coins, and the TPR.
"""
import sys

import numpy as np

pool = np.load(sys.argv[1])
level = float(sys.argv[2]) if len(sys.argv) > 2 else 0.01
z, y, member = pool["logits"].astype(float), pool["labels"].astype(int), pool["membership"].astype(bool)
z = z.reshape(z.shape[0], z.shape[1], -1)
own = np.take_along_axis(z, y[None, :, None], 2)[..., 0]
others = np.where(np.arange(z.shape[2]) == y[:, None], -np.inf, z)
top = others.max(2)
phi = own - top - np.log(np.exp(others - top[..., None]).sum(2))
models, n = phi.shape
lira, standard = np.empty_like(phi), np.empty_like(phi)
for block in range(models // 2):
    rest = np.arange(models) // 2 != block
    sides = []
    for side in (member[rest], ~member[rest]):
        count = side.sum(0)
        mean = (phi[rest] * side).sum(0) / count
        residual = (phi[rest] - mean) * side
        sides.append((mean, np.sqrt((residual**2).sum() / side.sum()), np.sqrt((residual**2).sum(0) / count) + 1e-12))
    (m1, s1, _), (m0, s0, own0) = sides
    for k in (2 * block, 2 * block + 1):
        lira[k] = np.log(s0 / s1) + ((phi[k] - m0) / s0) ** 2 / 2 - ((phi[k] - m1) / s1) ** 2 / 2
        standard[k] = np.sign(m1 - m0) * (phi[k] - m0) / own0
out = models // 2
print(f"{models} models, {n} examples, FPR {level}; coins alone give a deviation of {np.sqrt(level * (1 - level) / out):.4f}")
for name, s in [("lira", lira), ("standardised", standard)]:
    threshold = np.quantile(s[~member], 1 - level)
    rate = ((s > threshold) & ~member).sum(0) / (~member).sum(0)
    spread = np.sort(rate)
    top = spread[-n // 100 :].mean()
    print(f"{name}: deviation over examples {rate.std():.4f}, the 1 % most accused {top:.3f}, TPR {(s > threshold)[member].mean():.4f}")
