"""The XML of annotators: ``<doc id source date><title>…</title><text>…</text></doc>``, with a tag for each span.

A span's tag is its label; its attributes are ``id``, the label's attributes and the label's roles (ids of the spans
that play them, separated by spaces). Scores are not part of the format, and neither are spans that cross.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats.pieces import assemble
from attackspan.schema import Label, Schema, default_schema
from attackspan.textfiles import problem, whole

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A bare carriage return would be read as a newline, and a bare newline or tab in an attribute as a space.
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})


def read_xml(path: str | Path, schema: Schema | None = None) -> Document:
    """Read the document of a file. Offsets count the code points of its text without the tags.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8, is not well-formed XML of this form, has a DTD, or the
            document is not valid; the message names the file and the line of the element at fault.
    """
    import defusedxml.sax  # here, for it brings urllib and http along, which would slow every start

    path = Path(path)
    reader = _Reader(path, schema or default_schema())
    try:
        defusedxml.sax.parse(StringIO(whole(path)), reader, forbid_dtd=True)
    except DefusedXmlException as error:
        raise reader.problem("a DTD or an entity is not allowed here; remove the <!DOCTYPE …>") from error
    except SAXParseException as error:
        raise problem(path, error.getLineNumber(), f"not XML: {error.getMessage()}") from error
    return reader.document()


def to_xml(document: Document) -> str:
    """The document as the text of an XML file; ``read_xml`` gives it back, less the scores.

    Of spans with the same range the first is the outer one. Links are written, and so read, in the order of their
    heads and of the schema's roles.

    Raises:
        AttackspanError: two spans cross, the id of a span is empty or has white space in it, a string has a character
            that XML cannot hold, or a label has two attributes or roles of one name.
    """
    tails: dict[tuple[str, str], list[str]] = {}
    for link in document.links:
        tails.setdefault((link.head, link.role), []).append(link.tail)
    head = "".join(
        f' {name}="{_escaped(document, name, getattr(document, name), _IN_ATTRIBUTE)}"'
        for name in ("id", "source", "date")
    )
    out = [f"<doc{head}><title>{_escaped(document, 'title', document.title, _IN_TEXT)}</title><text>"]
    _escaped(document, "text", document.text, _IN_TEXT)  # checks the whole, so that an error has the right offset
    open_spans: list[Span] = []
    at = 0

    def advance(to: int) -> None:
        """Write the text up to an offset, and the end tags that belong before it."""
        nonlocal at
        while open_spans and open_spans[-1].end <= to:
            span = open_spans.pop()
            out.append(f"{document.text[at : span.end].translate(_IN_TEXT)}</{span.label}>")
            at = span.end
        out.append(document.text[at:to].translate(_IN_TEXT))
        at = to

    for span in document.spans:
        advance(span.start)
        if open_spans and open_spans[-1].end < span.end:
            raise AttackspanError(
                f"document {document.id!r}: {_where(open_spans[-1])} and {_where(span)} cross, and XML can only nest "
                "spans; shorten one, or write JSON lines"
            )
        if span.id.split() != [span.id]:
            raise AttackspanError(f"document {document.id!r}: {_where(span)}: XML needs an id without white space")
        values = {"id": span.id, **span.attributes}
        label = document.schema[span.label]
        for role in label.roles:
            if (span.id, role.name) in tails:
                values[role.name] = " ".join(tails[span.id, role.name])
        tag = "".join(
            f' {name}="{_escaped(document, f"{name} of {_where(span)}", values[name], _IN_ATTRIBUTE)}"'
            for name in _attribute_names(label)
            if name in values
        )
        out.append(f"<{span.label}{tag}>")
        open_spans.append(span)
    advance(len(document.text))
    return "".join([*out, "</text></doc>\n"])


@dataclass(slots=True)
class _Element:
    """A span's element: its line and what its tag says; ``end`` is set when it closes."""

    line: int
    label: str
    values: dict[str, str]
    start: int
    end: int = 0


class _Reader(ContentHandler):
    """Collects one document from the events of the parser, in linear time and without recursion."""

    def __init__(self, path: Path, schema: Schema) -> None:
        super().__init__()
        self._path = path
        self._schema = schema
        self._head: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {}
        self._place = ""  # "doc", "title" or "text": the innermost element that is not a span's
        self._length = 0  # of the text so far
        self._elements: list[_Element] = []
        self._open: list[_Element] = []

    def setDocumentLocator(self, locator: Locator) -> None:
        self._where = locator

    @property
    def _line(self) -> int:
        return self._where.getLineNumber() or 1

    def problem(self, message: object) -> AttackspanError:
        """An error at the line that the parser has come to."""
        return problem(self._path, self._line, message)

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        values = dict(attrs.items())
        if self._place == "text":
            self._start_span(name, values)
            return
        known = {"": ("doc",), "doc": ("title", "text"), "title": ()}[self._place]
        if name not in known:
            where = f"in <{self._place}>" if self._place else "as the root"
            raise self.problem(f"unexpected <{name}> {where}; expected {' or '.join(known) or 'text only'}")
        if name in self._parts:
            raise self.problem(f"a second <{name}>")
        self._check_attributes(name, values, ("id", "source", "date") if name == "doc" else ())
        if name == "doc":
            self._head = values
        else:
            self._parts[name] = []
        self._place = name

    def endElement(self, name: str) -> None:
        if self._open:
            self._open.pop().end = self._length
        elif name == "doc":
            if "text" not in self._parts:
                raise self.problem("<doc> has no <text>")
        else:
            self._place = "doc"

    def characters(self, content: str) -> None:
        if self._place in self._parts:
            self._parts[self._place].append(content)
            if self._place == "text":
                self._length += len(content)
        elif content.strip():
            raise self.problem(f"{content.strip()[:40]!r} stands outside <title> and <text>")

    def document(self) -> Document:
        """The document, once all is parsed."""
        text = "".join(self._parts["text"])
        spans: list[tuple[int, Span | Link]] = []
        links: list[tuple[int, Span | Link]] = []
        for element in self._elements:
            label, values, start, end = element.label, element.values, element.start, element.end
            roles = [role.name for role in self._schema[label].roles]
            span_id = values.pop("id")
            links += [
                (element.line, Link(role, span_id, tail)) for role in roles for tail in values.pop(role, "").split()
            ]
            spans.append((element.line, Span(span_id, label, start, end, text[start:end], attributes=values)))

        def build(spans: tuple[Span, ...], links: tuple[Link, ...]) -> Document:
            title = "".join(self._parts.get("title", ()))
            return Document(text=text, spans=spans, links=links, title=title, schema=self._schema, **self._head)

        return assemble(self._path, [*spans, *links], build)

    def _start_span(self, name: str, values: dict[str, str]) -> None:
        if name not in self._schema.names:
            raise self.problem(f"unknown tag <{name}>; the schema has {', '.join(self._schema.names)}")
        try:
            known = _attribute_names(self._schema[name])
        except AttackspanError as error:
            raise self.problem(error) from error
        self._check_attributes(name, values, known)
        if values["id"].split() != [values["id"]]:
            raise self.problem(f"<{name}> has the id {values['id']!r}; an id is not empty and has no white space")
        element = _Element(self._line, name, values, self._length)
        self._elements.append(element)
        self._open.append(element)

    def _check_attributes(self, name: str, values: dict[str, str], known: tuple[str, ...]) -> None:
        if unknown := sorted(values.keys() - set(known)):
            raise self.problem(f"unknown attribute {unknown[0]!r} of <{name}>; known are {', '.join(known) or 'none'}")
        if "id" in known and "id" not in values:
            raise self.problem(f"<{name}> has no id")


def _attribute_names(label: Label) -> tuple[str, ...]:
    """The attributes that a label's tag may have, in the order in which they are written."""
    names = ("id", *(attribute.name for attribute in label.attributes), *(role.name for role in label.roles))
    if len(set(names)) < len(names):
        raise AttackspanError(f"label {label.name!r}: XML needs {', '.join(names)} to be different names")
    return names


def _escaped(document: Document, what: str, value: str, escapes: dict[int, str]) -> str:
    """A string as XML."""
    if bad := _NOT_XML.search(value):
        raise AttackspanError(
            f"document {document.id!r}: XML cannot hold the character {bad[0]!r} at offset {bad.start()} of its {what}"
        )
    return value.translate(escapes)


def _where(span: Span) -> str:
    return f"{span.label} {span.id!r} [{span.start}:{span.end}]"
