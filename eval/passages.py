"""A stretch of text with its gold and its predicted spans, cut into pieces that a page can mark: bars in lanes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from attackspan.document import Span

_SENTENCE_END = re.compile(r"[.!?][\"”’')\]]*\s+(?=[\"“‘'(\[]*[^\W\d_a-z])|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Gen|Col|Maj|Capt|Lt|Sgt|Sen|Rep|Gov|No)|\.[A-Za-z])$")


@dataclass(frozen=True, slots=True)
class Bar:
    """A span's part of a piece: its label, its lane (0 is nearest to the text), and whether the span begins here."""

    label: str
    lane: int
    begins: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that no span begins or ends within, with the spans that cover it. ``start``: its offset in the document."""

    start: int
    text: str
    gold: tuple[Bar, ...]
    predicted: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Pieces in a row, and how many lanes their bars need on either side of the text."""

    pieces: tuple[Piece, ...]
    lanes: int


def passage(text: str, gold: Iterable[Span], predicted: Iterable[Span], start: int, end: int) -> Passage:
    """Cut ``text[start:end]`` at every span's ends. A label keeps its lane throughout, on both sides of the text.

    Args:
        text: a document's text.
        gold: its gold spans, in any order; those outside the stretch are passed over.
        predicted: its predicted spans.
        start: offset of the stretch's first character.
        end: offset behind its last.
    """
    truths, guesses = ([span for span in side if span.start < end and start < span.end] for side in (gold, predicted))
    lanes = _lanes([*truths, *guesses])
    inner = {at for span in (*truths, *guesses) for at in (span.start, span.end) if start < at < end}
    cuts = sorted({start, end} | inner)
    pieces = tuple(
        Piece(left, text[left:right], *(_bars(side, lanes, left, right) for side in (truths, guesses)))
        for left, right in pairwise(cuts)
    )
    return Passage(pieces, 1 + max(lanes.values(), default=-1))


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets of the sentences, without the white space between them: a rule of thumb, for display only."""
    found, begin = [], 0
    for match in _SENTENCE_END.finditer(text):
        if match.group()[0] == "." and _ABBREVIATION.search(text, max(0, match.start() - 5), match.start()):
            continue
        found.append((begin, match.start() + len(match.group().rstrip())))
        begin = match.end()
    return [(start, end) for start, end in [*found, (begin, len(text))] if text[start:end].strip()]


def surroundings(bounds: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """The sentences (``bounds``) that a stretch touches, as one stretch that holds it."""
    touched = [(left, right) for left, right in bounds if left < end and start < right]
    return min([start, *(left for left, _ in touched)]), max([end, *(right for _, right in touched)])


def _lanes(spans: Sequence[Span]) -> dict[str, int]:
    """A lane for each label: the lowest without a span that it overlaps; labels of short spans nearest to the text."""
    by_label: dict[str, list[Span]] = {}
    for span in spans:
        by_label.setdefault(span.label, []).append(span)
    lanes: dict[str, int] = {}
    for label in sorted(by_label, key=lambda name: (fmean(span.end - span.start for span in by_label[name]), name)):
        taken = {lanes[other] for other in lanes if _touch(by_label[label], by_label[other])}
        lanes[label] = next(lane for lane in range(len(by_label)) if lane not in taken)
    return lanes


def _touch(left: Iterable[Span], right: Sequence[Span]) -> bool:
    return any(one.start < other.end and other.start < one.end for one in left for other in right)


def _bars(spans: Iterable[Span], lanes: dict[str, int], left: int, right: int) -> tuple[Bar, ...]:
    covering = [span for span in spans if span.start <= left and right <= span.end]
    return tuple(Bar(span.label, lanes[span.label], span.start == left) for span in covering)
