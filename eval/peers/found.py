"""What a peer found, as a valid document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from attackspan.document import Document, Span
from attackspan.eval.peers.tags import Piece
from attackspan.eval.peers.words import Words


@dataclass(frozen=True, slots=True)
class Found:
    """A label for a range of characters, with its score where the peer gives one."""

    label: str
    start: int
    end: int
    score: float | None = None


def blank(document: Document) -> Document:
    """The document without its spans and links: all that a peer may see of what it is to predict."""
    return replace(document, spans=(), links=())


def ranges(document: Document, words: Words, labels: Sequence[str]) -> list[Piece]:
    """The document's spans of these labels as ranges of words."""
    return [Piece(span.label, *words.covering(span.start, span.end)) for span in document.spans if span.label in labels]


def characters(words: Words, found: Iterable[Piece]) -> list[Found]:
    """Ranges of words as ranges of characters."""
    return [Found(piece.label, *words.characters(piece.first, piece.stop), piece.score) for piece in found]


def labelled(document: Document, found: Iterable[Found]) -> Document:
    """The document with what was found and nothing else.

    White space at the ends is cut off; of two spans of one label that overlap the one of the better score is kept, then
    the longer. No peer finds attributes: each span carries the first value of the schema, which no figure of the spans
    looks at. None finds links either.
    """
    kept: dict[str, list[Found]] = {label: [] for label in document.schema.names}
    trimmed = (_trim(document.text, one) for one in found)
    for one in sorted(trimmed, key=lambda one: (-1.0 if one.score is None else -one.score, one.start - one.end)):
        if one.start < one.end and all(one.end <= other.start or other.end <= one.start for other in kept[one.label]):
            kept[one.label].append(one)
    spans = []
    for label, ones in kept.items():
        attributes = {attribute.name: attribute.names[0] for attribute in document.schema[label].attributes}
        for number, one in enumerate(sorted(ones, key=lambda one: one.start), start=1):
            text = document.text[one.start : one.end]
            score = None if one.score is None else round(one.score, 4)
            spans.append(Span(f"{label}{number}", label, one.start, one.end, text, score, attributes))
    return replace(document, spans=tuple(spans), links=())


def _trim(text: str, one: Found) -> Found:
    start, end = one.start, one.end
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return replace(one, start=start, end=end)
