"""doccano's JSON lines: the plain form, ``label``, and the one with relations, ``entities`` and ``relations``.

Offsets count UTF-16 code units, as doccano's page does unless a project counts grapheme clusters: behind an emoji they
are not those of the characters. A label carries the attributes: ``attack:bombing``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats.flat import flat_label, split_label, write_lines
from attackspan.formats.objects import documents as documents_of
from attackspan.formats.objects import name_of, take
from attackspan.schema import Schema, default_schema


def read_doccano(path: Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of an export, in either form, one after the other.

    A document without an ``id`` gets ``<file name without ending>-<line number>``. Spans are numbered from 1 in the
    plain form, and keep their numbers in the other. Comments and metadata but title, source and date are passed over.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or holds no document, or a line is not JSON or not of
            this form, has an offset inside a character, is no valid document or has the id of a line above.
    """
    labels = schema or default_schema()
    yield from documents_of(Path(path), lambda data, name: _document(data, name, labels))


def write_doccano(documents: Iterable[Document], path: Path) -> Counter[str]:
    """Write documents, in the form with relations where their schema has links. Spans are numbered from 1.

    Returns:
        What doccano cannot hold: scores.

    Raises:
        AttackspanError: the file cannot be written, or JSON cannot hold a document.
    """
    return write_lines(documents, Path(path), _line)


def _document(data: Any, name: str, schema: Schema) -> Document:
    text = take(data, "text", str)
    if "entities" in data:
        marks = [
            (
                take(one, "id", int),
                take(one, "start_offset", int),
                take(one, "end_offset", int),
                take(one, "label", str),
            )
            for one in take(data, "entities", list)
        ]
    else:
        marks = [(number, *_triple(one)) for number, one in enumerate(take(data, "label", list), 1)]
    places = _units(text)
    spans = []
    for number, first, last, flat in marks:
        label, attributes = split_label(flat, schema)
        start, end = _character(places, first), _character(places, last)
        spans.append(Span(str(number), label, start, end, text[start:end], attributes=attributes))
    links = [
        Link(take(tie, "type", str), str(take(tie, "from_id", int)), str(take(tie, "to_id", int)))
        for tie in take(data, "relations", list, [])
    ]
    about = {key: take(data, key, str, "") for key in ("title", "source", "date")}
    return Document(name_of(data, name), text, tuple(spans), tuple(links), schema=schema, **about)


def _line(document: Document) -> dict[str, Any]:
    places = _units(document.text)
    about = {key: getattr(document, key) for key in ("title", "source", "date") if getattr(document, key)}
    marks = [(places[span.start], places[span.end], flat_label(span, document.schema)) for span in document.spans]
    line: dict[str, Any] = {"id": document.id, "text": document.text, **about}
    if not document.schema.roles:
        return {**line, "label": marks}
    numbers = {span.id: number for number, span in enumerate(document.spans, 1)}
    line["entities"] = [
        {"id": number, "label": label, "start_offset": start, "end_offset": end}
        for number, (start, end, label) in enumerate(marks, 1)
    ]
    line["relations"] = [
        {"id": number, "from_id": numbers[link.head], "to_id": numbers[link.tail], "type": link.role}
        for number, link in enumerate(document.links, 1)
    ]
    return line


def _triple(mark: Any) -> tuple[int, int, str]:
    """A span of the plain form."""
    match mark:
        case [int(start), int(end), str(label)]:
            return start, end, label
    raise AttackspanError(f"a label is [start, end, name], not {mark!r:.60}")


def _units(text: str) -> list[int]:
    """The offset in UTF-16 code units of each character of a text, and of its end."""
    return list(accumulate((1 + (character > "\uffff") for character in text), initial=0))


def _character(places: list[int], unit: int) -> int:
    """The character that begins at an offset in UTF-16 code units."""
    index = bisect_left(places, unit)
    if index == len(places):
        raise AttackspanError(f"offset {unit} lies outside the text of {places[-1]} UTF-16 units")
    if places[index] != unit:
        raise AttackspanError(
            f"offset {unit} lies inside a character; offsets count UTF-16 units: do not count grapheme clusters as one"
        )
    return index
