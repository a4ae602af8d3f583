"""How a membership matrix is read: a plain NumPy reading of the book's page on designs, for use as a reference in tests.

    python3 design.py make OUTDIR COUNT     writes OUTDIR/0.npz ... OUTDIR/(COUNT-1).npz

In a membership matrix a row is a model and a column an example; 1 says that the model was trained on the example.
Each file holds one random case of M models, N examples and B blocks (numbered steps in the comments are those of the text):
    membership (M, N), phi (M, N) float32                       the input
    blocks (M)                                                  the block of each model
    kind (M)                                                    design of the model's class, a place in KINDS; -1 for references
    scored (B, N), targets (M)                                  0 or 1
    probe (20, 3), probe_in, probe_out (20, M), scored_probe (20)
            (t, i, d): IN and OUT shadows of target t for example i with block d deleted (d = -1: none), and whether i is scored
    auc (M)                                                     of lira-online-fixed (residual); NaN for models without one
"""
import os
import sys

import numpy as np
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import hypergeom

KINDS = ["balanced", "fixed", "mixed", "independent", "entangled"]
NODE_BUDGET = 10**6
FOLDS = 5
TAIL = 1e-6


def mix(x):
    """The 64-bit mixing function (wrapping arithmetic), for a number or an array; gives an array of uint64."""
    x = np.atleast_1d(np.asarray(x, dtype=np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def example_folds(n):
    """The fold of each of the examples 0 .. n-1."""
    return (mix(mix(0xF01D) ^ np.arange(n, dtype=np.uint64)) % np.uint64(FOLDS)).astype(int)


class Links:
    """Rows that are linked to one another; component numbers go by the order of the first rows."""

    def __init__(self, size):
        self.parent = list(range(size))

    def root(self, a):
        while self.parent[a] != a:
            a = self.parent[a]
        return a

    def link(self, a, b):
        a, b = self.root(a), self.root(b)
        self.parent[max(a, b)] = min(a, b)  # a root is always the lowest row of its component

    def numbers(self):
        roots = [self.root(a) for a in range(len(self.parent))]
        order = {r: number for number, r in enumerate(sorted(set(roots)))}
        return np.array([order[r] for r in roots], dtype=int)


# ---- steps 1 to 4: classes, blocks, designs --------------------------------------------------------------------------


def find_covers(sets, everything):
    """Groups of keys of `sets` whose sets (integers used as bit masks) partition `everything`; no two of the sets alone do.

    Depth first, as in 2c. Each set that fits and is added is a node; the starts themselves are not counted.
    """
    free, covers, nodes = sorted(sets), [], 0

    def extend(cover, covered, fitting):
        # `fitting`: the free keys after the last one in the cover that are disjoint from all of the cover, in order
        nonlocal nodes
        for position, a in enumerate(fitting):
            if nodes >= NODE_BUDGET:
                break
            nodes += 1
            union = covered | sets[a]
            if union == everything:
                return cover + [a]
            found = extend(cover + [a], union, [b for b in fitting[position + 1:] if not sets[b] & union])
            if found:
                return found
        return None

    for start in sorted(sets):
        found = start in free and extend([start], sets[start], [b for b in free if b > start and not sets[b] & sets[start]])
        if found:
            covers.append(found)
            free = [a for a in free if a not in found]
    return covers


def exact_groups(m):
    """Step 2 for the rows of a class on its informative examples: the links, s of each row, and which rows are constant."""
    rows, n = m.shape
    everything = (1 << n) - 1
    with_pattern = {}  # pattern (an integer, one bit for each example) -> its rows, the lowest first
    for a in range(rows):
        with_pattern.setdefault(int("0" + "".join(map(str, m[a].astype(int))), 2), []).append(a)
    links, s, constant = Links(rows), np.ones(rows, dtype=int), np.zeros(rows, dtype=bool)
    free = {}  # lowest row -> pattern
    for pattern, equal in with_pattern.items():
        if pattern in (0, everything):
            constant[equal] = True
            continue
        complements = with_pattern.get(everything ^ pattern, [])
        for b in equal + complements:
            links.link(equal[0], b)
        s[equal] = len(equal) - len(complements)
        if not complements:
            free[equal[0]] = pattern
    for held_out in (True, False):
        for cover in find_covers({a: everything ^ p if held_out else p for a, p in free.items()}, everything):
            for first in cover:
                for b in with_pattern[free.pop(first)]:
                    links.link(cover[0], b)
                    s[b] = 0
    return links, s, constant


def correlation_links(m, groups, s, constant):
    """Step 3: pairs of rows linked by their correlation, and how near the closest call was."""
    rows, n = m.shape
    # All in whole numbers: x is rows * (member - c / rows), and `covariance` is n * rows^2 times the centred sum of products.
    members = m.astype(np.int64)
    x = rows * members - members.sum(axis=0)
    total = x.sum(axis=1)
    covariance = n * (x @ x.T) - np.outer(total, total)
    square = np.diag(covariance).astype(float)
    sum_s = int(s.sum())
    variance0 = (rows**2 - 2 * rows * s + sum_s).astype(float)                        # rows^2 * var_a
    covariance0 = (sum_s - rows * (s[:, None] + s[None, :])).astype(float)            # rows^2 * cov
    usable = ~constant & (square / (n * rows**2) >= 1e-9 * n) & (variance0 > 0)
    whole = (s == 0)[:, None] & (s == 0)[None, :]  # two partitions of all examples are unrelated
    tested = np.triu((groups[:, None] != groups[None, :]) & usable[:, None] & usable[None, :] & ~whole)
    a, b = np.nonzero(tested)
    r = covariance[a, b] / np.sqrt(square[a] * square[b])
    r0 = covariance0[a, b] / np.sqrt(variance0[a] * variance0[b])
    excess = np.abs(r - r0) - max(0.25, 4.5 / np.sqrt(n))
    # Common examples of two rows of these sizes, drawn by lot: as many or more, or as few or fewer.
    both, sizes = members @ members.T, members.sum(axis=1)
    law = hypergeom(n, sizes[a], sizes[b])
    tail = np.where(r > r0, law.sf(both[a, b] - 1), law.cdf(both[a, b]))
    linked = (excess > 0) & (tail < 3.398e-6)
    return list(zip(a[linked], b[linked])), np.abs(excess).min(initial=np.inf)


def cut_variance(rates, mu):
    """Var[K | 0 < K < rows] of a sum K of independent coins, one for each row, whose log-odds are those of `rates` but for one shift, by which
    E[K | 0 < K < rows] is mu; 0 where no shift gives that mean."""
    rows = len(rates)
    if not 1 < mu < rows - 1:
        return 0.0
    rates = np.clip(rates, 1e-6, 1 - 1e-6)
    odds = rates / (1 - rates)
    k = np.arange(1, rows)

    def moments(shift):
        p = odds * np.exp(shift) / (1 + odds * np.exp(shift))
        law = np.ones(1)
        for heads in p:  # the law of the sum is the product of the coins' polynomials
            law = np.convolve(law, [1 - heads, heads])
        weight = law[1:rows] / law[1:rows].sum()
        mean = weight @ k
        return mean, weight @ (k - mean) ** 2

    low, high = -20.0, 20.0
    for _ in range(80):
        shift = (low + high) / 2
        low, high = (shift, high) if moments(shift)[0] < mu else (low, shift)
    return moments(shift)[1]


def class_design(m, blocks):
    """Step 4 for the rows of a class on its informative examples: the design, and how near the closest call was (relative)."""
    number = blocks.max() + 1
    in_block = np.array([m[blocks == b].sum(axis=0) for b in range(number)])
    if (in_block == in_block[:, :1]).all():
        return "balanced", np.inf
    firsts = [np.flatnonzero(blocks == b)[0] for b in range(number)]
    k = m[firsts].sum(axis=0)
    equal_rows = (m == m[firsts][blocks]).all()
    inner = k[(k > 0) & (k < number)]
    lower = upper = 1.0
    if len(inner) >= 2:
        mu = inner.mean()
        v = cut_variance(m[firsts].mean(axis=1), mu)
        if v > 0:
            statistic = ((inner - mu) ** 2).sum() / v
            lower = chi2_distribution.cdf(statistic, len(inner) - 1)
            upper = chi2_distribution.sf(statistic, len(inner) - 1)
    margin = min(abs(lower / TAIL - 1), abs(upper / TAIL - 1))
    if k.max() == k.min() or lower < TAIL:
        return ("fixed" if equal_rows else "entangled"), margin
    return ("mixed" if upper < TAIL else "independent"), margin


def read_class(m):
    """Steps 2 to 4 for the rows of a class on its informative examples: blocks, design, margin."""
    if m.shape[1] == 0:
        return np.arange(len(m)), "balanced", np.inf
    links, s, constant = exact_groups(m)
    pairs, margin = correlation_links(m, links.numbers(), s, constant)
    for a, b in pairs:
        links.link(a, b)
    kind, kind_margin = class_design(m, links.numbers())
    return links.numbers(), kind, min(margin, kind_margin)


def data_classes(m):
    """Steps 0 and 1: the class number of each row, -1 for references."""
    working = np.flatnonzero(m.any(axis=1) & ~m.all(axis=1))
    links = Links(len(working))
    for a, b in zip(*np.nonzero(m[working].astype(int) @ m[working].T.astype(int))):
        links.link(a, b)
    classes = np.full(len(m), -1)
    classes[working] = links.numbers()
    return classes


def read(membership):
    """The whole reading. `masks(b, deleted)` gives the IN and OUT shadows of block b's targets: two N x M masks."""
    m = np.asarray(membership).astype(bool)
    M, N = m.shape
    classes = data_classes(m)
    links, margin = Links(M), np.inf
    kinds = np.full(M, -1)
    support, informative = {}, {}  # of each class, over all N examples
    for c in range(classes.max() + 1):
        rows = np.flatnonzero(classes == c)
        support[c] = m[rows].any(axis=0)
        informative[c] = support[c] & ~m[rows].all(axis=0)
        blocks, kind, class_margin = read_class(m[rows][:, informative[c]])
        for a, b in zip(rows, blocks):
            links.link(rows[blocks == b][0], a)
        kinds[rows] = KINDS.index(kind)
        margin = min(margin, class_margin)
    blocks = links.numbers()
    B = blocks.max() + 1
    firsts = np.array([np.flatnonzero(blocks == b)[0] for b in range(B)])
    fixed = kinds == KINDS.index("fixed")
    strata = {c: m[firsts[classes[firsts] == c]].sum(axis=0) for c in range(classes.max() + 1)}  # k_i, over all N examples

    def masks(b, deleted=()):
        deleted = np.unique(np.array(deleted, dtype=int))
        eligible = (blocks != b) & ~np.isin(blocks, deleted)
        shadows_in, shadows_out = m.T & eligible, ~m.T & eligible
        first, c = firsts[b], classes[firsts[b]]
        if not fixed[first]:
            return shadows_in, shadows_out
        size, d = (classes[firsts] == c).sum(), (classes[firsts[deleted]] == c).sum()
        others = [x for x in np.flatnonzero(classes[firsts] == c) if x != b and x not in deleted]
        per_example = mix(mix(first) ^ np.arange(N, dtype=np.uint64))
        priority = mix(per_example[:, None] ^ firsts[others].astype(np.uint64)).reshape(N, len(others))
        for shadows, holds, keep in ((shadows_in, m[firsts[others]].T, strata[c] - 1 - d),
                                     (shadows_out, ~m[firsts[others]].T, size - strata[c] - 1 - d)):
            # Rank of each block among the blocks of its side (blocks of the other side come after them).
            rank = np.lexsort((priority, ~holds), axis=1).argsort(axis=1)
            kept = holds & (rank < np.maximum(keep, 0)[:, None])
            for x, keep_it in zip(others, kept.T):
                shadows[:, blocks == x] &= keep_it[:, None]
        return shadows_in, shadows_out

    def scored_undeleted(b):
        c = classes[firsts[b]]
        if c < 0:
            return np.zeros(N, dtype=bool)
        blocks_with = [sum(mask[:, blocks == x].any(axis=1).astype(int) for x in range(B)) for mask in masks(b)]
        return (np.min(blocks_with, axis=0) >= 2) & informative[c]

    scored_by_block = [scored_undeleted(b) for b in range(B)]

    def scored(b, deleted=()):
        left = [mask.any(axis=1) for mask in masks(b, deleted)] if len(deleted) else []
        return np.all([scored_by_block[b], *left], axis=0)

    targets = [t for t in range(M) if (scored(blocks[t]) & m[t]).any() and (scored(blocks[t]) & ~m[t]).any()]
    return dict(blocks=blocks, kinds=kinds, classes=classes, strata=strata, masks=masks, scored=scored, targets=targets,
                folds=example_folds(N), margin=margin)


# ---- step 7: what is learnt across examples, and the AUC -------------------------------------------------------------


def masked_median(values, mask):
    """Per row, the median of the values under the mask (there is at least one)."""
    count = mask.sum(axis=1)
    ordered = np.sort(np.where(mask, values, np.inf), axis=1)
    middle = np.stack([(count - 1) // 2, count // 2], axis=1)
    return np.take_along_axis(ordered, middle, axis=1).mean(axis=1)


def lira_auc(phi, membership, design=None):
    """AUC of lira-online-fixed (residual) per model; None where it is no target or no member of it meets a non-member."""
    design = design or read(membership)
    m, phi = np.asarray(membership).astype(bool), np.asarray(phi, dtype=np.float64)
    fixed = design["kinds"] == KINDS.index("fixed")
    folds = design["folds"] if fixed.any() else np.zeros(m.shape[1], dtype=int)
    result, prepared = [None] * len(m), {}
    for t in design["targets"]:
        b = design["blocks"][t]
        scored = np.flatnonzero(design["scored"](b))
        fold = folds[scored]
        if b not in prepared:  # the same for all targets of a block: mu and s per scored example, IN and OUT
            prepared[b] = []
            for mask in design["masks"](b):
                mask, values = mask[scored], phi.T[scored]
                mu = masked_median(values, mask)
                residual = np.where(mask, values - mu[:, None], 0.0)
                s = np.zeros(len(scored))
                for f in np.unique(fold):
                    learn = fold != f if fixed.any() else fold == f  # without folds everything is in fold 0
                    number = max(mask[learn].sum(), 1)
                    mean, square = residual[learn].sum() / number, (residual[learn] ** 2).sum() / number
                    s[fold == f] = np.sqrt(max(square - mean**2, 0.0)) + 1e-30
                prepared[b].append((mu, s))
        score_in, score_out = (-np.log(s) - ((phi[t, scored] - mu) / s) ** 2 / 2 for mu, s in prepared[b])
        score, member, won, pairs = score_in - score_out, m[t, scored], 0.0, 0
        stratum = (fold + FOLDS * design["strata"][design["classes"][t]][scored]) * fixed[t]  # one stratum in other designs
        for value in np.unique(stratum):
            inside, outside = score[(stratum == value) & member], np.sort(score[(stratum == value) & ~member])
            won += sum(np.searchsorted(outside, inside, side).sum() for side in ("left", "right")) / 2  # ties half
            pairs += len(inside) * len(outside)
        result[t] = won / pairs if pairs else None
    return result


# ---- random memberships ----------------------------------------------------------------------------------------------


def partitions(rng, rows, n, k, even=True):
    """Held-out folds: as many partitions of the examples into k parts as fit, one row for each part."""
    parts = [rng.permutation(n) % k if even else rng.integers(0, k, n) for _ in range(max(rows // k, 1))]
    return np.vstack([part[None, :] != np.arange(k)[:, None] for part in parts])


def with_counts(rng, rows, counts):
    """Each example in the given number of models, chosen at random."""
    return rng.random((rows, len(counts))).argsort(axis=0) < counts


def join_disjoint(parts):
    """Groups of models that share no examples."""
    m, row, column = np.zeros(np.sum([p.shape for p in parts], axis=0), dtype=bool), 0, 0
    for p in parts:
        m[row:row + len(p), column:column + p.shape[1]] = p
        row, column = row + len(p), column + p.shape[1]
    return m


PLAIN = ["half rows", "pairs", "folds", "in-folds", "triples", "coin", "mixed rates", "halves", "counts", "counts 3 to 5 of 8",
         "stray", "in-folds with references", "halves with references", "few rows at .9", "disjoint", "row sizes"]
ALL = PLAIN + ["duplicates", "duplicates", "disjoint"]
PARTS = ["half rows", "halves", "pairs", "folds", "triples", "coin", "counts 3 to 5 of 8"]  # of disjoint data


def draw(rng, kind, rows, n):
    """A matrix of a kind, of about so many rows, for n examples."""
    if kind in ("half rows", "row sizes"):  # rows of n / 2 examples each, or of 20 % and 80 %
        share = 0.5 if kind == "half rows" else rng.choice([0.2, 0.8], (rows, 1))
        return rng.random((rows, n)).argsort(axis=1).argsort(axis=1) < np.round(share * n)
    if kind == "pairs":
        return np.vstack([half := draw(rng, rng.choice(["half rows", "coin"]), rows // 2, n), ~half])
    if kind in ("folds", "triples"):
        return partitions(rng, rows, n, 3 if kind == "triples" else int(rng.integers(3, 11)), rng.random() < 0.7)
    if kind == "in-folds":
        return ~draw(rng, "folds", rows, n)
    if kind in ("coin", "few rows at .9"):
        rows, rate = (rows, rng.uniform(0.1, 0.9)) if kind == "coin" else (rng.integers(4, 9), 0.9)
        return rng.random((rows, n)) < rate
    if kind == "mixed rates":
        return rng.random((rows, n)) < (rng.choice([0.2, 0.8], n) if rng.random() < 0.5 else rng.random(n))
    if kind in ("halves", "counts"):  # exact halves, or another number that is the same for all examples
        return with_counts(rng, rows, np.full(n, (rows + 1) // 2 if kind == "halves" else rng.integers(1, rows)))
    if kind == "counts 3 to 5 of 8":  # or half of another number of rows, give or take one
        rows = 8 if rng.random() < 0.5 else rows
        return with_counts(rng, rows, rows // 2 + rng.integers(-1, 2, n))
    if kind == "stray":  # halves or folds, but for one or two examples
        m = draw(rng, "halves" if rng.random() < 0.7 else "folds", 8 if rng.random() < 0.5 else rows, n)
        strays = rng.choice(n, rng.integers(1, 3), replace=False)
        m[:, strays] = with_counts(rng, len(m), np.full(len(strays), rng.integers(1, len(m))))
        return m
    if kind == "in-folds with references":
        m = draw(rng, "in-folds", max(rows - 2, 3), n)
        m[:, :rng.integers(1, 6)] = True
        return np.vstack([m, np.zeros((rng.integers(1, 3), n), dtype=bool)])
    if kind == "halves with references":
        return np.vstack([draw(rng, "halves", max(rows - 3, 3), n), np.zeros((rng.integers(1, 4), n), dtype=bool)])
    if kind == "disjoint":  # two or three groups, of one kind or of several
        groups = 2 if rng.random() < 0.7 else 3
        kinds = rng.choice(PARTS, groups) if rng.random() < 0.4 else [rng.choice(PARTS)] * groups
        sizes = np.diff([0, *sorted(rng.choice(np.arange(5, n - 4), groups - 1, replace=False)), n])
        return join_disjoint([draw(rng, k, max(rows // groups, 2), size) for k, size in zip(kinds, sizes)])
    assert kind == "duplicates"  # all rows twice, some rows more than once, or one row twice; often of folds and halves
    m = draw(rng, rng.choice(["folds", "halves"] if rng.random() < 0.5 else PLAIN), max(rows // 2, 2), n)
    times = [np.full(len(m), 2), rng.choice([1, 1, 2, 3], len(m)), 1 + (np.arange(len(m)) == 0)][rng.integers(3)]
    return np.repeat(m, times, axis=0)


def make(seed):
    """A random membership: a kind of matrix, at times with lone or constant rows, idle and always-in examples, references."""
    rng = np.random.default_rng([seed, 0])
    while True:
        rows, N = int(rng.integers(4, 41)), int(rng.integers(30, 301))
        idle, always = (int(rng.integers(1, N // 10 + 1)) if rng.random() < 0.3 else 0 for _ in range(2))
        references = int(rng.integers(1, 4)) if rng.random() < 0.3 else 0
        n = N - idle - always
        m = draw(rng, rng.choice(ALL), rows, n)
        if rng.random() < 0.15:
            m = np.vstack([m, rng.random((int(rng.integers(1, 4)), n)) < 0.5])
        if rng.random() < 0.1:  # rows that are constant, but for idle and always-in examples
            m = np.vstack([m, np.repeat(rng.random((int(rng.integers(1, 3)), 1)) < 0.5, n, axis=1)])
        m = np.hstack([m, np.zeros((len(m), idle), dtype=bool), np.ones((len(m), always), dtype=bool)])
        m = np.vstack([m, np.repeat(rng.random((references, 1)) < 0.2, N, axis=1)])
        m = m[rng.permutation(len(m))][:, rng.permutation(N)]
        counts = m.sum(axis=0)
        if 4 <= len(m) <= 40 and ((counts > 0) & (counts < len(m))).any():
            return m


def make_case(seed):
    """All arrays of one test case, and the design."""
    m = make(seed)
    M, N = m.shape
    rng = np.random.default_rng([seed, 1])
    phi = (rng.standard_normal((M, N)) + 0.8 * m + rng.standard_normal(N)).astype(np.float32)
    design = read(m)
    blocks = design["blocks"]
    B = blocks.max() + 1
    probe, scored_probe = np.zeros((20, 3), dtype=np.int64), np.zeros(20, dtype=np.uint8)
    probe_in, probe_out = np.zeros((20, M), dtype=np.uint8), np.zeros((20, M), dtype=np.uint8)
    for row in range(20):
        t, i = int(rng.integers(M)), int(rng.integers(N))
        others = [b for b in range(B) if b != blocks[t]]
        d = int(rng.choice(others)) if others and rng.random() < 0.5 else -1
        deleted = () if d < 0 else (d,)
        probe[row] = t, i, d
        probe_in[row], probe_out[row] = (mask[i] for mask in design["masks"](blocks[t], deleted))
        scored_probe[row] = design["scored"](blocks[t], deleted)[i]
    auc = np.array([np.nan if a is None else a for a in lira_auc(phi, m, design)], dtype=np.float64)
    return dict(membership=m.astype(np.uint8), phi=phi, blocks=blocks.astype(np.int64), kind=design["kinds"].astype(np.int64),
                scored=np.array([design["scored"](b) for b in range(B)]).astype(np.uint8),
                targets=np.isin(np.arange(M), design["targets"]).astype(np.uint8), probe=probe, probe_in=probe_in,
                probe_out=probe_out, scored_probe=scored_probe, auc=auc), design


def main(arguments):
    if len(arguments) != 3 or arguments[0] != "make":
        sys.exit("usage: python3 design.py make OUTDIR COUNT")
    os.makedirs(arguments[1], exist_ok=True)
    for k in range(int(arguments[2])):
        arrays, design = make_case(k)
        np.savez_compressed(os.path.join(arguments[1], f"{k}.npz"), **{name: np.ascontiguousarray(a) for name, a in arrays.items()})
        if design["margin"] < 1e-9:
            print(f"case {k}: a correlation or a test is within 1e-9 of its threshold; rounding may decide it")


if __name__ == "__main__":
    main(sys.argv[1:])
