"""How well predicted documents agree with gold ones: spans, attributes, links and statements, with intervals.

Spans are counted under four criteria (``matching.Matches``), links and attributes on the spans that match. Needs no
model: anyone's predictions can be scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from attackspan.document import Document
from attackspan.eval.bootstrap import RESAMPLES, FloatArray, IntArray, Interval, interval, macro, rates, resample
from attackspan.eval.matching import Match, match, pair
from attackspan.schema import Schema

VERSION = 2
"""Rises when a figure would come out otherwise for the same documents."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items were predicted, how many are in the gold data, and how many of them agree.

    Precision is 0.0 where nothing was predicted, recall where nothing was to be found, and F1 where both are so.
    """

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """The share of the predicted items that are correct, in [0, 1]."""
        return _ratio(self.correct, self.predicted)

    @property
    def recall(self) -> float:
        """The share of the gold items that were found, in [0, 1]."""
        return _ratio(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, in [0, 1]."""
        return _ratio(2 * self.correct, self.predicted + self.gold)


@dataclass(frozen=True, slots=True)
class Score:
    """The counts of one label or role and the 95 % bootstrap intervals of their F1, precision and recall."""

    counts: Counts
    interval: Interval
    precision_interval: Interval
    recall_interval: Interval


@dataclass(frozen=True, slots=True)
class Average:
    """The unweighted mean over the labels or roles that occur on either side (macro average), all in [0, 1].

    F1 is the mean of their F1s; ``interval`` is its 95 % bootstrap interval.
    """

    precision: float
    recall: float
    f1: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class View:
    """The scores under one criterion: of each label or role by its name, of all together, and their mean."""

    micro: Score
    macro: Average
    by_name: Mapping[str, Score] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Views:
    """The links under two criteria: their spans match strictly, or they overlap."""

    strict: View
    overlap: View


@dataclass(frozen=True, slots=True)
class SpanViews:
    """The spans under the four criteria of ``matching.Matches``.

    Under ``boundary``, where labels may differ, a predicted span counts for the label of the gold span that it matches.
    """

    strict: View
    boundary: View
    overlap: View
    type: View


@dataclass(frozen=True, slots=True)
class Accuracy:
    """An attribute over the strictly matched spans: how many there are (``support``), how many carry the gold value."""

    correct: int
    support: int

    @property
    def value(self) -> float:
        """The share of the matched spans with the gold value, in [0, 1]; 0.0 where no span was matched."""
        return _ratio(self.correct, self.support)


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that ``score`` measures.

    Attributes:
        documents: how many documents were compared.
        labels: the spans, by label.
        links: the links, by role, named ``label.role`` after the label that heads them, e.g. ``attribution.source``.
        statements: who condemned what, who blames whom: the spans of labels with roles, end to end. A statement counts
            where its span overlaps, its attributes agree and so do all its links, none missing and none too many.
        attributes: the attributes, named ``label.attribute``, e.g. ``attack.kind``.
    """

    documents: int
    labels: SpanViews
    links: Views
    statements: View
    attributes: Mapping[str, Accuracy] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in each of D documents, in the order of their ids; each row of 3 is (correct, predicted, gold).

    Attributes:
        ids: the documents.
        labels: int64 (D, 4 criteria, labels, 3), the criteria in the order of ``SpanViews``.
        links: int64 (D, 2 criteria, roles, 3), in the order of ``Views``.
        statements: int64 (D, labels with roles, 3).
        attributes: int64 (D, attributes, 2), (correct, strictly matched).
    """

    ids: tuple[str, ...]
    labels: IntArray
    links: IntArray
    statements: IntArray
    attributes: IntArray


def score(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    schema: Schema,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Scores:
    """Compare predicted documents with gold ones; neither the order of documents nor that of spans or links matters.

    A predicted link is correct where a gold link of its role ties the two spans that its head and tail were matched to.

    Args:
        gold: the documents as they should be.
        predicted: the same documents, paired by id, as the model labelled them.
        schema: the labels, attributes and roles to score; the documents' own.
        seed: of the bootstrap; the same seed gives the same intervals.
        resamples: how many bootstrap samples of the documents are drawn, at least one.

    Raises:
        AttackspanError: a document is missing, extra, given twice, of another text or of another schema, or
            ``resamples`` is below one.

    Example:
        >>> from attackspan.document import Span
        >>> from attackspan.schema import default_schema
        >>> document = Document("d1", "Police fled.", (Span("a1", "actor", 0, 6, "Police"),))
        >>> score([document], [document], default_schema()).labels.strict.micro.counts
        Counts(correct=1, predicted=1, gold=1)
    """
    return scores(tally(pair(gold, predicted, schema), schema), schema, seed=seed, resamples=resamples)


def scores(found: Tally, schema: Schema, *, seed: int = 0, resamples: int = RESAMPLES) -> Scores:
    """The figures of counts that are already there; see ``score``."""
    roles, statements, attributes = _names(schema)
    strict, boundary, overlap, kind = (
        view(found.labels[:, index], schema.names, seed, resamples) for index in range(4)
    )
    totals = found.attributes.sum(axis=0).tolist()
    return Scores(
        documents=len(found.ids),
        labels=SpanViews(strict, boundary, overlap, kind),
        links=Views(*(view(found.links[:, index], roles, seed, resamples) for index in range(2))),
        statements=view(found.statements, statements, seed, resamples),
        attributes={name: Accuracy(*total) for name, total in zip(attributes, totals, strict=True)},
    )


def tally(pairs: Sequence[tuple[Document, Document]], schema: Schema) -> Tally:
    """Count what agrees in each (gold, predicted) document; see ``matching.pair``."""
    roles, statements, attributes = _names(schema)
    labels = np.zeros((len(pairs), 4, len(schema.names), 3), np.int64)
    links = np.zeros((len(pairs), 2, len(roles), 3), np.int64)
    wholes = np.zeros((len(pairs), len(statements), 3), np.int64)
    values = np.zeros((len(pairs), len(attributes), 2), np.int64)
    for row, (gold, predicted) in enumerate(pairs):
        found = match(gold, predicted, schema)
        for index, matches in enumerate((found.strict, found.boundary, found.overlap, found.type)):
            labels[row, index] = _count_labels(gold, predicted, matches, schema.names)
        for index, matches in enumerate((found.strict, found.overlap)):
            links[row, index] = _count_links(gold, predicted, matches, roles)
        wholes[row] = _count_statements(gold, predicted, found.overlap, statements)
        values[row] = _count_attributes(found.strict, attributes)
    return Tally(tuple(gold.id for gold, _ in pairs), labels, links, wholes, values)


def view(counts: IntArray, names: Sequence[str], seed: int, resamples: int) -> View:
    """Sum and bootstrap the (correct, predicted, gold) of each document and name. Shape: (documents, names, 3)."""
    samples = resample(counts, seed, resamples)
    totals = counts.sum(axis=0)
    precision, recall, f1 = np.nan_to_num(macro(totals.astype(np.float64))).tolist()
    scores = [
        Score(Counts(*total), Interval(*ends[2]), Interval(*ends[0]), Interval(*ends[1]))
        for total, ends in zip(
            [*totals.tolist(), totals.sum(axis=0).tolist()],
            interval(rates(_with_sum(samples))).tolist(),
            strict=True,
        )
    ]
    average = Average(precision, recall, f1, Interval(*interval(macro(samples)[:, 2]).tolist()))
    return View(scores[-1], average, dict(zip(names, scores[:-1], strict=True)))


def _with_sum(samples: FloatArray) -> FloatArray:
    """The counts of each name with those of all together behind them. Shape: (samples, names + 1, 3)."""
    return np.concatenate([samples, samples.sum(axis=1, keepdims=True)], axis=1)


def _names(schema: Schema) -> tuple[list[str], list[str], list[str]]:
    """The names of the links, the statements and the attributes."""
    return (
        [f"{label.name}.{role.name}" for label, role in schema.roles],
        [label.name for label in schema.labels if label.roles],
        [f"{label.name}.{attribute.name}" for label, attribute in schema.attributes],
    )


def _count_labels(gold: Document, predicted: Document, matches: Sequence[Match], names: Sequence[str]) -> IntArray:
    """(correct, predicted, gold) spans of each label. Shape: (labels, 3)."""
    counted = {guess.id: truth.label for truth, guess in matches}
    return _columns(
        names,
        counted.values(),
        (counted.get(span.id, span.label) for span in predicted.spans),
        (span.label for span in gold.spans),
    )


def _count_links(gold: Document, predicted: Document, matches: Sequence[Match], names: Sequence[str]) -> IntArray:
    """(correct, predicted, gold) links of each role. Shape: (roles, 3)."""
    counterpart = {guess.id: truth.id for truth, guess in matches}
    truths, guesses = _links(gold), _links(predicted)
    found = {
        (role, counterpart[head], counterpart[tail])
        for role, head, tail in guesses
        if head in counterpart and tail in counterpart
    }
    return _columns(
        names,
        (role for role, _, _ in truths & found),
        (role for role, _, _ in guesses),
        (role for role, _, _ in truths),
    )


def _links(document: Document) -> set[tuple[str, str, str]]:
    """The links as (``label.role``, head, tail); the role alone would mix the roles of different labels."""
    labels = {span.id: span.label for span in document.spans}
    return {(f"{labels[link.head]}.{link.role}", link.head, link.tail) for link in document.links}


def _count_statements(gold: Document, predicted: Document, matches: Sequence[Match], names: Sequence[str]) -> IntArray:
    """(correct, predicted, gold) statements of each label that has roles. Shape: (labels with roles, 3)."""
    counterpart = {guess.id: truth.id for truth, guess in matches}
    truths: dict[str, set[tuple[str, str | None]]] = {}
    guesses: dict[str, set[tuple[str, str | None]]] = {}
    for link in gold.links:
        truths.setdefault(link.head, set()).add((link.role, link.tail))
    for link in predicted.links:  # a tail that matches nothing becomes None, which no gold link ends at
        guesses.setdefault(link.head, set()).add((link.role, counterpart.get(link.tail)))
    return _columns(
        names,
        (
            truth.label
            for truth, guess in matches
            if truth.attributes == guess.attributes and truths.get(truth.id) == guesses.get(guess.id)
        ),
        (span.label for span in predicted.spans),
        (span.label for span in gold.spans),
    )


def _count_attributes(matches: Sequence[Match], names: Sequence[str]) -> IntArray:
    """(correct, matched) spans of each attribute. Shape: (attributes, 2)."""
    judged = [
        (f"{truth.label}.{name}", value == guess.attributes[name])
        for truth, guess in matches
        for name, value in truth.attributes.items()
    ]
    return _columns(names, (name for name, correct in judged if correct), (name for name, _ in judged))


def _columns(names: Sequence[str], *occurrences: Iterable[str]) -> IntArray:
    """How often each of the names occurs in each of the iterables. Shape: (names, iterables)."""
    counters = [Counter(column) for column in occurrences]
    return np.array([[counter[name] for counter in counters] for name in names], np.int64).reshape(-1, len(counters))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
