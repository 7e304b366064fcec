"""JSON lines: a document a line, in the form of ``Document.to_dict``. Holds everything that a document has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats.objects import documents, dumps
from attackspan.schema import Schema

# What the lines of other tools have and ours never do.
_OTHERS = {
    "doccano": {"label", "labels", "entities", "Comments"},
    "prodigy": {"answer", "tokens", "meta", "_input_hash", "_task_hash"},
}


def read_jsonl(path: str | Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of a file one after the other. Blank lines are skipped.

    A document without an ``id`` gets ``<file name without ending>-<line number>``. Offsets count code points of the
    decoded ``text``.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or holds no document, or a line is not JSON, has a key
            twice in an object, is no valid document or has the id of a line above.
    """
    yield from documents(Path(path), lambda data, name: from_object(data, name, schema))


def from_object(data: Any, name: str, schema: Schema | None) -> Document:
    """The document that a line's value is.

    Args:
        name: the id of a document that has none.

    Raises:
        AttackspanError: it is no valid document; where it is a line of another tool, the message says so.
    """
    if not isinstance(data, dict):
        return Document.from_dict(data, schema)  # says what is wrong
    try:
        return Document.from_dict({"id": name, **data}, schema)
    except AttackspanError as error:
        for tool, keys in _OTHERS.items():
            if keys & data.keys():
                way = f"`attackspan convert --from {tool}` reads it"
                raise AttackspanError(f"this is {tool}'s form of JSON lines, not ours; {way}") from error
        raise


def to_jsonl(document: Document) -> str:
    """The document as one line of JSON, without a line end.

    A lone surrogate, which UTF-8 cannot hold, is written as an escape, so it survives.

    Raises:
        AttackspanError: a high surrogate stands before a low one (JSON would read the two as one character, and every
            offset behind them would be wrong).
    """
    return dumps(document.id, document.to_dict())
