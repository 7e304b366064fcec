"""brat's standoff files: the text in ``<id>.txt``, and beside it ``<id>.ann`` with a line for each piece of marking.

A span is a text-bound annotation (T) with its attributes (A), a link a relation (R). Events (E) are read, too: the
trigger is the statement, each argument a link. Offsets count code points of the text file, a byte order mark included.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from attackspan.document import Document, Link, Span
from attackspan.formats.folder import places
from attackspan.formats.loss import losses
from attackspan.formats.pieces import assemble
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import lines, problem, replacing, utf8, whole

_ID = re.compile("T[1-9][0-9]*")
_RANGES = re.compile("[0-9]{1,18} [0-9]{1,18}(;[0-9]{1,18} [0-9]{1,18})*")
# brat reads a line of marking up to any of these, so the text of a span is given in the pieces between them.
_UNBROKEN = re.compile("[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")


@dataclass(slots=True)
class _Mark:
    """A span in the making; ``line`` is that of its last attribute, once it has one."""

    line: int
    label: str
    start: int
    end: int
    attributes: dict[str, str] = field(default_factory=dict)
    triggers: bool = False  # whether an event names it


def read_brat(path: Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the document of an .ann file and the .txt file beside it; its id is the files' name.

    A span in several pieces is read where only white space parts them. Notes (#) are passed over: they are remarks, not
    marking.

    Raises:
        AttackspanError: a file is missing, cannot be read or is not UTF-8, a line is malformed or of a kind that a
            document has no place for (N, *), a span is in pieces, an attribute has no value, two events share a
            trigger, or the document is not valid.
    """
    yield _Reader(path, schema or default_schema()).document()


def write_brat(documents: Iterable[Document], path: Path) -> Counter[str]:
    """Write documents as pairs of .txt and .ann files: to a folder, or one to ``path`` where that ends in .ann.

    The spans' ids are kept where all are brat's (``T1``), else they are numbered in the order of the text.

    Returns:
        What brat cannot hold: titles, sources, dates, scores, and the id of a document that its file's name is not.

    Raises:
        AttackspanError: a file cannot be written, an id cannot be a file's name, a span begins or ends with a line
            break, or UTF-8 cannot hold the text.
    """
    lost: Counter[str] = Counter()
    for document, place in places(documents, path, ".ann"):
        text, marking = utf8(path, document.id, document.text), _marking(path, document).encode()
        with replacing(place.with_suffix(".txt")) as text_file, replacing(place) as marking_file:
            text_file.write(text)
            marking_file.write(marking)
        lost += losses(document, "titles", "sources", "dates", "scores")
        lost += Counter({"ids of documents": int(document.id != place.stem)})
    return lost


class _Reader:
    """Collects one document from the lines of its marking."""

    def __init__(self, path: Path, schema: Schema) -> None:
        self._path = path
        self._schema = schema
        self._text = _text(path)
        self._marks: dict[str, _Mark] = {}
        self._triggers: dict[str, str] = {}  # event to span
        self._links: list[tuple[int, Span | Link]] = []

    def document(self) -> Document:
        """The document, once all is read. A line may speak of those behind it, so spans come first, then events."""
        found = [(number, line.rstrip("\r\n")) for number, line in lines(self._path) if line.strip()]
        for number, line in found:
            if line[0] not in "TEAMR#":
                raise problem(self._path, number, f"{line[:40]!r}: a document has no place for this; delete the line")
        for kinds, take in (("T", self._mark), ("E", self._trigger), ("AM", self._attribute), ("ER", self._tie)):
            for number, line in found:
                if line[0] in kinds:
                    take(number, line)
        spans: list[tuple[int, Span | Link]] = [
            (
                mark.line,
                Span(name, mark.label, mark.start, mark.end, self._text[mark.start : mark.end], None, mark.attributes),
            )
            for name, mark in self._marks.items()
        ]
        return assemble(
            self._path,
            [*spans, *self._links],
            lambda spans, links: Document(self._path.stem, self._text, spans, links, schema=self._schema),
        )

    def _mark(self, number: int, line: str) -> None:
        name, place, text, *_ = *line.split("\t", 2), "", ""
        label, _, ranges = place.partition(" ")
        if not _RANGES.fullmatch(ranges):
            raise problem(self._path, number, f"{line[:40]!r} is no span; it needs <id> tab <label> <start> <end> tab")
        if name in self._marks:
            raise problem(self._path, number, f"the id {name!r} stands twice")
        pieces = [(int(start), int(end)) for start, end in (one.split() for one in ranges.split(";"))]
        there = " ".join(self._text[start:end] for start, end in pieces)
        if text != there.rstrip("\r\n"):
            raise problem(self._path, number, f"{name} says {text[:40]!r}, but the text there is {there[:40]!r}")
        for (_, end), (start, _) in pairwise(pieces):
            if start < end or self._text[end:start].strip():
                raise problem(self._path, number, f"{name} is in pieces with words between; mark one stretch instead")
        self._marks[name] = _Mark(number, label, pieces[0][0], pieces[-1][1])

    def _trigger(self, number: int, line: str) -> None:
        name, (trigger, *_) = self._fields(number, line, 1)
        label, _, span = trigger.partition(":")
        mark = self._marks.get(span)
        if mark is None or mark.label != label:
            raise problem(self._path, number, f"{name} has the trigger {trigger!r}, which is no span of that label")
        if mark.triggers:
            raise problem(self._path, number, f"{name} is a second event of {span}; a span is one statement")
        mark.triggers = True
        self._triggers[name] = span

    def _attribute(self, number: int, line: str) -> None:
        name, fields = self._fields(number, line, 2)
        attribute, target, *values = fields
        if len(values) != 1:
            raise problem(self._path, number, f"{name} ({attribute}) has {len(values)} values; an attribute has one")
        mark = self._marks[self._span(number, target)]
        if attribute in mark.attributes:
            raise problem(self._path, number, f"{name} is a second {attribute} of {target}")
        mark.attributes[attribute] = values[0]
        mark.line = number

    def _tie(self, number: int, line: str) -> None:
        """The link of a relation, whose first argument is the statement; or the links of an event's arguments."""
        name, fields = self._fields(number, line, 1)
        arguments = [field.rpartition(":")[::2] for field in fields[1:]]
        if line[0] == "E":
            head = self._triggers[name]
            ties = [(self._role(self._marks[head].label, role), head, tail) for role, tail in arguments]
        elif len(arguments) == 2:
            (_, head), (_, tail) = arguments
            ties = [(fields[0], self._span(number, head), tail)]
        else:
            raise problem(self._path, number, f"{name} has {len(arguments)} arguments; a relation has two")
        self._links += [(number, Link(role, head, self._span(number, tail))) for role, head, tail in ties]

    def _role(self, label: str, name: str) -> str:
        """The role of an event's argument: brat numbers the second of a role, and those behind it."""
        known = {role.name for role in self._schema[label].roles} if label in self._schema.names else ()
        return name if name in known else name.rstrip("0123456789")

    def _fields(self, number: int, line: str, least: int) -> tuple[str, list[str]]:
        """An id and what stands behind it."""
        name, _, rest = line.partition("\t")
        fields = rest.split()
        if len(fields) < least:
            raise problem(self._path, number, f"{line[:40]!r} is cut short")
        return name, fields

    def _span(self, number: int, name: str) -> str:
        """The id of a span, which an event stands for, too."""
        name = self._triggers.get(name, name)
        if name not in self._marks:
            raise problem(self._path, number, f"{name!r} is no span of the file")
        return name


def _text(path: Path) -> str:
    """The text that the marking of a file is of, exactly as it stands."""
    text_path = path.with_suffix(".txt")
    try:
        content = text_path.read_bytes()
    except OSError as error:
        raise problem(path, None, f"{error.strerror}: {text_path.name}, which has to hold the text") from error
    try:
        return content.decode()
    except UnicodeDecodeError:
        return whole(text_path)  # says where it is not UTF-8


def _marking(path: Path, document: Document) -> str:
    """The lines of an .ann file."""
    spans = document.spans
    own = all(_ID.fullmatch(span.id) for span in spans)
    names = {span.id: span.id if own else f"T{number}" for number, span in enumerate(spans, 1)}
    rows = []
    for span in spans:
        pieces = [(span.start + match.start(), span.start + match.end()) for match in _UNBROKEN.finditer(span.text)]
        if not pieces or (pieces[0][0], pieces[-1][1]) != (span.start, span.end):
            where = f"document {document.id!r}: {span.label} {span.id!r} [{span.start}:{span.end}]"
            raise problem(path, None, f"{where} begins or ends with a line break, which brat cannot hold")
        ranges = ";".join(f"{start} {end}" for start, end in pieces)
        rows.append(f"{names[span.id]}\t{span.label} {ranges}\t{' '.join(document.text[a:b] for a, b in pieces)}")
    values = [(names[span.id], name, value) for span in spans for name, value in span.attributes.items()]
    rows += [f"A{number}\t{name} {span} {value}" for number, (span, name, value) in enumerate(values, 1)]
    rows += [
        f"R{number}\t{link.role} Arg1:{names[link.head]} Arg2:{names[link.tail]}"
        for number, link in enumerate(document.links, 1)
    ]
    return "".join(f"{row}\n" for row in rows)
