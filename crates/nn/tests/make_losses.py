"""Make losses.json: training losses used as defences, and their gradients with respect to the logits.

    python make_losses.py    # needs torch; everything in float64

Seven rows of `logits` for five classes and their `labels`; the last row is confident and right. Each of `cases` holds
its parameters, the batch's objective `value` with its `gradient` and, where value is a mean of row losses, `rows` with
the gradient of every row's own loss, `row_gradient`.

  cross-entropy, label-smoothing
  mixup                     lambda of the row's own label, 1 - lambda of that of row permutation[i]
  confidence-penalty        CE - beta H(p), arXiv 1701.06548
  relaxloss-descent         arXiv 2207.05801, Algorithm 1: mean CE >= alpha
  relaxloss-ascent          mean CE < alpha, even epochs
  relaxloss-flatten*        mean CE < alpha, odd epochs: soft labels with min(p_y, upper) at the label. `constant`: no
                            gradient through the soft labels, as in the paper; the authors' code has one. `image`: the
                            code's rule for images, (wrong ? soft CE : 0) - CE
  relaxloss-even-*          the code's |mean CE - alpha|, the same gradient as descent and ascent
  hamp, hamp-code           arXiv 2307.01610: KL(target || p) - alpha H(p), the target's entropy at least
                            gamma log(classes); the code divides KL by the classes and searches in steps of 0.01

`hamp_targets` has the label's probability in such targets, the other classes share the rest. `hamp_output`: at test
time a row returns the sorted output for a random input, in the order of its own logits.
"""

import json
import math

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, one_hot

from make_fixtures import OUT

CLASSES, RANDOM_ROWS = 5, 6
LABELS = torch.tensor([3, 1, 0, 4, 2, 1, 2])
HOT = one_hot(LABELS, CLASSES).double()
CONFIDENT = torch.tensor([[-2.0, 0.0, 9.0, -1.0, 1.0]], dtype=torch.float64)
HAMP_TARGETS = [(3, 0.5), (5, 0.6), (10, 0.95), (30, 0.5), (100, 0.5), (100, 0.6), (100, 0.8)]


def entropy(logits):
    return -(logits.softmax(-1) * log_softmax(logits, -1)).sum(-1)


def soft(logits, target):
    return -(target * log_softmax(logits, -1)).sum(-1)


def spread(top):
    """Targets with `top` at the label, the rest shared by the others."""
    top = torch.as_tensor(top, dtype=torch.float64).reshape(-1, 1)
    return HOT * top + (1 - HOT) * (1 - top) / (CLASSES - 1)


def flatten(z, upper, constant, image):
    top = z.softmax(-1)[torch.arange(len(LABELS)), LABELS].clamp(max=upper)
    loss = soft(z, spread(top.detach() if constant else top))
    wrong = (z.argmax(-1) != LABELS).double()
    return wrong * loss - soft(z, HOT) if image else loss


def hamp_target(classes, gamma):
    """The largest probability of the label whose entropy is at least gamma * log(classes), and the code's."""

    def enough(p):
        q = (1 - p) / (classes - 1)
        return -p * math.log(p) - (classes - 1) * q * math.log(q) >= gamma * math.log(classes)

    low, high = 1 / classes, 1.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if enough(middle) else (low, middle)
    return {"exact": low, "code": next(p for p in (1 - n / 100 for n in range(1, 100)) if enough(p))}


def hamp(z, gamma, alpha, code):
    target = spread(hamp_target(CLASSES, gamma)["code" if code else "exact"])
    kl = kl_div(log_softmax(z, -1), target, reduction="none").sum(-1)
    return kl / (CLASSES if code else 1) - alpha * entropy(z)


def case(logits, loss, **parameters):
    z = logits.clone().requires_grad_()
    rows = loss(z)
    (gradient,) = torch.autograd.grad(rows.mean(), z)
    made = {"parameters": parameters, "value": float(rows.detach().mean()), "gradient": gradient.tolist()}
    if rows.dim():
        made |= {"rows": rows.tolist(), "row_gradient": (gradient * len(rows)).tolist()}
    return made


def main():
    torch.manual_seed(0)
    logits = torch.cat([torch.randn(RANDOM_ROWS, CLASSES, dtype=torch.float64).mul(3).round(decimals=3), CONFIDENT])
    random = torch.randn(logits.shape, dtype=torch.float64).round(decimals=3)
    order = [4, 0, 6, 5, 1, 3, 2]

    def ce(z):
        return soft(z, HOT)

    mean = float(ce(logits).mean())
    low, high = 0.5, 8.0
    wrong = logits.argmax(-1) != LABELS
    assert low < mean < high and 0 < wrong.sum() < RANDOM_ROWS
    p_true = logits.softmax(-1)[HOT.bool()]
    assert (p_true > 0.3).any() and (p_true < 0.3).any()

    cases = {
        "cross-entropy": case(logits, ce),
        "label-smoothing": case(logits, lambda z: 0.9 * ce(z) + 0.1 * soft(z, 1 / CLASSES), epsilon=0.1),
        "mixup": case(logits, lambda z: 0.3 * ce(z) + 0.7 * soft(z, HOT[order]), permutation=order, **{"lambda": 0.3}),
        "confidence-penalty": case(logits, lambda z: ce(z) - 0.3 * entropy(z), beta=0.3),
        "relaxloss-descent": case(logits, ce, alpha=low),
        "relaxloss-ascent": case(logits, lambda z: -ce(z), alpha=high),
        "relaxloss-even-above": case(logits, lambda z: (ce(z).mean() - low).abs(), alpha=low),
        "relaxloss-even-below": case(logits, lambda z: (ce(z).mean() - high).abs(), alpha=high),
    }
    for constant in (True, False):
        for upper, image in ((1.0, False), (0.3, False), (1.0, True)):
            more = {"upper": upper, "constant": constant, "image": image}
            name = f"relaxloss-flatten{'-image' * image}{'-upper' * (upper < 1)}{'-code' * (not constant)}"
            cases[name] = case(logits, lambda z: flatten(z, **more), alpha=high, **more)
    for code in (False, True):
        more = {"gamma": 0.6, "alpha": 0.05}
        cases["hamp" + "-code" * code] = case(logits, lambda z: hamp(z, code=code, **more), **more)

    def agrees(name, value):
        return math.isclose(cases[name]["value"], float(value), rel_tol=1e-12)

    assert agrees("cross-entropy", cross_entropy(logits, LABELS))
    assert agrees("label-smoothing", cross_entropy(logits, LABELS, label_smoothing=0.1))
    target = spread(hamp_target(CLASSES, 0.6)["code"])
    kl = kl_div(log_softmax(logits, -1), target, reduction="batchmean") / CLASSES
    assert agrees("hamp-code", kl - 0.05 * torch.distributions.Categorical(logits=logits).entropy().mean())

    ranks = logits.argsort(-1).argsort(-1)
    returned = random.sort(-1).values.gather(-1, ranks)
    text = {
        "torch": torch.__version__.split("+")[0],
        "logits": logits.tolist(),
        "labels": LABELS.tolist(),
        "cases": cases,
        "hamp_targets": [{"classes": k, "gamma": g} | hamp_target(k, g) for k, g in HAMP_TARGETS],
        "hamp_output": {
            "random_logits": random.tolist(),
            "logits": returned.tolist(),
            "probabilities": returned.softmax(-1).tolist(),
        },
    }
    path = OUT.parent / "losses.json"
    path.write_text(json.dumps(text, separators=(",", ":")))
    for name, made in cases.items():
        print(f"{name:32} {made['value']:.6f}  {made['parameters']}")


if __name__ == "__main__":
    main()
