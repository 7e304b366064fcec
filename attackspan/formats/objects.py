"""JSON, ours and that of other tools: strictly read, written without loss; the documents of files with one a line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.textfiles import empty, lines, problem

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

T = TypeVar("T")


class NotJson(AttackspanError):
    """A text that is not JSON, or says something in it twice.

    Attributes:
        reason: why.
        line: where it goes wrong, from 1; 0 where no place is to blame.
        column: likewise.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"not JSON: {reason}{f' at column {column}' if column else ''}")
        self.reason = reason
        self.line = line
        self.column = column


def documents(path: Path, build: Callable[[Any, str], Document | None]) -> Iterator[Document]:
    """The documents of a file of JSON lines, one after the other. Blank lines are skipped.

    Args:
        build: makes the document of a line's value and of ``<file name without ending>-<line number>``, the id of a
            document that has none; ``None`` where the line is to be passed over.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or holds no document, or a line is not JSON, is no valid
            document or has the id of a line above.
    """
    first: dict[str, int] = {}
    blank = True
    for number, line in lines(path):
        if not line.strip():
            continue
        blank = False
        data = parse(path, line.rstrip("\r\n"), number)
        try:
            document = build(data, f"{path.stem}-{number}")
        except AttackspanError as error:
            raise problem(path, number, error) from error
        if document is None:
            continue
        if document.id in first:
            raise problem(path, number, f"the id {document.id!r} stands already on line {first[document.id]}")
        first[document.id] = number
        yield document
    if not first:
        raise empty(path) if blank else problem(path, None, "all its documents were rejected or skipped")


def parse(path: Path, text: str, line: int = 1) -> Any:
    """The value of a JSON text that begins on a line of a file.

    Raises:
        AttackspanError: it is not JSON; the message names the line.
    """
    try:
        return loads(text)
    except NotJson as error:
        raise problem(path, line + max(0, error.line - 1), error) from error


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        NotJson: it is not JSON, has a key twice in an object, of which Python's parser drops the first without a word,
            or NaN or Infinity, which it lets through; or it is nested too deep, or a number too long, for Python.
    """
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg, error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def dump(path: Path, name: str, data: Any) -> bytes:
    """``dumps`` in UTF-8, for a path: the error names it."""
    try:
        return dumps(name, data).encode()
    except AttackspanError as error:
        raise problem(path, None, error) from error


def dumps(name: str, data: Any) -> str:
    """A value as one line of JSON, without a line end. A lone surrogate is written as an escape, so it survives.

    Args:
        name: the id of the document that it holds, for the error.

    Raises:
        AttackspanError: a high surrogate stands before a low one (JSON would read the two as one character, and every
            offset behind them would be wrong).
    """
    line = json.dumps(data, ensure_ascii=False)
    if pair := _SPLIT_PAIR.search(line):
        raise AttackspanError(f"document {name!r}: JSON cannot hold the split surrogate pair {pair[0]!r}")
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


def take(data: Any, key: str, kind: type[T], default: T | None = None) -> T:
    """The value that an object has for a key; the default where it has none, or null.

    Raises:
        AttackspanError: it is no object, the value is of another type, or there is neither value nor default.
    """
    if not isinstance(data, dict):
        raise AttackspanError(f"expected an object with {key!r}, not {data!r:.60}")
    value = data.get(key)
    if value is None:
        value = default
    if value is None:
        raise AttackspanError(f"no {key!r} in {data!r:.60}")
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise AttackspanError(f"{key!r} cannot be {value!r:.60}")
    return value


def name_of(data: Any, default: str) -> str:
    """The ``id`` of an object as a document's id: other tools count theirs, ours are strings."""
    value = data.get("id")
    return str(value) if isinstance(value, int) else take(data, "id", str, default)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key!r} stands twice in an object")
    return data
