"""What the tests of the scorer share: short documents, and the counts of their comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attackspan.document import Document, Link, Span
from attackspan.eval.metrics import Counts, Scores, SpanViews, Views, score
from attackspan.schema import Label, Schema, default_schema

SCHEMA = default_schema()
TEXT = "abcdefghijklmnopqrst"
SEED_ARTICLE = Path(__file__).parents[1] / "seeds" / "kurdistan24-2021-11-07.xml"


def span(label: str, start: int, end: int, text: str = TEXT, **attributes: str) -> Span:
    """A span whose id says where it is; attributes that are not given take their first value."""
    first = {attribute.name: attribute.names[0] for attribute in SCHEMA[label].attributes}
    return Span(f"{label}{start}-{end}", label, start, end, text[start:end], attributes={**first, **attributes})


def document(*spans: Span, links: Sequence[Link] = (), name: str = "d") -> Document:
    return Document(name, TEXT, spans, tuple(links))


def compare(gold: Document, predicted: Document) -> Scores:
    return score([gold], [predicted], SCHEMA, resamples=1)


def counts(views: SpanViews | Views) -> dict[str, tuple[Counts, Counts]]:
    """The strict and the overlap counts by name, with those of all together under ``micro``."""
    named = {name: (strict.counts, views.overlap.by_name[name].counts) for name, strict in views.strict.by_name.items()}
    return {**named, "micro": (views.strict.micro.counts, views.overlap.micro.counts)}


def boundaries(pairs: Sequence[tuple[int, int]]) -> list[Span]:
    return [span("actor", start, end) for start, end in pairs]


STATEMENT, ACTOR, OTHER, ATTACK = (
    span("condemnation", 0, 16),
    span("actor", 0, 4),
    span("actor", 8, 12),
    span("attack", 4, 8),
)
SHORTER = span("actor", 0, 3)
OTHER_SCHEMA = Schema((Label("actor"),))
