"""How a membership matrix is read, for `make_reference.py`: blocks of rows, designs, shadows, examples to score.

In a membership matrix a row is a model and a column an example; 1 says that the model was trained on the example.
0. References hold no example or every example: a block each, never a target, but a shadow of everybody.
1. Other rows that share a member example, be it through further rows, are a class; its support is what they hold.
   Examples in some but not all of the class's rows are informative.
2. Rows that are equal or complementary on the informative examples, or that partition them, are linked.
3. So are rows whose correlation is far from that of independent ones. Blocks are what is linked.
4. A class is balanced, fixed (exact counts), mixed (uneven rates) or independent.
5. Shadows are all models outside the target's block; in fixed classes cut to a number that no row can move.
6. An example is scored with two blocks at least on either side, a model with scored members and non-members.
7. With a fixed class, examples are scored by what is learnt from other folds of examples.
"""

import numpy as np
from scipy.special import gammaln
from scipy.stats import chi2 as chi2_distribution

KINDS = ["balanced", "fixed", "mixed", "independent"]
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


# Classes, blocks, designs (steps 0 to 4) -----------------------------------------------------------------------------


def find_covers(sets, everything):
    """Groups of keys of `sets` whose sets (integers as bit masks) partition `everything`; no two of the sets alone do.

    Depth first, the lowest rows first; the first cover wins. Each set that fits and is added is a node; the starts
    themselves are not counted.
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
        fitting = [b for b in free if b > start and not sets[b] & sets[start]]
        found = start in free and extend([start], sets[start], fitting)
        if found:
            covers.append(found)
            free = [a for a in free if a not in found]
    return covers


def exact_groups(m):
    """Step 2 for a class on its informative examples: the links, s of each row, and which rows are constant.

    s is the number of rows equal to it less that of its complements, and 0 in a partition: what a row adds to the
    correlations that independent rows would have.
    """
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
    # In whole numbers: x is rows * (member - c / rows), `covariance` n * rows^2 times the centred sum of products.
    members = m.astype(np.int64)
    x = rows * members - members.sum(axis=0)
    total = x.sum(axis=1)
    covariance = n * (x @ x.T) - np.outer(total, total)
    square = np.diag(covariance).astype(float)
    sum_s = int(s.sum())
    variance0 = (rows**2 - 2 * rows * s + sum_s).astype(float)                        # rows^2 * var_a
    covariance0 = (sum_s - rows * (s[:, None] + s[None, :])).astype(float)            # rows^2 * cov
    usable = ~constant & (square / (n * rows**2) >= 1e-9 * n) & (variance0 > 0)
    tested = np.triu((groups[:, None] != groups[None, :]) & usable[:, None] & usable[None, :])
    a, b = np.nonzero(tested)
    r = covariance[a, b] / np.sqrt(square[a] * square[b])
    r0 = covariance0[a, b] / np.sqrt(variance0[a] * variance0[b])
    excess = np.abs(r - r0) - max(0.25, 4.5 / np.sqrt(n))
    return list(zip(a[excess > 0], b[excess > 0])), np.abs(excess).min(initial=np.inf)


def cut_binomial_variance(blocks, mu):
    """Var[K | 0 < K < blocks] for a binomial K with E[K | 0 < K < blocks] = mu; 0 where no rate gives that mean."""
    if not 1 < mu < blocks - 1:
        return 0.0
    k = np.arange(1, blocks)
    log_choose = gammaln(blocks + 1) - gammaln(k + 1) - gammaln(blocks - k + 1)

    def moments(p):
        log_weight = log_choose + k * np.log(p) + (blocks - k) * np.log1p(-p)
        weight = np.exp(log_weight - log_weight.max())
        mean = weight @ k / weight.sum()
        return mean, weight @ (k - mean) ** 2 / weight.sum()

    low, high = 0.0, 1.0
    for _ in range(100):
        p = (low + high) / 2
        low, high = (p, high) if moments(p)[0] < mu else (low, p)
    return moments(p)[1]


def class_design(m, blocks):
    """Step 4 for a class on its informative examples: the design, and how near the closest call was (relative)."""
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
        v = cut_binomial_variance(int(number), mu)
        if v > 0:
            statistic = ((inner - mu) ** 2).sum() / v
            lower = chi2_distribution.cdf(statistic, len(inner) - 1)
            upper = chi2_distribution.sf(statistic, len(inner) - 1)
    margin = min(abs(lower / TAIL - 1), abs(upper / TAIL - 1))
    if equal_rows and (k.max() == k.min() or lower < TAIL):
        return "fixed", margin
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


# Shadows and examples to score (steps 5 to 7) ------------------------------------------------------------------------


def read(membership):
    """The whole reading. `masks(b)` gives the IN and OUT shadows of block b's targets: two N x M masks."""
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
    # Blocks that hold an example, by their first rows.
    strata = {c: m[firsts[classes[firsts] == c]].sum(axis=0) for c in range(classes.max() + 1)}

    def masks(b):
        eligible = blocks != b
        shadows_in, shadows_out = m.T & eligible, ~m.T & eligible
        first, c = firsts[b], classes[firsts[b]]
        if not fixed[first]:
            return shadows_in, shadows_out
        same = classes[firsts] == c
        others = [x for x in np.flatnonzero(same) if x != b]
        per_example = mix(mix(first) ^ np.arange(N, dtype=np.uint64))
        priority = mix(per_example[:, None] ^ firsts[others].astype(np.uint64)).reshape(N, len(others))
        for shadows, holds, keep in (
            (shadows_in, m[firsts[others]].T, strata[c] - 1),
            (shadows_out, ~m[firsts[others]].T, same.sum() - strata[c] - 1),
        ):
            # Rank of each block among the blocks of its side (blocks of the other side come after them).
            rank = np.lexsort((priority, ~holds), axis=1).argsort(axis=1)
            kept = holds & (rank < np.maximum(keep, 0)[:, None])
            for x, keep_it in zip(others, kept.T):
                shadows[:, blocks == x] &= keep_it[:, None]
        return shadows_in, shadows_out

    def scored(b):
        c = classes[firsts[b]]
        if c < 0:
            return np.zeros(N, dtype=bool)
        blocks_with = [sum(mask[:, blocks == x].any(axis=1).astype(int) for x in range(B)) for mask in masks(b)]
        return (np.min(blocks_with, axis=0) >= 2) & (informative[c] if fixed[firsts[b]] else support[c])

    by_block = np.array([scored(b) for b in range(B)])
    targets = [t for t in range(M) if (by_block[blocks[t]] & m[t]).any() and (by_block[blocks[t]] & ~m[t]).any()]
    return dict(
        blocks=blocks,
        kinds=kinds,
        classes=classes,
        strata=strata,
        masks=masks,
        scored=by_block,
        targets=targets,
        folds=example_folds(N),
        margin=margin,
    )
