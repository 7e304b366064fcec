"""The figures of parts of the data: by source, year, length, place in the text, letters, attributes, new actors."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from attackspan.document import Document, Span
from attackspan.eval.corpus_stats import LENGTHS, band, era
from attackspan.eval.matching import match
from attackspan.eval.metrics import Score, view
from attackspan.model.tokens import Tokenizer
from attackspan.schema import Schema

POSITION = 512
"""Tokens that many encoders read at most, so that a careless tagger never sees what comes after them."""
SOURCES = 12
"""The sources with the most documents are slices of their own, the others one together."""

_NUMBER = re.compile(r"\d+")

Key = Callable[[Document, Span], str | None]
"""The slice that a span of a gold document falls in; ``None`` where it is in none."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Figures of the spans in one slice; its support is ``strict.counts.gold``.

    Attributes:
        dimension: what the data were cut by, e.g. ``length in words``.
        value: which part, e.g. ``100 to 249``.
        documents: how many documents have a gold span in it.
        strict: the same label and boundaries.
        overlap: the same label and half of the union.
    """

    dimension: str
    value: str
    documents: int
    strict: Score
    overlap: Score


def slices(
    pairs: Sequence[tuple[Document, Document]],
    schema: Schema,
    tokenizer: Tokenizer,
    train: Sequence[Document],
    seed: int,
    resamples: int,
) -> list[Slice]:
    """The figures of every slice that holds a span.

    A predicted span falls in the slice of the gold span that it overlaps; one that overlaps none, in its own.

    Args:
        pairs: the (gold, predicted) documents, as ``matching.pair`` gives them.
        schema: their labels.
        tokenizer: whose tokens positions are counted in.
        train: the training documents, whose actors are not new; none leaves that dimension out.
        seed: of the bootstrap.
        resamples: of the bootstrap.
    """
    gold = [truth for truth, _ in pairs]
    keys: dict[str, Key] = {
        "source": _source(gold),
        "year": lambda document, _: era(document),
        "length in words": lambda document, _: band(len(document.text.split()), LENGTHS),
        "position": _position(gold, tokenizer),
        "letters": _letters,
    }
    if train and "actor" in schema.names:
        keys["actor"] = _novelty(train)
    for label, attribute in schema.attributes:
        keys[f"{label.name}.{attribute.name}"] = _value(label.name, attribute.name)
    return [part for name, key in keys.items() for part in _cut(name, key, pairs, schema, seed, resamples)]


def _cut(
    dimension: str, key: Key, pairs: Sequence[tuple[Document, Document]], schema: Schema, seed: int, resamples: int
) -> list[Slice]:
    counters: list[list[Counter[str | None]]] = []  # a document's (correct, correct by half, predicted, gold)
    for truth, guess in pairs:
        matches = match(truth, guess, schema)
        own = {predicted.id: gold for gold, predicted in matches.overlap}
        counters.append(
            [
                Counter(key(truth, span) for span, _ in matches.strict),
                Counter(key(truth, span) for span, _ in matches.overlap),
                Counter(key(truth, own.get(span.id, span)) for span in guess.spans),
                Counter(key(truth, span) for span in truth.spans),
            ]
        )
    found = {value for row in counters for counter in row for value in counter if value is not None}
    values = sorted(found, key=lambda value: (int(number.group()) if (number := _NUMBER.match(value)) else 0, value))
    table = np.array([[[counter[value] for counter in row] for value in values] for row in counters], np.int64)
    table = table.reshape(len(pairs), len(values), 4)
    strict, overlap = (view(table[:, :, [side, 2, 3]], values, seed, resamples) for side in (0, 1))
    documents = (table[:, :, 3] > 0).sum(axis=0).tolist()
    return [
        Slice(dimension, value, count, strict.by_name[value], overlap.by_name[value])
        for value, count in zip(values, documents, strict=True)
    ]


def _source(documents: Iterable[Document]) -> Key:
    counts = Counter(document.source or "no source" for document in documents)
    named = {source for source, _ in counts.most_common(SOURCES)}
    others = f"{len(counts) - SOURCES} others"
    return lambda document, _: source if (source := document.source or "no source") in named else others


def _position(documents: Sequence[Document], tokenizer: Tokenizer) -> Key:
    encoded = tokenizer.encode([document.text for document in documents])
    starts = {document.id: tokens.starts.tolist() for document, tokens in zip(documents, encoded, strict=True)}

    def key(document: Document, span: Span) -> str:
        number = bisect_right(starts[document.id], span.start)
        return f"first {POSITION} tokens" if number <= POSITION else f"past token {POSITION}"

    return key


def _letters(document: Document, span: Span) -> str:
    """By the letters of the span's line: news agencies once wrote in capitals only, and headlines still do."""
    begin, end = document.text.rfind("\n", 0, span.start) + 1, document.text.find("\n", span.end)
    line = document.text[begin : end if end >= 0 else None]
    capitals = sum(character.isupper() for character in line)
    return "upper case" if 2 * capitals > sum(character.isalpha() for character in line) else "mixed case"


def _novelty(train: Iterable[Document]) -> Key:
    known = {span.text.casefold() for document in train for span in document.spans if span.label == "actor"}

    def key(_: Document, span: Span) -> str | None:
        if span.label != "actor":
            return None
        return "in the training data" if span.text.casefold() in known else "unseen"

    return key


def _value(label: str, attribute: str) -> Key:
    return lambda _, span: span.attributes[attribute] if span.label == label else None
