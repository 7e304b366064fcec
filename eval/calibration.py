"""Whether scores mean what they say, and what a threshold on them costs and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attackspan.document import Document
from attackspan.eval.bootstrap import FloatArray
from attackspan.eval.matching import match
from attackspan.eval.metrics import Counts
from attackspan.schema import Schema

BoolArray = NDArray[np.bool_]

BINS = 10
THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Bin:
    """The predicted spans whose scores lie in [low, high): how many, their mean score, the share that is right."""

    low: float
    high: float
    spans: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision over recall as the threshold on the score falls, for the spans of one label.

    The curve ends at the recall of all predicted spans: what the tagger never proposed has no score.

    Attributes:
        label: the label.
        average: average precision, the sum of precision times the gain in recall, in [0, 1].
        recall: at each distinct score, the highest first.
        precision: likewise.
    """

    label: str
    average: float
    recall: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The scores of the predicted spans against what is right: the same label and boundaries as a gold span.

    Attributes:
        spans: how many predicted spans there are.
        error: expected calibration error, in [0, 1]: the mean distance of the bins' scores from their accuracy,
            weighted by their spans. Source: Guo et al., "On calibration of modern neural networks", ICML 2017.
        bins: of equal width; those without a span are left out.
        curves: one for each label that occurs in the gold data.
        thresholds: the counts of all spans that score at least so much.
    """

    spans: int
    error: float
    bins: tuple[Bin, ...]
    curves: tuple[Curve, ...]
    thresholds: tuple[tuple[float, Counts], ...]


def calibration(pairs: Sequence[tuple[Document, Document]], schema: Schema) -> Calibration | None:
    """Judge the scores of all predicted spans; ``None`` where there is no span, or one has no score.

    Args:
        pairs: the (gold, predicted) documents, as ``matching.pair`` gives them.
        schema: their labels.
    """
    scores, labels, right = [], [], []
    for gold, predicted in pairs:
        exact = {guess.id for _, guess in match(gold, predicted, schema).strict}
        for span in predicted.spans:
            if span.score is None:
                return None
            scores.append(span.score)
            labels.append(span.label)
            right.append(span.id in exact)
    if not scores:
        return None
    score, correct, label = np.array(scores), np.array(right), np.array(labels)
    support = {name: sum(span.label == name for gold, _ in pairs for span in gold.spans) for name in schema.names}
    bins = _bins(score, correct)
    return Calibration(
        spans=len(scores),
        error=sum(one.spans * abs(one.confidence - one.accuracy) for one in bins) / len(scores),
        bins=bins,
        curves=tuple(
            _curve(name, score[label == name], correct[label == name], count)
            for name, count in support.items()
            if count
        ),
        thresholds=tuple(
            (least, Counts(int(correct[score >= least].sum()), int((score >= least).sum()), sum(support.values())))
            for least in THRESHOLDS
        ),
    )


def _bins(score: FloatArray, correct: BoolArray) -> tuple[Bin, ...]:
    number = np.minimum((score * BINS).astype(int), BINS - 1)  # a score of 1 belongs to the last bin
    made = []
    for index in range(BINS):
        if (inside := number == index).any():
            means = float(score[inside].mean()), float(correct[inside].mean())
            made.append(Bin(index / BINS, (index + 1) / BINS, int(inside.sum()), *means))
    return tuple(made)


def _curve(label: str, score: FloatArray, correct: BoolArray, support: int) -> Curve:
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last = np.diff(ranked, append=-1.0) != 0  # spans of one score enter together
    hits = correct[order].cumsum()[last]
    recall, precision = hits / support, hits / (np.flatnonzero(last) + 1)
    average = float((np.diff(recall, prepend=0.0) * precision).sum())
    return Curve(label, average, tuple(recall.tolist()), tuple(precision.tolist()))
