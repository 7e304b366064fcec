"""Documents with labelled spans and the links between them: frozen, and valid by construction."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from attackspan.errors import AttackspanError
from attackspan.schema import Schema, default_schema


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of a document's text.

    Attributes:
        id: unique within the document.
        label: a label of the document's schema.
        start: offset of its first character in the text.
        end: offset behind its last character (half-open).
        text: ``document.text[start:end]``.
        score: the model's calibrated probability that the span is right; ``None`` where a person marked it.
        attributes: attribute name to value, e.g. ``{"kind": "bombing"}``.
    """

    id: str
    label: str
    start: int
    end: int
    text: str
    score: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", dict(self.attributes))


@dataclass(frozen=True, slots=True)
class Link:
    """A tie from a statement (``head``, a span's id) to the span that plays ``role`` in it (``tail``)."""

    role: str
    head: str
    tail: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of ``Document.statements()``: an attribution or a condemnation with its parties resolved.

    Attributes:
        id: the id of the statement's span.
        label: its label (``attribution`` or ``condemnation`` in the default schema).
        text: its text.
        score: its score.
        attributes: its attributes, e.g. ``{"stance": "claimed"}``.
        parties: role to the texts of the spans that play it, in the order of the text; a role that nobody plays has ().
    """

    id: str
    label: str
    text: str
    score: float | None
    attributes: Mapping[str, str] = field(hash=False)
    parties: Mapping[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its spans and links.

    Spans are kept in the order of the text, an outer span before the spans inside it; links in that of their heads,
    then by role, then as given.

    Raises:
        AttackspanError: an offset lies outside the text, a span's text is not the text at its offsets, a span is empty,
            an id stands twice, a score is no probability, two spans of one label overlap, a label, attribute or value
            is unknown, or a link names a missing span or one of the wrong label.

    Example:
        >>> actor = Span("a1", "actor", 0, 6, "Police")
        >>> Document("d1", "Police fled.", (actor,)).spans[0].label
        'actor'
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    links: tuple[Link, ...] = ()
    title: str = ""
    source: str = ""
    date: str = ""
    schema: Schema = field(default_factory=default_schema, repr=False, compare=False)

    def __post_init__(self) -> None:
        spans = sorted(self.spans, key=lambda span: (span.start, -span.end))
        object.__setattr__(self, "spans", tuple(spans))
        order = {span.id: index for index, span in enumerate(spans)}
        links = sorted(self.links, key=lambda link: (order.get(link.head, -1), link.role))
        object.__setattr__(self, "links", tuple(links))
        for problem in self._problems():
            raise AttackspanError(f"document {self.id!r}: {problem}")

    def statements(self) -> tuple[Statement, ...]:
        """A row for each attribution and condemnation: who says it, of whom, about which attack.

        A statement is a span of a label that has roles in the schema.
        """
        by_id = {span.id: span for span in self.spans}
        order = {span.id: index for index, span in enumerate(self.spans)}
        tails: dict[tuple[str, str], list[str]] = {}
        for link in self.links:
            tails.setdefault((link.head, link.role), []).append(link.tail)
        rows = []
        for span in self.spans:
            parties = {
                role.name: tuple(
                    by_id[tail].text for tail in sorted(tails.get((span.id, role.name), ()), key=order.__getitem__)
                )
                for role in self.schema[span.label].roles
            }
            if parties:
                rows.append(Statement(span.id, span.label, span.text, span.score, span.attributes, parties))
        return tuple(rows)

    def to_dict(self) -> dict[str, Any]:
        """The document as plain lists and dicts, ready for JSON; ``from_dict`` gives it back."""
        return {
            "id": self.id,
            "text": self.text,
            "title": self.title,
            "source": self.source,
            "date": self.date,
            "spans": [
                {
                    "id": span.id,
                    "label": span.label,
                    "start": span.start,
                    "end": span.end,
                    "text": span.text,
                    "score": span.score,
                    "attributes": dict(span.attributes),
                }
                for span in self.spans
            ],
            "links": [
                {"role": link.role, "head": link.head, "tail": link.tail, "score": link.score} for link in self.links
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], schema: Schema | None = None) -> Document:
        """Build a document from the form that ``to_dict`` gives; everything but ``text`` may be left out.

        Raises:
            AttackspanError: a key is missing or unknown, a value has the wrong type, or the document is not valid.
        """
        if not isinstance(data, Mapping):
            raise AttackspanError(f"a document is an object with a 'text', not {type(data).__name__}")
        head = _fields(
            data, {"text": str}, {"id": str, "title": str, "source": str, "date": str, "spans": list, "links": list}
        )
        spans = [
            _fields(span, {"id": str, "label": str, "start": int, "end": int}, _SPAN_OPTIONAL)
            for span in head.pop("spans", ())
        ]
        for span in spans:
            span.setdefault("text", head["text"][span["start"] : span["end"]])
        links = [
            _fields(link, {"role": str, "head": str, "tail": str}, {"score": (int, float, type(None))})
            for link in head.pop("links", ())
        ]
        head.setdefault("id", "")
        return cls(
            spans=tuple(Span(**span) for span in spans),
            links=tuple(Link(**link) for link in links),
            schema=schema or default_schema(),
            **head,
        )

    def _problems(self) -> Iterator[str]:
        """What is wrong with the document, one clause each."""
        ids = Counter(span.id for span in self.spans)
        yield from (f"span id {name!r} stands twice" for name, count in ids.items() if count > 1)
        for span in self.spans:
            where = f"{span.label} {span.id!r} [{span.start}:{span.end}]"
            yield from (f"{where} {problem}" for problem in self._span_problems(span))
        for label in self.schema.names:
            for left, right in pairwise(span for span in self.spans if span.label == label):
                if right.start < left.end:
                    yield f"two {label} spans overlap: {left.text[:40]!r} and {right.text[:40]!r}"
        spans = {span.id: span for span in self.spans}
        links = Counter((link.role, link.head, link.tail) for link in self.links)
        for link in self.links:
            where = f"link {link.role!r} from {link.head!r} to {link.tail!r}"
            if links[link.role, link.head, link.tail] > 1:
                yield f"{where} stands twice"
            yield from (f"{where} {problem}" for problem in self._link_problems(link, spans))

    def _span_problems(self, span: Span) -> Iterator[str]:
        there = self.text[max(0, span.start) : span.end]
        if span.start >= span.end:
            yield "is empty"
        elif span.start < 0 or span.end > len(self.text):
            yield f"lies outside the text of {len(self.text)} characters"
        elif there != span.text:
            yield f"says {span.text[:40]!r}, but the text there is {there[:40]!r}"
        if span.score is not None and not 0 <= span.score <= 1:
            yield f"has the score {span.score}, which is no probability"
        if span.label not in self.schema.names:
            yield f"has an unknown label; the schema has {', '.join(self.schema.names)}"
            return
        attributes = {attribute.name: attribute.names for attribute in self.schema[span.label].attributes}
        for name in sorted(span.attributes.keys() - attributes.keys()):
            yield f"has an unknown attribute {name!r}; {span.label} has {', '.join(attributes) or 'none'}"
        for name, values in attributes.items():
            if span.attributes.get(name) not in values:
                yield f"has {name}={span.attributes.get(name)!r}, which is not one of {', '.join(values)}"

    def _link_problems(self, link: Link, spans: Mapping[str, Span]) -> Iterator[str]:
        if missing := [name for name in (link.head, link.tail) if name not in spans]:
            yield f"ties {missing[0]!r}, which is no span of the document"
            return
        head, tail = spans[link.head], spans[link.tail]
        tails = {role.name: role.tail for role in self.schema[head.label].roles}
        if link.role not in tails:
            yield f"has an unknown role; {head.label} has {', '.join(tails) or 'no links'}"
        elif tail.label != tails[link.role]:
            yield f"ends at {tail.label}, not {tails[link.role]}"
        if link.score is not None and not 0 <= link.score <= 1:
            yield f"has the score {link.score}, which is no probability"


def data_hash(documents: Iterable[Document]) -> str:
    """sha256 over documents with their markings, in any order: the same data always has the same hash."""
    lines = sorted(json.dumps(document.to_dict(), sort_keys=True) for document in documents)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


_SPAN_OPTIONAL = {"text": str, "score": (int, float, type(None)), "attributes": dict}


def _fields(data: Any, required: Mapping[str, Any], optional: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` as a dict of checked keys and types."""
    if not isinstance(data, Mapping):
        raise AttackspanError(f"expected an object with {', '.join(required)}, not {type(data).__name__}")
    if missing := [key for key in required if key not in data]:
        raise AttackspanError(f"no {missing[0]!r}; an object here needs {', '.join(required)}")
    known = {**required, **optional}
    for key, value in data.items():
        if key not in known:
            raise AttackspanError(f"unknown key {key!r}; known are {', '.join(known)}")
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise AttackspanError(f"{key!r} cannot be {value!r:.60}")
    return dict(data)
