"""Two models on the same documents: by how much the one is better, how sure that is, and where they differ most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from attackspan.eval.bootstrap import Difference, IntArray, differences
from attackspan.eval.metrics import Tally
from attackspan.schema import Schema

STRICT, OVERLAP = 0, 2
"""Where the two criteria stand in ``Tally.labels``."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """A document in which two models differ: the strict errors of either, missed and spurious spans together."""

    document: str
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first model's F1 less the second's, by paired bootstrap over documents; positive where the first is better.

    Attributes:
        first: the first model's name.
        second: the second's.
        strict: by label, and ``micro`` over all.
        overlap: likewise.
        divergences: the documents whose errors differ, most first.
    """

    first: str
    second: str
    strict: Mapping[str, Difference]
    overlap: Mapping[str, Difference]
    divergences: tuple[Divergence, ...]


def compare(
    names: tuple[str, str], first: Tally, second: Tally, schema: Schema, seed: int, resamples: int
) -> Comparison:
    """Compare two models' counts of the same documents."""
    strict, overlap = (
        dict(
            zip(
                (*schema.names, "micro"),
                differences(_with_sum(first, view), _with_sum(second, view), seed=seed, resamples=resamples),
                strict=True,
            )
        )
        for view in (STRICT, OVERLAP)
    )
    rows = [
        Divergence(document, ours, theirs)
        for document, ours, theirs in zip(first.ids, _mistakes(first), _mistakes(second), strict=True)
        if ours != theirs
    ]
    rows.sort(key=lambda row: (-abs(row.first - row.second), row.document))
    return Comparison(*names, strict, overlap, tuple(rows))


def _with_sum(tally: Tally, view: int) -> IntArray:
    """The counts of each label, then of all together. Shape: (documents, labels + 1, 3)."""
    counts = tally.labels[:, view]
    return np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1)


def _mistakes(tally: Tally) -> list[int]:
    """Missed and spurious spans of each document."""
    correct, predicted, gold = np.moveaxis(tally.labels[:, STRICT].sum(axis=1), -1, 0)
    mistakes: list[int] = (predicted + gold - 2 * correct).tolist()
    return mistakes
