"""The records of large inputs, one at a time: lines of JSON, rows of CSV and Parquet, the documents of other files."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NoReturn, cast

from attackspan import formats
from attackspan.document import Document
from attackspan.errors import AttackspanError, extra
from attackspan.formats.folder import is_folder, unpaired, walk
from attackspan.formats.jsonl import from_object
from attackspan.formats.objects import loads
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import empty, problem

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".csv.gz", ".csv.zst", ".parquet")
"""Of the files that hold a record a line or a row; any other file is read by ``formats``."""

_LONGEST_CELL = 10_000_000  # characters; a quote that is never closed would take the rest of a CSV into memory
_LONGEST_LINE = 1 << 28  # bytes

Rows = Iterator[tuple[int, Callable[[], Document]]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, or keys of a line of JSON, that hold a record's text and id; ``None``: none is named.

    Unnamed they are ``text`` and ``id``, and a record without an id gets ``<file name>-<number>``. ``title``,
    ``source`` and ``date`` are kept where they stand; other columns are not read. A line of JSON holds a whole Document
    where nothing is named.
    """

    text: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What stands at one place of the input: a document, or the error that says why it is none.

    Attributes:
        file: which of the files, from 0.
        path: that file.
        number: its row in Parquet, the line on which it begins in JSON lines and CSV, else its count; from 1.
        content: the document or the error.
        read: bytes of the file that are read so far.
    """

    file: int
    path: Path
    number: int
    content: Document | AttackspanError
    read: int


def files(paths: Iterable[Path]) -> list[Path]:
    """The files of paths and folders: those that ``formats.files`` finds, and tables and packed files among them.

    Raises:
        AttackspanError: as ``formats.files``.
    """
    found: list[Path] = []
    for path in paths:
        if is_folder(path):
            tables = {file for file in walk(path) if kind(file)}
            try:
                tables.update(formats.files([path]))
            except AttackspanError:
                if not tables:
                    raise
            found += sorted(tables)
        else:
            found += [path] if kind(path) and path.is_file() else formats.files([path])
    return unpaired(found)


def kind(path: PurePath) -> str:
    """``.jsonl``, ``.csv`` or ``.parquet``, packed or not; empty for other files."""
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")
    return ending.removesuffix(".gz").removesuffix(".zst")


def read(
    files: Sequence[Path], columns: Columns, schema: Schema | None = None, after: tuple[int, int] = (0, 0)
) -> Iterator[Record]:
    """Read the records of files, one at a time and in order, whatever is wrong with some of them.

    Args:
        files: as ``files`` gives them.
        columns: what holds text and id.
        schema: of the documents; by default attacks in the news.
        after: ``file`` and ``number`` of a record; those up to it are passed over.

    Yields:
        A record for each line, row or document. An error of a whole file (no such column, cut off, not valid) is one
        record, the last of its file.

    Raises:
        AttackspanError: the system does not let a file be read.
    """
    for index, path in enumerate(files[after[0] :], after[0]):
        done = after[1] if index == after[0] else 0
        try:
            with path.open("rb") as file:
                for number, content in contents(path, file, columns, schema, done):
                    yield Record(index, path, number, content, file.tell())
        except OSError as error:
            raise problem(path, None, error.strerror) from error


def documents(records: Iterable[Record]) -> Iterator[Document]:
    """The documents of records, up to the first error.

    Raises:
        AttackspanError: a record holds one, or has the id of a record above in its file.
    """
    file, first = -1, dict[str, int]()
    for record in records:
        if isinstance(record.content, AttackspanError):
            raise record.content
        if record.file != file:
            file, first = record.file, {}
        name = record.content.id
        if name in first:
            raise problem(record.path, record.number, f"the id {name!r} stands already on line {first[name]}")
        first[name] = record.number
        yield record.content


def contents(
    path: Path, file: BinaryIO, columns: Columns, schema: Schema | None, done: int = 0
) -> Iterator[tuple[int, Document | AttackspanError]]:
    """The records of one open file behind record ``done``: number and content of each; see ``read``."""
    number = 0
    try:
        for number, parse in _rows(path, file, columns, schema or default_schema()):
            if number > done:
                try:
                    yield number, parse()
                except AttackspanError as error:
                    yield number, problem(path, number, error)
    except (AttackspanError, EOFError, OSError, csv.Error, zlib.error) as error:
        for cause in (error, error.__cause__):
            if isinstance(cause, OSError) and cause.errno:  # the system's, not a damaged file's
                raise
        if number + 1 > done:
            whole = error if isinstance(error, AttackspanError) else problem(path, number + 1, f"damaged: {error}")
            yield number + 1, whole


def _rows(path: Path, file: BinaryIO, columns: Columns, schema: Schema) -> Rows:
    """Each record's number, and a function that makes it a document or says, in an AttackspanError, why it is none."""
    match kind(path):
        case ".parquet":
            return _parquet(path, file, columns, schema)
        case ".csv":
            return _csv(path, _lines(path, _unpacked(path, file)), columns, schema)
        case ".jsonl":
            return _jsonl(path, _lines(path, _unpacked(path, file)), columns, schema)
    found = enumerate(formats.read([path], schema), 1)
    return ((number, partial(_itself, document)) for number, document in found)


def _unpacked(path: Path, file: BinaryIO) -> BinaryIO:
    match path.suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.GzipFile(fileobj=file))
        case ".zst":
            with extra("tables"):
                import pyarrow

            return io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.PythonFile(file, "r"), "zstd"))
    return file


def _lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, none so long that a few packed kilobytes fill the memory."""
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise problem(path, number, f"longer than {_LONGEST_LINE:,} bytes; write one record a line")
        yield line


def _jsonl(path: Path, lines: Iterator[bytes], columns: Columns, schema: Schema) -> Rows:
    number = 0
    for line, raw in enumerate(lines, 1):
        text = raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw
        if text.strip():
            number = line
            yield number, partial(_from_json, text, columns, f"{_stem(path)}-{number}", schema)
    if not number:
        raise empty(path)


def _csv(path: Path, lines: Iterator[bytes], columns: Columns, schema: Schema) -> Rows:
    csv.field_size_limit(_LONGEST_CELL)
    rows = csv.reader(_decoded(lines), strict=True)
    header = next(rows, None)
    if header is None:
        raise empty(path)
    _require(path, columns, header)
    while True:
        number = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, partial(_refuse, f"not CSV: {error}")
            continue
        if cells:
            yield number, partial(_from_cells, header, cells, columns, f"{_stem(path)}-{number}", schema)


def _decoded(lines: Iterator[bytes]) -> Iterator[str]:
    """Lines as text; a byte that is not UTF-8 becomes a surrogate, so that only the row that holds it is refused."""
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text if number else text.removeprefix("\ufeff")


def _parquet(path: Path, file: BinaryIO, columns: Columns, schema: Schema) -> Rows:
    with extra("tables"):
        import pyarrow
        from pyarrow import parquet

    try:
        # Both settings, or a column of a row group is held whole.
        table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
        names = table.schema_arrow.names
        _require(path, columns, names)
        used = {columns.text or "text", columns.id or "id", "title", "source", "date"}
        number = 0
        for batch in table.iter_batches(64, columns=[name for name in names if name in used]):
            for row in range(len(batch)):
                number += 1
                yield number, partial(_from_batch, batch, row, columns, f"{_stem(path)}-{number}", schema)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise problem(path, None, f"not Parquet: {error}") from error


def _from_json(raw: bytes, columns: Columns, name: str, schema: Schema) -> Document:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise AttackspanError(
            f"not UTF-8 at byte {error.start} of the line: {error.reason}; convert the file"
        ) from error
    data = loads(text.rstrip("\r\n"))
    if columns == Columns():
        return from_object(data, name, schema)
    if not isinstance(data, dict):
        raise AttackspanError(f"a record is an object, not {type(data).__name__}")
    return _from_row(data, columns, name, schema)


def _from_cells(header: list[str], cells: list[str], columns: Columns, name: str, schema: Schema) -> Document:
    if len(cells) != len(header):
        raise AttackspanError(f"{len(cells)} cells, but the header has {len(header)}")
    try:
        "".join(cells).encode()
    except UnicodeEncodeError as error:
        raise AttackspanError("not UTF-8; convert the file") from error
    return _from_row(dict(zip(header, cells, strict=True)), columns, name, schema)


def _from_batch(batch: Any, row: int, columns: Columns, name: str, schema: Schema) -> Document:
    try:
        values = {column: batch.column(column)[row].as_py() for column in batch.schema.names}
    except UnicodeDecodeError as error:
        raise AttackspanError(f"not UTF-8: {error.reason}") from error
    return _from_row(values, columns, name, schema)


def _from_row(row: Mapping[str, Any], columns: Columns, name: str, schema: Schema) -> Document:
    text = row.get(columns.text or "text")
    if not isinstance(text, str):
        raise AttackspanError(f"no text in {columns.text or 'text'!r}")
    given = _string(row, columns.id or "id")
    if columns.id and not given:
        raise AttackspanError(f"no id in {columns.id!r}")
    title, source, day = (_string(row, key) for key in ("title", "source", "date"))
    return Document(given or name, text, title=title, source=source, date=day, schema=schema)


def _string(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is not None and not isinstance(value, str | int | date):
        raise AttackspanError(f"{key!r} cannot be {value!r:.60}")
    return "" if value is None else str(value)


def _require(path: Path, columns: Columns, header: Sequence[str]) -> None:
    for option, name in (("--text-column", columns.text or "text"), ("--id-column", columns.id)):
        if name and header.count(name) != 1:
            found = "no column" if name not in header else "more than one column"
            raise problem(path, None, f"{found} {name!r} in {', '.join(header)[:200]}; name it with {option}")


def _itself(document: Document) -> Document:
    return document


def _refuse(message: str) -> NoReturn:
    raise AttackspanError(message)


def _stem(path: Path) -> str:
    return path.name[: len(path.name) - len(next(e for e in ENDINGS if path.name.lower().endswith(e)))]
