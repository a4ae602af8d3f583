from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__version__: str

@dataclass
class Pool:
    outputs: ArrayLike
    labels: ArrayLike | None
    membership: ArrayLike
    kind: str = ...
    test: ArrayLike | None = ...
    test_labels: ArrayLike | None = ...
    name: str = ...
    features: ArrayLike | None = ...
    test_features: ArrayLike | None = ...

class Audit:
    results: dict[str, Any]
    @property
    def headline(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...
    def attack(self, name: str, recipe: str | None = ...) -> dict[str, Any]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_json(self, path: str | PathLike[str]) -> None: ...
    def report(self, path: str | PathLike[str]) -> str: ...
    def to_pandas(self) -> Any: ...

def audit(
    logits: ArrayLike | None = ...,
    labels: ArrayLike | None = ...,
    membership: ArrayLike | None = ...,
    *,
    probabilities: ArrayLike | None = ...,
    phi: ArrayLike | None = ...,
    loss: ArrayLike | None = ...,
    confidence: ArrayLike | None = ...,
    test_logits: ArrayLike | None = ...,
    test_labels: ArrayLike | None = ...,
    features: ArrayLike | None = ...,
    test_features: ArrayLike | None = ...,
    name: str = ...,
    variant: str = ...,
    attacks: Iterable[str] = ...,
    seed: int = ...,
    workers: int | None = ...,
) -> Audit: ...
def compare(
    baseline: Pool,
    *candidates: Pool,
    name: str = ...,
    variant: str = ...,
    attacks: Iterable[str] = ...,
    seed: int = ...,
    workers: int | None = ...,
) -> Audit: ...
def membership(n: int, models: int, seed: int = ...) -> NDArray[np.bool_]: ...
def memorization(correct: ArrayLike, membership: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def influence(test_correct: ArrayLike, membership: ArrayLike, workers: int | None = ...) -> NDArray[np.float32]: ...
