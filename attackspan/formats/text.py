"""Plain text: a file is a document."""

from __future__ import annotations

from pathlib import Path

from attackspan.document import Document
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import whole


def read_text(path: str | Path, schema: Schema | None = None) -> Document:
    """Read a text file as one document without spans.

    Its id is the file's name without the ending; its text is the file's, line ends and all, less a leading byte order
    mark.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or is empty.
    """
    path = Path(path)
    return Document(path.stem, whole(path), schema=schema or default_schema())
