"""Which predicted span stands for which gold one: documents paired by id, spans one to one, by four criteria."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.schema import Schema

Match = tuple[Span, Span]
"""A gold span and the predicted one that stands for it."""

OVERLAP = 0.5
"""The least intersection over union of the overlap view, as the Pascal VOC asks for boxes."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The spans of two markings of one text that agree, matched one to one under each criterion.

    Attributes:
        strict: the same label and the same boundaries, as CoNLL-2003 asks.
        boundary: the same boundaries, whatever the label; spans of one label first.
        overlap: the same label, and an intersection over union of at least one half.
        type: the same label, and at least one shared character.
    """

    strict: tuple[Match, ...]
    boundary: tuple[Match, ...]
    overlap: tuple[Match, ...]
    type: tuple[Match, ...]


def match(gold: Document, predicted: Document, schema: Schema) -> Matches:
    """Match the spans of two markings of one text; the order of neither matters."""
    truths, guesses = _by_label(gold, schema), _by_label(predicted, schema)
    overlap, kind = (
        tuple(found for label in schema.names for found in align(truths[label], guesses[label], least))
        for least in (OVERLAP, 0.0)
    )
    # An exact pair shares no character with any other span of its label, so every overlap matching holds it.
    strict = tuple((left, right) for left, right in overlap if _bounds(left) == _bounds(right))
    left, right = unmatched(strict, gold, predicted, schema)
    return Matches(strict, (*strict, *_same_bounds(left, right)), overlap, kind)


def align(gold: Sequence[Span], predicted: Sequence[Span], least: float = OVERLAP) -> list[Match]:
    """Match spans one to one where they share a character and their intersection over union is ``least`` or more.

    One sweep, in linear time, and the matching is an optimal assignment: no other has more pairs. Of two spans that do
    not match, the one that ends first shares nothing with what follows on the other side; of two that do, at most one
    could match another span instead, and giving it this partner loses no pair. With one half no other matching has as
    many pairs with a larger total intersection over union either: two disjoint spans both reach one half with a third
    only where they are its exact halves, which are worth the same; the earlier is taken.

    Args:
        gold: spans of one label in the order of the text, none overlapping another, as in a ``Document``.
        predicted: likewise.
        least: in [0, 1].

    Returns:
        The matched (gold, predicted) spans in the order of the text.
    """
    matches = []
    i = j = 0
    while i < len(gold) and j < len(predicted):
        left, right = gold[i], predicted[j]
        intersection = min(left.end, right.end) - max(left.start, right.start)
        hull = max(left.end, right.end) - min(left.start, right.start)  # the union, where the spans intersect at all
        if intersection > 0 and intersection >= least * hull:
            matches.append((left, right))
            i, j = i + 1, j + 1
        elif left.end <= right.end:  # whatever follows on the right starts behind the left span
            i += 1
        else:
            j += 1
    return matches


def unmatched(
    matches: Sequence[Match], gold: Document, predicted: Document, schema: Schema
) -> tuple[list[Span], list[Span]]:
    """The gold and the predicted spans that stand in no match, in the order of the text, then of the labels."""
    left, right = {truth.id for truth, _ in matches}, {guess.id for _, guess in matches}
    return _ordered(gold, left, schema), _ordered(predicted, right, schema)


def pair(gold: Iterable[Document], predicted: Iterable[Document], schema: Schema) -> list[tuple[Document, Document]]:
    """The (gold, predicted) documents in the order of their ids, for the seeded bootstrap depends on their order.

    Raises:
        AttackspanError: a document is missing, extra, given twice, of another text or of another schema.
    """
    truths, guesses = _by_id(gold, "gold", schema), _by_id(predicted, "predicted", schema)
    if missing := sorted(truths.keys() - guesses.keys()):
        raise AttackspanError(f"{_listed(missing)} in the gold data, but not predicted; both sides need the same ids")
    if extra := sorted(guesses.keys() - truths.keys()):
        raise AttackspanError(f"{_listed(extra)} predicted, but not in the gold data; both sides need the same ids")
    for name, truth in truths.items():
        if truth.text != guesses[name].text:
            at = next(
                (i for i, (a, b) in enumerate(zip(truth.text, guesses[name].text, strict=False)) if a != b),
                min(len(truth.text), len(guesses[name].text)),
            )
            raise AttackspanError(
                f"document {name!r} was predicted on a text that differs from the gold one from character {at} on; "
                "predict the gold text itself"
            )
    return [(truths[name], guesses[name]) for name in sorted(truths)]


def _same_bounds(gold: Sequence[Span], predicted: Sequence[Span]) -> list[Match]:
    """Match spans of the same boundaries, in the order of their labels."""
    waiting: dict[tuple[int, int], list[Span]] = {}
    for span in predicted:
        waiting.setdefault(_bounds(span), []).append(span)
    return [(span, waiting[_bounds(span)].pop(0)) for span in gold if waiting.get(_bounds(span))]


def _bounds(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _ordered(document: Document, taken: set[str], schema: Schema) -> list[Span]:
    """The document's spans whose ids are not taken, in an order that does not depend on how they were given."""
    order = {label: index for index, label in enumerate(schema.names)}
    left = (span for span in document.spans if span.id not in taken)
    return sorted(left, key=lambda span: (span.start, -span.end, order[span.label]))


def _by_label(document: Document, schema: Schema) -> dict[str, list[Span]]:
    spans: dict[str, list[Span]] = {label: [] for label in schema.names}
    for span in document.spans:
        spans[span.label].append(span)
    return spans


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


def _listed(ids: Sequence[str]) -> str:
    """``document 'a' is``, or the first three of several."""
    if len(ids) == 1:
        return f"document {ids[0]!r} is"
    return f"documents {', '.join(map(repr, ids[:3]))}{f' and {len(ids) - 3} more' if ids[3:] else ''} are"
