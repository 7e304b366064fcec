"""How sure a figure is: precision, recall and F1 when whole documents are drawn anew, with replacement.

Documents, not spans, are drawn since the spans of a document are not independent. Sources: B. Efron, "Bootstrap
methods: another look at the jackknife", Annals of Statistics 7 (1979); percentile interval: Efron and Tibshirani, "An
introduction to the bootstrap" (1993), chapter 13; paired test: Berg-Kirkpatrick, Burkett and Klein, "An empirical
investigation of statistical significance in NLP", EMNLP 2012, taken on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from attackspan.errors import AttackspanError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval: its two ends."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much a figure of one model exceeds another's on the same documents.

    Attributes:
        value: the difference, in [-1, 1].
        interval: its 95 % interval.
        p: how often chance alone makes a difference as large, in (0, 1]; 1.0 where there is none.
    """

    value: float
    interval: Interval
    p: float


def resample(counts: IntArray, seed: int, resamples: int) -> FloatArray:
    """Totals over documents drawn with replacement; one seed draws the same documents for counts of any shape.

    Args:
        counts: of each document. Shape: (documents, ...).
        seed: of the generator.
        resamples: how many samples are drawn, at least one.

    Returns:
        The totals of each sample. Shape: (resamples, ...); of no documents, no samples.

    Raises:
        AttackspanError: ``resamples`` is below one.
    """
    if resamples < 1:
        raise AttackspanError(f"the bootstrap needs at least one resample, not {resamples}")
    documents, shape = len(counts), counts.shape[1:]
    if not documents:
        return np.zeros((0, *shape))
    rng = np.random.default_rng(seed)
    # Floats sum by BLAS, and counts stay exact in them.
    flat = counts.reshape(documents, prod(shape)).astype(np.float64)
    # One sample at a time: a matrix of all would grow with samples times documents.
    draws = (rng.integers(documents, size=documents) for _ in range(resamples))
    return np.stack([np.bincount(draw, minlength=documents) @ flat for draw in draws]).reshape(resamples, *shape)


def rates(totals: FloatArray) -> FloatArray:
    """Precision, recall and F1, NaN where undefined, of (correct, predicted, gold). Shape: (..., 3), both."""
    correct, predicted, gold = np.moveaxis(totals, -1, 0)
    whole = np.stack((predicted, gold, (predicted + gold) / 2), -1)
    found: FloatArray = np.divide(correct[..., None], whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return found


def macro(totals: FloatArray) -> FloatArray:
    """The mean precision, recall and F1 of the labels that occur on either side; undefined ones count as 0.

    Args:
        totals: (correct, predicted, gold) of each label. Shape: (..., labels, 3).

    Returns:
        Shape: (..., 3); NaN where no label occurs.
    """
    occurs = totals[..., 1:].sum(-1) > 0
    total, count = np.nan_to_num(rates(totals)).sum(-2), occurs.sum(-1)[..., None]
    mean: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def interval(samples: FloatArray) -> FloatArray:
    """The ends of the 95 % percentile interval of figures in bootstrap samples.

    Samples in which a figure is undefined (NaN) are left out; where it is so in all, its interval is (0.0, 0.0).

    Args:
        samples: Shape: (resamples, ...).

    Returns:
        The lower and the upper end. Shape: (..., 2).
    """
    shape = samples.shape[1:]
    columns = samples.reshape(len(samples), prod(shape)).T
    ends = np.zeros((len(columns), 2))
    for row, column in zip(ends, columns, strict=True):
        if (defined := column[~np.isnan(column)]).size:
            row[:] = np.percentile(defined, (50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)))
    return ends.reshape(*shape, 2)


def differences(
    first: IntArray, second: IntArray, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Difference, ...]:
    """By how much the first model's F1 exceeds the second's, column by column, the same documents drawn for both.

    p is the share of samples whose difference strays from the one found by at least its own size, with the one found
    counted among them. An undefined F1 counts as 0.

    Args:
        first: (correct, predicted, gold) of each document and column. Shape: (documents, columns, 3).
        second: the other model's, of the same documents in the same order.
        seed: of the bootstrap.
        resamples: how many samples are drawn, at least one.

    Raises:
        AttackspanError: ``resamples`` is below one.
    """
    both = np.stack((first, second), 1)
    found = _gap(both.sum(0, keepdims=True).astype(np.float64))[0]
    samples = _gap(resample(both, seed, resamples))
    ends = interval(samples)
    strays = (np.abs(samples - found) >= np.abs(found) - 1e-12).sum(0)
    ps = (strays + 1) / (len(samples) + 1)
    return tuple(
        Difference(float(value), Interval(*map(float, end)), float(p))
        for value, end, p in zip(found, ends, ps, strict=True)
    )


def _gap(totals: FloatArray) -> FloatArray:
    """F1 of the first less that of the second. ``totals``: (samples, 2, columns, 3); returns (samples, columns)."""
    f1 = np.nan_to_num(rates(totals)[..., 2])
    return f1[:, 0] - f1[:, 1]
