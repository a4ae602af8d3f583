"""Prints the table of a run of compare.sh: medians over rounds, ratio to the peer's fastest form."""

import collections
import json
import statistics
import sys

times = collections.defaultdict(lambda: collections.defaultdict(list))
rates = {}
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    key = (row["network"], row["optimizer"].lower())
    name = "flatleak"
    if "peer" in row:
        name = row["peer"] + (", channels-last" if row["channels_last"] else "")
    else:
        rates.setdefault(key, []).append((row["gflops"], row["share_of_peak"]))
    times[key][name].append(row["ms_per_step"])

print("| network | step | flatleak, ms | GFLOP/s | share of peak | PyTorch eager, ms | fastest PyTorch | JAX, ms | ratio to eager | to fastest PyTorch | to JAX |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for key, found in times.items():
    median = {name: statistics.median(values) for name, values in found.items()}
    ours = median.pop("flatleak")
    jax = median.pop("jax", None)
    eager, (best, fastest) = median["pytorch-eager"], min(median.items(), key=lambda kv: kv[1])
    gflops, share = (statistics.median(v) for v in zip(*rates[key]))
    print(
        f"| {key[0]} | {key[1]} | {ours:.2f} | {gflops:.0f} | {share:.2f} | {eager:.2f} "
        f"| {fastest:.2f} ({best.removeprefix('pytorch-')}) "
        f"| {f'{jax:.2f}' if jax else '-'} | {eager / ours:.2f} | {fastest / ours:.2f} | {f'{jax / ours:.2f}' if jax else '-'} |"
    )
