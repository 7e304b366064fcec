"""Labels with their attributes in them, ``attack:bombing``, for tools whose spans have a label and nothing else."""

from __future__ import annotations

from attackspan.document import Span
from attackspan.errors import AttackspanError
from attackspan.schema import Schema


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
