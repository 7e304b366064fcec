"""Tables, written only: a row for each span in one file, a row for each statement in another beside it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from attackspan.document import Document
from attackspan.errors import extra
from attackspan.formats.loss import losses
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import problem, replacing, utf8

GROUP_ROWS = 10_000
"""A row group of Parquet: what is held in memory."""

Columns = Mapping[str, type]
Row = tuple[str | int | float | None, ...]
Sink = Callable[[BinaryIO, Columns], AbstractContextManager[Callable[[Row], object]]]

_SPAN: Columns = {"document": str, "span": str, "label": str, "start": int, "end": int, "text": str, "score": float}
_STATEMENT: Columns = {"document": str, "statement": str, "label": str, "text": str, "score": float}


def write_csv(documents: Iterable[Document], path: Path) -> Counter[str]:
    """Write spans to ``path`` and statements to ``<path>.statements.csv``: UTF-8, RFC 4180, a line of names first.

    The spans' columns are document, span, label, start, end, text, score and the attributes of all labels; the
    statements' are document, statement (the id of its span), label, text, score, the attributes of the labels that have
    roles, and the roles, each with the texts of those who play it, joined by "; ". What a row has not is empty. The
    schema is that of the first document.

    Returns:
        What tables cannot hold: texts of documents, titles, sources, dates and scores of links.

    Raises:
        AttackspanError: a file cannot be written, UTF-8 cannot hold a text, a document has another schema than the
            first, or two columns have one name.
    """
    return _write(documents, path, _csv)


def write_parquet(documents: Iterable[Document], path: Path) -> Counter[str]:
    """Write the tables of ``write_csv`` as Parquet, in row groups of ``GROUP_ROWS``; what a row has not is null.

    Raises:
        AttackspanError: as ``write_csv``, or pyarrow is not installed.
    """
    with extra("tables"):
        import pyarrow.parquet  # noqa: F401
    return _write(documents, path, _parquet)


def _write(documents: Iterable[Document], path: Path, sink: Sink) -> Counter[str]:
    documents = iter(documents)
    first = next(documents, None)
    schema = first.schema if first else default_schema()
    marked = _names(attribute.name for _, attribute in schema.attributes)
    told = _names(attribute.name for label, attribute in schema.attributes if label.roles)
    told += _names(role.name for _, role in schema.roles)
    lost: Counter[str] = Counter()
    with (
        replacing(path) as span_file,
        replacing(path.with_suffix(f".statements{path.suffix}")) as statement_file,
        sink(span_file, _columns(path, _SPAN, marked)) as add_span,
        sink(statement_file, _columns(path, _STATEMENT, told)) as add_statement,
    ):
        for document in chain([first] if first else (), documents):
            _check(path, document, schema)
            for span in document.spans:
                place = (document.id, span.id, span.label, span.start, span.end, span.text, span.score)
                add_span((*place, *map(span.attributes.get, marked)))
            for row in document.statements():
                parties = {role: "; ".join(texts) or None for role, texts in row.parties.items()}
                values = {**row.attributes, **parties}
                add_statement((document.id, row.id, row.label, row.text, row.score, *map(values.get, told)))
            lost += losses(document, "titles", "sources", "dates")
            lost += Counter({
                "texts of documents": int(bool(document.text)),
                "scores of links": sum(link.score is not None for link in document.links),
            })  # fmt: skip
    return lost


def _check(path: Path, document: Document, schema: Schema) -> None:
    if document.schema != schema:
        raise problem(path, None, f"document {document.id!r} has another schema; a table holds one")
    for value in (document.text, document.id, *(span.id for span in document.spans)):
        utf8(path, document.id, value)


def _names(names: Iterable[str]) -> list[str]:
    """Each name once: labels may share an attribute or a role, and so its column."""
    return list(dict.fromkeys(names))


def _columns(path: Path, known: Columns, more: Iterable[str]) -> Columns:
    """Columns with their types; those of the schema are strings."""
    names = Counter([*known, *more])
    if twice := [name for name, count in names.items() if count > 1]:
        raise problem(path, None, f"two columns would be called {twice[0]!r}; rename the schema's attribute or role")
    return {name: known.get(name, str) for name in names}


@contextmanager
def _csv(file: BinaryIO, columns: Columns) -> Iterator[Callable[[Row], object]]:
    text = TextIOWrapper(file, "utf-8", newline="")
    try:
        rows = csv.writer(text)
        rows.writerow(columns)
        yield rows.writerow
    finally:
        text.detach()  # writes what is left and leaves the file open


@contextmanager
def _parquet(file: BinaryIO, columns: Columns) -> Iterator[Callable[[Row], object]]:
    import pyarrow
    from pyarrow import parquet

    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    rows: list[Row] = []

    def flush() -> None:
        values = zip(*rows, strict=True)
        arrays = [pyarrow.array(column, field.type) for column, field in zip(values, schema, strict=True)]
        writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
        rows.clear()

    def add(row: Row) -> None:
        rows.append(row)
        if len(rows) == GROUP_ROWS:
            flush()

    with parquet.ParquetWriter(file, schema) as writer:
        yield add
        if rows:
            flush()
