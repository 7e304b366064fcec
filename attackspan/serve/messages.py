"""What goes in and comes out as JSON: requests to documents, documents to answers, and their description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from attackspan.document import Document, Link, Span, Statement
from attackspan.errors import AttackspanError
from attackspan.formats.objects import NotJson, loads
from attackspan.schema import Schema
from attackspan.serve.limits import Refusal
from attackspan.textfiles import LONGEST


@dataclass(frozen=True, slots=True)
class Answer:
    """A document as the service gives it back. Offsets count code points and are half-open."""

    id: str
    text: str
    title: str
    source: str
    date: str
    spans: list[Span]
    links: list[Link]
    statements: list[Statement]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answer to many documents, in their order."""

    documents: list[Answer]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was turned away, in one line."""

    error: str


_STRING = {"type": "string"}
_DOCUMENT = {
    "type": "object",
    "required": ["text"],
    "properties": dict.fromkeys(("text", "id", "title", "source", "date"), _STRING),
    "additionalProperties": False,
}
_EXAMPLE = "The US was quick to condemn the assassination attempt on Mustafa al-Kadhimi."
REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    _DOCUMENT,
                    {
                        "type": "object",
                        "required": ["documents"],
                        "properties": {"documents": {"type": "array", "items": _DOCUMENT}},
                        "additionalProperties": False,
                    },
                ]
            },
            "examples": {
                "one document": {"value": {"text": _EXAMPLE}},
                "many": {
                    "value": {
                        "documents": [
                            {"id": "first", "text": _EXAMPLE, "source": "Kurdistan 24", "date": "2021-11-07"},
                            {"id": "second", "title": "Raid", "text": "Nobody claimed the raid."},
                        ]
                    }
                },
            },
        }
    },
}
"""The body of ``POST /predict``, in OpenAPI's terms."""


def read(body: bytes, schema: Schema, most: int) -> tuple[list[Document], bool]:
    """The documents of a request, and whether it asked for a list.

    A document without an ``id`` gets its number in the request.

    Raises:
        Refusal: the body is not UTF-8 or not JSON (400), has more than ``most`` documents (413), or one of them is not
            valid (422); the message is one line.
    """
    data = _parse(body)
    if not isinstance(data, dict) or "documents" not in data:
        return [_document(data, 1, "", schema)], False
    documents = data["documents"]
    if not isinstance(documents, list) or len(data) > 1:
        raise Refusal(422, "'documents' stands alone, and is a list of objects with a 'text'")
    if len(documents) > most:
        raise Refusal(413, f"{len(documents)} documents in one request; send at most {most}")
    return [
        _document(one, number, f"documents[{number - 1}]: ", schema) for number, one in enumerate(documents, 1)
    ], True


def answer(documents: Sequence[Document], many: bool) -> bytes:
    """The answer as JSON: ``Document.to_dict`` with ``statements``, or a list of such under ``documents``."""
    rows = [
        {**document.to_dict(), "statements": [asdict(row) for row in document.statements()]} for document in documents
    ]
    # UTF-8 cannot hold a lone surrogate; Python writes its escape as JSON does.
    return json.dumps({"documents": rows} if many else rows[0], ensure_ascii=False).encode("utf-8", "backslashreplace")


def _parse(body: bytes) -> Any:
    try:
        return loads(body.decode())
    except UnicodeDecodeError as error:
        raise Refusal(400, f"not UTF-8 at byte {error.start}: {error.reason}") from error
    except NotJson as error:
        where = f" at line {error.line}, column {error.column}" if error.line else ""
        raise Refusal(400, _line(f"not JSON: {error.reason}{where}")) from error


def _document(data: Any, number: int, where: str, schema: Schema) -> Document:
    if isinstance(data, dict):
        data.setdefault("id", str(number))
    try:
        document = Document.from_dict(data, schema)
        if document.spans:
            raise AttackspanError("the model finds the spans; leave out 'spans' and 'links'")
    except AttackspanError as error:
        raise Refusal(422, _line(f"{where}{error}")) from error
    return document


def _line(message: str) -> str:
    """A message that quotes a request, on one line that is not long, and that UTF-8 can hold."""
    return " ".join(message[:LONGEST].splitlines()).encode("utf-8", "backslashreplace").decode()
