"""Labels with their attributes in them, ``attack:bombing``, for tools whose spans have a label and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.formats.loss import losses
from attackspan.formats.objects import dump
from attackspan.schema import Schema
from attackspan.textfiles import replacing


def flat_label(span: Span, schema: Schema) -> str:
    """A span's label and, each behind a colon, the values of its attributes in the order of the schema."""
    return ":".join((span.label, *(span.attributes[attribute.name] for attribute in schema[span.label].attributes)))


def split_label(text: str, schema: Schema) -> tuple[str, dict[str, str]]:
    """The label and the attributes of a flat label.

    Raises:
        AttackspanError: the schema has no such label, or it wants another number of values.
    """
    label, *values = text.split(":")
    names = [attribute.name for attribute in schema[label].attributes]
    if len(values) != len(names):
        wanted = ":".join((label, *(f"<{name}>" for name in names)))
        raise AttackspanError(f"label {text!r}: has to be {wanted}")
    return label, dict(zip(names, values, strict=True))


def write_lines(documents: Iterable[Document], path: Path, line: Callable[[Document], Any]) -> Counter[str]:
    """Write a line of JSON a document, as ``line`` makes it, to a file that is replaced as a whole.

    Returns:
        What such a tool cannot hold: scores.

    Raises:
        AttackspanError: the file cannot be written, or JSON cannot hold a document.
    """
    lost = Counter[str]()
    with replacing(path) as file:
        for document in documents:
            file.write(dump(path, document.id, line(document)) + b"\n")
            lost += losses(document, "scores")
    return lost
