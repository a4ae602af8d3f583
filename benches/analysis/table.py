"""Prints the table of a run of compare.sh: table.py results/DATE.jsonl (standard library only).

Times are medians over rounds, of all targets: where a peer scored some of them, its time times 64 over their number. Ratios are the peer's
time over ours. The difference is the largest among the AUCs of the targets that both have printed; 1 is the exit status where it is above
1e-6 and no reason is known.
"""

import collections
import json
import math
import statistics
import sys

MODELS = 64
SAME = 1e-6
TIMES = ("cpu_s", "wall_s", "ranked_cpu_s", "ranked_wall_s")
NAMED = ("lira-online", "lira-online-fixed", "rmia")


def reason(peer, pool, attack, kind):
    """Why a peer's AUC is not ours."""
    if peer == "mialibrary" and pool.startswith("pairs"):
        return "the target's twin is among its shadows"
    if peer == "mialibrary" and attack == "rmia":
        return "the share of 1,000 population ratios below has ties"
    if kind == "float32":
        return "single precision"
    if peer == "mi_lira_2021" and pool.startswith("coins"):
        return "sides cut to the fewest values of any example"
    return None


def read(path):
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    rows = collections.defaultdict(list)
    joint = " + ".join(NAMED)
    for row in lines[1:]:
        # Attacks side by side are shown only where peers have all of them.
        if "+" in row["attack"] and row["attack"] != joint:
            continue
        rows[row["peer"], row["pool"], row["threads"], row["attack"], row.get("float")].append(row)
    return lines[0], {key: merge(found) for key, found in rows.items()}


def merge(found):
    """One row of several rounds: medians of times, scaled to all targets."""
    share = MODELS / found[0].get("targets", MODELS)
    times = {t: share * statistics.median(row[t] for row in found) for t in TIMES if t in found[0]}
    return found[0] | times


def seconds(value):
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 10 else f"{value:.0f}"


def line(key, row, ours):
    """Cells of a row, and whether its AUCs are as they should be."""
    peer, pool, threads, attack, kind = key
    # A peer that gives no scores without ranks is compared with ours ranked.
    prefix = "" if "cpu_s" in row else "ranked_"
    who = peer + (f", {kind}" if kind else "")
    if row.get("targets", MODELS) < MODELS:
        who += f" ({row['targets']} targets scored)"
    times = [prefix + t for t in ("cpu_s", "wall_s")]
    cells = [pool, attack + (", ranked" if prefix else ""), str(threads), who, *(seconds(row[t]) for t in times)]
    cells += [""] * 2 if peer == "ours" else [f"{row[t] / ours[t]:.1f}" for t in times]
    cells.append(f"{row['auc']:.6f}" if "auc" in row else "")
    if peer == "ours" or "auc_first" not in row:
        return [*cells, ""], True
    gap = max(abs(a - b) for a, b in zip(row["auc_first"], ours["auc_first"]))
    why = reason(peer, pool, attack, kind)
    cells.append((f"{gap:.0e}" if gap else "0") + (f": {why}" if why and gap > SAME else ""))
    return cells, gap <= SAME or why is not None


def sums(rows):
    """Rows of the three named attacks together, for peers that have all; ours has them side by side."""
    for peer, pool, threads, attack, kind in list(rows):
        each = [rows.get((peer, pool, threads, name, kind)) for name in NAMED]
        if attack == NAMED[0] and peer != "ours" and all(each):
            yield (peer, pool, threads, " + ".join(NAMED), kind), {t: sum(row[t] for row in each) for t in ("cpu_s", "wall_s")}


def means(rows):
    """Geometric means of mialibrary's time over ours, its faster precision, attack by attack."""
    for threads in (1, 2):
        for pool in ("pairs-20000", "coins-20000"):
            for clock in ("cpu_s", "wall_s"):
                ratios = []
                for attack in NAMED:
                    theirs = [rows.get(("mialibrary", pool, threads, attack, kind)) for kind in ("float64", "float32")]
                    ours = rows.get(("ours", pool, threads, attack, None))
                    if ours and all(theirs):
                        ratios.append(min(row[clock] for row in theirs) / ours[clock])
                if ratios:
                    yield pool, threads, clock, math.exp(statistics.fmean(map(math.log, ratios)))


def main():
    header, rows = read(sys.argv[1])
    rows |= dict(sums(rows))
    print("; ".join(f"{name}: {value}" for name, value in header.items() if value))
    print()
    print("| pool | attack | threads | who | CPU, s | wall, s | CPU ratio | wall ratio | mean AUC | largest difference of an AUC |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    good = True
    order = sorted(rows, key=lambda key: (key[1], key[3], key[2], key[0] != "ours", key[0], key[4] or ""))
    for key in order:
        cells, fine = line(key, rows[key], rows.get(("ours", *key[1:4], None)))
        good &= fine
        print("| " + " | ".join(cells) + " |")
        if not fine:
            print(f"{key}: AUCs differ, and no reason is known", file=sys.stderr)
    print()
    for pool, threads, clock, mean in means(rows):
        print(f"mialibrary over ours, geometric mean of {', '.join(NAMED)}: {pool}, {threads} thread(s), {clock}: {mean:.2f}")
    sys.exit(not good)


if __name__ == "__main__":
    main()
