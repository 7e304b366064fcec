"""How well predicted documents agree with gold ones: spans, attributes and links, with bootstrap intervals.

Two views: *strict* asks for the same label and the same boundaries (as CoNLL-2003 does), *overlap* for the same label
and an intersection over union of at least one half (as the Pascal VOC does for boxes), matched one to one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.schema import Schema

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95


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
class Interval:
    """A confidence interval: its two ends, in [0, 1]."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """The counts of one label or role and the 95 % bootstrap interval of their F1."""

    counts: Counts
    interval: Interval


@dataclass(frozen=True, slots=True)
class View:
    """The scores under one criterion: of each label or role by its name, and of all together (micro average)."""

    micro: Score
    by_name: Mapping[str, Score] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Views:
    """The same items under both criteria."""

    strict: View
    overlap: View


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
        attributes: the attributes, named ``label.attribute``, e.g. ``attack.kind``.
    """

    documents: int
    labels: Views
    links: Views
    attributes: Mapping[str, Accuracy] = field(hash=False)


def score(
    gold: Sequence[Document], predicted: Sequence[Document], schema: Schema, *, seed: int = 0, resamples: int = 1000
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
        >>> from attackspan.schema import default_schema
        >>> document = Document("d1", "Police fled.", (Span("a1", "actor", 0, 6, "Police"),))
        >>> score([document], [document], default_schema()).labels.strict.micro.counts
        Counts(correct=1, predicted=1, gold=1)
    """
    if resamples < 1:
        raise AttackspanError(f"the bootstrap needs at least one resample, not {resamples}")
    pairs = _pair(gold, predicted, schema)
    roles = [f"{label.name}.{role.name}" for label, role in schema.roles]
    attributes = [f"{label.name}.{attribute.name}" for label, attribute in schema.attributes]
    label_counts = np.zeros((len(pairs), 2, len(schema.names), 3), np.int64)
    link_counts = np.zeros((len(pairs), 2, len(roles), 3), np.int64)
    attribute_counts = np.zeros((len(pairs), len(attributes), 2), np.int64)
    for row, (truth, guess) in enumerate(pairs):
        overlapping = _matches(truth, guess, schema)
        # An exact pair shares no character with any other span of its label, so every overlap matching holds it.
        exact = [(left, right) for left, right in overlapping if (left.start, left.end) == (right.start, right.end)]
        for view, matches in enumerate((exact, overlapping)):
            label_counts[row, view] = _count_labels(truth, guess, matches, schema.names)
            link_counts[row, view] = _count_links(truth, guess, matches, roles)
        attribute_counts[row] = _count_attributes(exact, attributes)
    totals = attribute_counts.sum(axis=0).tolist()
    return Scores(
        documents=len(pairs),
        labels=_views(label_counts, schema.names, seed, resamples),
        links=_views(link_counts, roles, seed, resamples),
        attributes={name: Accuracy(*total) for name, total in zip(attributes, totals, strict=True)},
    )


def align(gold: Sequence[Span], predicted: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Match spans one to one where their intersection over union is at least one half, in linear time.

    The matching is an optimal assignment: no other has more pairs, nor as many with a larger total intersection over
    union. No solver is needed. Two disjoint spans can both reach one half with a third only where they are its exact
    halves, and then neither touches anything else: every connected component of candidates is a single pair, or a span
    with its two halves, which are worth the same. The earlier half is taken.

    Args:
        gold: spans of one label in the order of the text, none overlapping another, as in a ``Document``.
        predicted: likewise.

    Returns:
        The matched (gold, predicted) spans in the order of the text.
    """
    matches = []
    i = j = 0
    while i < len(gold) and j < len(predicted):
        left, right = gold[i], predicted[j]
        intersection = min(left.end, right.end) - max(left.start, right.start)
        hull = max(left.end, right.end) - min(left.start, right.start)  # the union, where the spans intersect at all
        if 2 * intersection >= hull:
            matches.append((left, right))
            i, j = i + 1, j + 1
        elif left.end <= right.end:  # whatever follows on the right starts behind the left span
            i += 1
        else:
            j += 1
    return matches


def _pair(gold: Sequence[Document], predicted: Sequence[Document], schema: Schema) -> list[tuple[Document, Document]]:
    """The (gold, predicted) documents in the order of their ids, for the seeded bootstrap depends on their order."""
    truths, guesses = _by_id(gold, "gold", schema), _by_id(predicted, "predicted", schema)
    if missing := sorted(truths.keys() - guesses.keys()):
        raise AttackspanError(f"document {missing[0]!r} is in the gold data, but was not predicted")
    if extra := sorted(guesses.keys() - truths.keys()):
        raise AttackspanError(f"document {extra[0]!r} was predicted, but is not in the gold data")
    for name, truth in truths.items():
        if truth.text != guesses[name].text:
            raise AttackspanError(f"document {name!r} was predicted on a text that differs from the gold one")
    return [(truths[name], guesses[name]) for name in sorted(truths)]


def _by_id(documents: Iterable[Document], side: str, schema: Schema) -> dict[str, Document]:
    by_id: dict[str, Document] = {}
    for document in documents:
        if document.id in by_id:
            raise AttackspanError(f"document {document.id!r} stands twice in the {side} data")
        if document.schema is not schema and _outline(document.schema) != _outline(schema):
            raise AttackspanError(
                f"document {document.id!r} of the {side} data has another schema than the one to score"
            )
        by_id[document.id] = document
    return by_id


def _outline(schema: Schema) -> object:
    """What two schemas must share for their documents to be comparable: the names, but neither order nor codes."""
    return {
        label.name: ({attribute.name: set(attribute.names) for attribute in label.attributes}, set(label.roles))
        for label in schema.labels
    }


def _matches(gold: Document, predicted: Document, schema: Schema) -> list[tuple[Span, Span]]:
    """The overlap matching of two documents, label by label."""
    truths, guesses = _by_label(gold, schema), _by_label(predicted, schema)
    return [match for label in schema.names for match in align(truths[label], guesses[label])]


def _by_label(document: Document, schema: Schema) -> dict[str, list[Span]]:
    spans: dict[str, list[Span]] = {label: [] for label in schema.names}
    for span in document.spans:
        spans[span.label].append(span)
    return spans


def _count_labels(
    gold: Document, predicted: Document, matches: Sequence[tuple[Span, Span]], names: Sequence[str]
) -> IntArray:
    """(correct, predicted, gold) spans of each label. Shape: (labels, 3)."""
    return _columns(
        names,
        (truth.label for truth, _ in matches),
        (span.label for span in predicted.spans),
        (span.label for span in gold.spans),
    )


def _count_links(
    gold: Document, predicted: Document, matches: Sequence[tuple[Span, Span]], names: Sequence[str]
) -> IntArray:
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


def _count_attributes(matches: Sequence[tuple[Span, Span]], names: Sequence[str]) -> IntArray:
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


def _views(counts: IntArray, names: Sequence[str], seed: int, resamples: int) -> Views:
    """Sum and bootstrap the counts of each document. ``counts``: (documents, 2 views, names, 3)."""
    counts = np.concatenate([counts, counts.sum(axis=2, keepdims=True)], axis=2)  # micro is the last column
    totals = counts.sum(axis=0).tolist()
    intervals = _bootstrap(counts, seed, resamples).tolist()
    strict, overlap = (
        [Score(Counts(*total), Interval(*interval)) for total, interval in zip(*view, strict=True)]
        for view in zip(totals, intervals, strict=True)
    )
    return Views(
        View(strict[-1], dict(zip(names, strict[:-1], strict=True))),
        View(overlap[-1], dict(zip(names, overlap[:-1], strict=True))),
    )


def _bootstrap(counts: IntArray, seed: int, resamples: int) -> FloatArray:
    """The ends of F1's 95 % percentile interval when whole documents are drawn with replacement.

    Documents, not spans, are drawn since the spans of a document are not independent. Samples in which F1 is undefined
    are left out; where it is undefined in all, the interval is (0.0, 0.0). Source: B. Efron, "Bootstrap methods:
    another look at the jackknife", Annals of Statistics 7 (1979); percentile interval: Efron and Tibshirani, "An
    introduction to the bootstrap" (1993), chapter 13.

    Args:
        counts: (correct, predicted, gold) for each document. Shape: (documents, ..., 3).
        seed: of the generator.
        resamples: how many samples are drawn.

    Returns:
        The lower and the upper end, in [0, 1]. Shape: (..., 2).
    """
    documents, shape = len(counts), counts.shape[1:-1]
    if not documents:
        return np.zeros((*shape, 2))
    rng = np.random.default_rng(seed)
    flat = counts.reshape(documents, -1).astype(np.float64)  # floats sum by BLAS, and counts stay exact in them
    # One sample at a time: a matrix of all would grow with samples times documents.
    draws = (rng.integers(documents, size=documents) for _ in range(resamples))
    totals = np.stack([np.bincount(draw, minlength=documents) @ flat for draw in draws])
    correct, predicted, gold = np.moveaxis(totals.reshape(resamples, prod(shape), 3), -1, 0)
    items = predicted + gold
    tails = (50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE))
    ends = np.zeros((prod(shape), 2))
    for column, defined in enumerate(items.T > 0):
        if defined.any():
            ends[column] = np.percentile(2 * correct[defined, column] / items[defined, column], tails)
    return ends.reshape(*shape, 2)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
