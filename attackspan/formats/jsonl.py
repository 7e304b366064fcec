"""JSON lines: a document a line, in the form of ``Document.to_dict``. Holds everything that a document has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.schema import Schema
from attackspan.textfiles import empty, lines, problem

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def read_jsonl(path: str | Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of a file one after the other. Blank lines are skipped.

    A document without an ``id`` gets ``<file name without ending>-<line number>``. Offsets count code points of the
    decoded ``text``.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or holds no document, or a line is not JSON, is no valid
            document or has the id of a line above.
    """
    path = Path(path)
    first: dict[str, int] = {}
    for number, line in lines(path):
        if not line.strip():
            continue
        try:
            data = json.loads(line.rstrip("\r\n"), parse_constant=_refuse)
        except json.JSONDecodeError as error:
            raise problem(path, number, f"not JSON: {error.msg} at column {error.colno}") from error
        except (ValueError, RecursionError) as error:
            raise problem(path, number, f"not JSON: {error}") from error
        if isinstance(data, dict):
            data.setdefault("id", f"{path.stem}-{number}")
        try:
            document = Document.from_dict(data, schema)
        except AttackspanError as error:
            raise problem(path, number, error) from error
        if document.id in first:
            raise problem(path, number, f"the id {document.id!r} stands already on line {first[document.id]}")
        first[document.id] = number
        yield document
    if not first:
        raise empty(path)


def to_jsonl(document: Document) -> str:
    """The document as one line of JSON, without a line end.

    A lone surrogate, which UTF-8 cannot hold, is written as an escape, so it survives.

    Raises:
        AttackspanError: a high surrogate stands before a low one (JSON would read the two as one character, and every
            offset behind them would be wrong).
    """
    line = json.dumps(document.to_dict(), ensure_ascii=False)
    if pair := _SPLIT_PAIR.search(line):
        raise AttackspanError(f"document {document.id!r}: JSON cannot hold the split surrogate pair {pair[0]!r}")
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's parser lets through."""
    raise ValueError(f"{constant} is not a JSON number")
