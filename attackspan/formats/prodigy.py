"""Prodigy's JSON lines: ``text``, ``meta``, ``tokens``, ``spans`` and, as ``rel.manual`` has them, ``relations``.

Offsets count characters. A label carries the attributes, ``attack:bombing``, so that an annotator can choose them; id,
title, source and date stand in ``meta``. Prodigy marks whole tokens only, so ``tokens`` end where spans do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats.flat import flat_label, split_label, write_lines
from attackspan.formats.objects import documents as documents_of
from attackspan.formats.objects import name_of, take
from attackspan.schema import Schema, default_schema

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")


def read_prodigy(path: Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of ``prodigy db-out`` one after the other.

    An example that was answered with reject or ignore is none: only those accepted, or not answered yet, are read. A
    document without an ``id`` in its ``meta`` gets ``<file name without ending>-<line number>``; spans are numbered
    ``s1``, ``s2``, …; keys that only Prodigy knows are passed over.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or holds no accepted document, or a line is not JSON or
            not of this form, has a relation of something else than spans, is no valid document or has the id of a line
            above.
    """
    labels = schema or default_schema()
    yield from documents_of(Path(path), lambda data, name: _document(data, name, labels))


def write_prodigy(documents: Iterable[Document], path: Path) -> Counter[str]:
    """Write documents as examples without an answer, for ``prodigy db-in`` or as the source of a recipe.

    Returns:
        What Prodigy cannot hold: scores.

    Raises:
        AttackspanError: the file cannot be written, or JSON cannot hold a document.
    """
    return write_lines(documents, Path(path), _example)


def _document(data: Any, name: str, schema: Schema) -> Document | None:
    text = take(data, "text", str)
    if take(data, "answer", str, "accept") != "accept":
        return None
    spans: dict[tuple[int, int, str], Span] = {}
    for number, one in enumerate(take(data, "spans", list, []), 1):
        start, end, flat = place = _place(one)
        label, attributes = split_label(flat, schema)
        if place in spans:
            raise AttackspanError(f"the span {one!r:.60} stands twice")
        there = take(one, "text", str, text[start:end])
        spans[place] = Span(f"s{number}", label, start, end, there, attributes=attributes)
    links = []
    for one in take(data, "relations", list, []):
        head, tail = _place(take(one, "head_span", dict)), _place(take(one, "child_span", dict))
        for place in (head, tail):
            if place not in spans:
                raise AttackspanError(f"a relation ties {place}, which is none of the spans")
        links.append(Link(take(one, "label", str), spans[head].id, spans[tail].id))
    meta = take(data, "meta", dict, {})
    about = {key: take(meta, key, str, "") for key in ("title", "source", "date")}
    return Document(name_of(meta, name), text, tuple(spans.values()), tuple(links), schema=schema, **about)


def _place(data: Any) -> tuple[int, int, str]:
    """Start, end and label, which tell a span from all others."""
    return take(data, "start", int), take(data, "end", int), take(data, "label", str)


def _example(document: Document) -> dict[str, Any]:
    tokens = _tokens(document)
    starts = {token["start"]: token["id"] for token in tokens}
    ends = {token["end"]: token["id"] for token in tokens}
    spans = {
        span.id: {
            "start": span.start,
            "end": span.end,
            "token_start": starts[span.start],
            "token_end": ends[span.end],
            "label": flat_label(span, document.schema),
        }
        for span in document.spans
    }
    about = {key: getattr(document, key) for key in ("id", "title", "source", "date") if getattr(document, key)}
    return {
        "text": document.text,
        "meta": about,
        "tokens": tokens,
        "spans": list(spans.values()),
        "relations": [
            {
                "head": spans[link.head]["token_end"],  # of a span, Prodigy names the last token
                "child": spans[link.tail]["token_end"],
                "head_span": spans[link.head],
                "child_span": spans[link.tail],
                "label": link.role,
            }
            for link in document.links
        ],
    }


def _tokens(document: Document) -> list[dict[str, Any]]:
    """The text in words, signs and white space, cut where spans begin and end.

    One space behind a token belongs to it, as in spaCy (``ws``), unless a span begins or ends with that space.
    """
    text = document.text
    starts = {span.start for span in document.spans}
    ends = {span.end for span in document.spans}
    cuts = sorted({0, *starts, *ends, len(text)})
    tokens: list[dict[str, Any]] = []
    for cut, until in pairwise(cuts):
        for piece in _PIECE.finditer(text, cut, until):
            start, end = piece.span()
            after_word = tokens and not tokens[-1]["ws"] and not tokens[-1]["text"].isspace()
            if piece[0] == " " and after_word and start not in starts and end not in ends:
                tokens[-1]["ws"] = True
            else:
                tokens.append({"text": piece[0], "start": start, "end": end, "id": len(tokens), "ws": False})
    return tokens
