"""How much does a training recipe leak about its training data, and why?

Three lines audit models that were trained elsewhere::

    import flatleak
    found = flatleak.audit(logits, labels, membership)   # (M, N, C), (N,), (M, N)
    found.report("report.html")

``membership[m, i]`` says whether model m was trained on example i; every model is attacked with the others as shadows.
"""

from __future__ import annotations

import html as _html
import json as _json
import os as _os
from dataclasses import dataclass as _dataclass
from typing import Any as _Any

import numpy as _np

from . import _flatleak
from ._flatleak import __version__

__all__ = ["Audit", "Pool", "audit", "compare", "influence", "membership", "memorization", "__version__"]

_KINDS = ("logits", "probabilities", "phi", "loss", "confidence")


def _array(values, what):
    if isinstance(values, _np.ma.MaskedArray):
        raise ValueError(f"{what} is a masked array: leave out or repair what is masked")
    if hasattr(values, "detach"):  # a PyTorch tensor
        values = values.detach().cpu()
        values = (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    array = _np.asarray(values)
    if array.dtype.hasobject and array.size and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)
    if array.dtype.hasobject or not (array.dtype.kind in "biufUS" or array.dtype.name == "bfloat16"):
        raise ValueError(f"{what} holds values of type {array.dtype}: give numbers, booleans or text")
    array = _np.ascontiguousarray(array)
    return (array.dtype.str, list(array.shape), array.tobytes())


def _rows(membership):
    """Lists of the positions of each model's members, filled up with -1 to one length; anything else as it is."""
    if not isinstance(membership, (list, tuple)) or len({_np.size(row) for row in membership}) < 2:
        return membership
    rows = [_np.asarray(row) for row in membership]
    if any(row.ndim != 1 or row.dtype.kind not in "iu" for row in rows):
        raise ValueError("membership has rows of different lengths that are no lists of positions: give (M, N) of 0 and 1")
    longest = max(row.size for row in rows)
    return _np.stack([_np.pad(row.astype(_np.int64), (0, longest - row.size), constant_values=-1) for row in rows])


@_dataclass
class Pool:
    """The outputs of M models of one recipe, and who was trained on what.

    Give ``outputs`` as logits or probabilities (M, N, C) or (M, N, Q, C), or as phi = log(p / (1 - p)), loss or confidence of the true
    class (M, N) or (M, N, Q); ``kind`` says which. ``labels`` (N,) are needed for logits and probabilities. ``test`` outputs (M, T, ...) with
    ``test_labels`` (T,) allow influence and ``rmia-gamma``; ``features`` (N, D) and ``test_features`` (T, D) the quantile attack.
    """

    outputs: _Any
    labels: _Any
    membership: _Any
    kind: str = "logits"
    test: _Any = None
    test_labels: _Any = None
    name: str = "model"
    features: _Any = None
    test_features: _Any = None

    def _given(self):
        if self.kind not in _KINDS:
            raise ValueError(f"kind is {self.kind!r}, not one of {', '.join(_KINDS)}")
        optional = lambda values, what: None if values is None else _array(values, what)
        test = optional(self.test, "test")
        if test is not None:
            test = (test, optional(self.test_labels, "test_labels"))
        if (self.features is None) != (self.test_features is None):
            raise ValueError("features and test_features are given together")
        features = None if self.features is None else (_array(self.features, "features"), _array(self.test_features, "test_features"))
        return (
            self.name,
            self.kind,
            _array(self.outputs, self.kind),
            optional(self.labels, "labels"),
            _array(_rows(self.membership), "membership"),
            test,
            features,
        )


class Audit:
    """What an audit found: ``results`` is the content of ``results.json``."""

    def __init__(self, text, page):
        self._text, self._page = text, page
        self.results = _json.loads(text)

    @property
    def headline(self) -> str:
        """The finding in words."""
        return self.results["headline"]["sentence"]

    @property
    def verdict(self) -> str:
        """Of one pool ``leaks``, ``no-relevant-leak``, ``inverted`` or ``open``; of several ``relevantly-more``, ``more``, ``more-negligible``,
        ``equivalent``, ``identical``, their mirrors for less, ``less-in-part``, ``mixed``, ``varies`` or ``open``; ``withheld`` and ``too-few-models`` of both."""
        return self.results["headline"]["verdict"]

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the outputs."""
        return self.results.get("notes", [])

    def attack(self, name, recipe=None) -> dict:
        """One attack's figures on a recipe, the first where none is named."""
        recipes = [r for r in self.results["recipes"] if recipe in (None, r["name"])]
        found = [a for r in recipes[:1] for a in r["attacks"] if a["name"] == name]
        if not found:
            raise KeyError(f"no attack {name!r}" + ("" if recipe is None else f" on {recipe!r}"))
        return found[0]

    def to_dict(self) -> dict:
        """A copy of ``results``."""
        return _json.loads(self._text)

    def to_json(self, path) -> None:
        """Writes ``results.json`` as the command line does."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self._text)

    def report(self, path) -> str:
        """Writes the report, one HTML file that opens offline, and returns its path."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self._page)
        return _os.fspath(path)

    def to_pandas(self):
        """One row per recipe and attack (needs pandas)."""
        import pandas

        rows = []
        for recipe in self.results["recipes"]:
            for attack in recipe["attacks"]:
                row = {"recipe": recipe["name"], "attack": attack["name"], "variant": attack["variant"]}
                for measure in ("auc", "advantage", "balanced_accuracy"):
                    for end in ("mean", "low", "high"):
                        row[measure if end == "mean" else f"{measure}_{end}"] = attack[measure][end]
                for at in attack["tpr_at_fpr"]:
                    row[f"tpr@{at['fpr']:g}"] = at["tpr"]["mean"]
                rows.append(row)
        return pandas.DataFrame(rows)

    def __repr__(self):
        lines = [self.headline]
        for recipe in self.results["recipes"]:
            for attack in recipe["attacks"]:
                if attack["name"] in _flatleak.FAMILY:
                    auc = attack["auc"]
                    lines.append(f"  {recipe['name']:<16} {attack['name']:<20} AUC {auc['mean']:.4f} [{auc['low']:.4f}, {auc['high']:.4f}]")
        return "\n".join(lines)

    def _repr_html_(self):
        # Inside a frame, so that neither page changes the other's looks; the attribute is escaped.
        page = _html.escape(self._page, quote=True)
        return f'<iframe srcdoc="{page}" sandbox="" style="width:100%;height:40rem;border:1px solid #ccc"></iframe>'


def audit(
    logits=None,
    labels=None,
    membership=None,
    *,
    probabilities=None,
    phi=None,
    loss=None,
    confidence=None,
    test_logits=None,
    test_labels=None,
    features=None,
    test_features=None,
    name="model",
    variant="residual",
    attacks=(),
    relevant="auc=.01,tpr=10%,accuracy=.01",
    seed=0,
    workers=None,
) -> Audit:
    """Attacks every model of a pool, and explains what leaks.

    Exactly one of ``logits``, ``probabilities``, ``phi``, ``loss`` and ``confidence`` is given; ``test_logits`` are of the same kind.
    ``variant`` is that of ``lira-online-fixed`` and of phi: ``residual``, ``official``, ``per-side`` or ``official-2021``.
    ``attacks`` names further ones with their parameters, such as ``"rmia(t=3)"``. ``relevant`` is the smallest difference that matters.
    """
    given = {"logits": logits, "probabilities": probabilities, "phi": phi, "loss": loss, "confidence": confidence}
    chosen = [kind for kind, values in given.items() if values is not None]
    if len(chosen) != 1:
        raise ValueError(f"give one of {', '.join(_KINDS)}, not {len(chosen)}")
    if membership is None:
        raise ValueError("membership is needed: which model was trained on which example?")
    pool = Pool(given[chosen[0]], labels, membership, chosen[0], test_logits, test_labels, name, features, test_features)
    return _run([pool], name, variant, attacks, relevant, seed, workers)


def compare(
    baseline: Pool,
    *candidates: Pool,
    name="audit",
    variant="residual",
    attacks=(),
    relevant="auc=.01,tpr=10%,accuracy=.01",
    seed=0,
    workers=None,
) -> Audit:
    """Sets pools against the first: model by model where their memberships agree, as independent estimates elsewhere.

    ``relevant`` is the smallest difference that matters: of an AUC, of a TPR as a share of the baseline's, of an accuracy.
    """
    if not candidates:
        raise ValueError("give at least two pools")
    return _run([baseline, *candidates], name, variant, attacks, relevant, seed, workers)


def _run(pools, name, variant, attacks, relevant, seed, workers):
    asked = {"variant": variant, "attacks": list(attacks), "relevant": relevant}
    text, page = _flatleak.audit([pool._given() for pool in pools], name, asked, seed, workers)
    return Audit(text, page)


def membership(n: int, models: int, seed: int = 0):
    """The blocked design: models 2j and 2j + 1 split n examples between them. A boolean array (models, n); more models never change earlier rows."""
    return _np.frombuffer(_flatleak.membership(n, models, seed), dtype=bool).reshape(models, n).copy()


def memorization(correct, membership):
    """Memorization of every example and its standard error, two arrays (n,): how much more often models that were trained on it are right about it
    (Feldman & Zhang 2020). ``correct`` and ``membership`` are (models, n) of 0 and 1."""
    values, errors = _flatleak.memorization(_array(correct, "correct"), _array(membership, "membership"))
    return _np.frombuffer(values, "<f8").copy(), _np.frombuffer(errors, "<f8").copy()


def influence(test_correct, membership, workers=None):
    """Influence of every training example on every held-out one, (t, n): how much more often models that were trained on the former are right about the latter.
    ``test_correct`` is (models, t) of 0 and 1."""
    flat = _flatleak.influence(_array(test_correct, "test_correct"), _array(membership, "membership"), workers)
    return _np.frombuffer(flat, "<f4").reshape(-1, _np.shape(membership)[1]).copy()
