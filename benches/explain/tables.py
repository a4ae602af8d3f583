"""The book's tables of gains from a results.json: python3 benches/explain/tables.py DIR/results.json (standard library only)."""

import json
import sys

explain = json.load(open(sys.argv[1]))["explain"]


def figure(e):
    return f"{e['mean']:+.4f} [{e['low']:+.4f}, {e['high']:+.4f}]"


sorts = {}
for b in explain["entropy_buckets"]:
    sorts.setdefault(b["by"], []).append(b)
for by, all_ in sorts.items():
    print(f"\n{by}{'' if all_[0]['measurable'] else ' (not measurable)'}\n")
    print("| bucket | examples | baseline | " + " | ".join(f"{b['candidate']} - {b['baseline']}" for b in all_) + " |")
    print("|---|---|---|" + "---|" * len(all_))
    for row in all_[0]["buckets"]:
        found = [[x for x in b["buckets"] if x["bucket"] == row["bucket"]] for b in all_]
        gains = [figure(f[0]["gain"]) if f else "-" for f in found]
        print(f"| {row['bucket']} | {row['examples']:.0f} | {row['baseline']['mean']:.4f} | " + " | ".join(gains) + " |")
    contrasts = [figure(b["contrast"]) if b["contrast"] else "-" for b in all_]
    print("| 1, 2 minus 4, 5 at equal difficulty | | | " + " | ".join(contrasts) + " |")

recipes = list(dict.fromkeys(g["recipe"] for g in explain["groups"]))
if recipes:
    print("\n| group | pool | " + " | ".join(f"{r}: accuracy, memorization" for r in recipes) + " |")
    print("|---|---|" + "---|" * len(recipes))
    for g in explain["groups"]:
        if g["recipe"] != recipes[0]:
            continue
        same = [x for x in explain["groups"] if x["name"] == g["name"]]
        print(
            f"| {g['name']} | {g['pool']} | "
            + " | ".join(f"{x['test_accuracy']['mean']:.4f}, {x['memorization']['mean']:+.4f}" for x in same)
            + " |"
        )
