"""A document for a person at a terminal: the text with its spans in colour, and the statements as a table."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from attackspan.document import Document

# Long spans are underlined and short ones coloured, so that a span inside another shows both. Labels take them in turn.
_SHORT = ("bold cyan", "bold red", "bold green", "bold blue")
_LONG = ("underline yellow", "underline magenta", "underline green")
# A terminal obeys control characters, so that a text could rewrite the screen: they are shown, each in one place.
_CONTROLS = {code: 0x2400 + code for code in range(32)} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD) | {0x7F: 0x2421}
_SHOWN = _CONTROLS | {ord("\n"): "\n", ord("\t"): "\t", ord("\r"): " "}


def show(document: Document, console: Console) -> None:
    """Print a document: heading, marked text, spans, statements."""
    console.print(_heading(document), _marked(document), Text(), *_tables(document), sep="\n", soft_wrap=False)


def _styles(document: Document) -> dict[str, str]:
    statements = [label.name for label in document.schema.labels if label.roles]
    others = [label.name for label in document.schema.labels if not label.roles]
    styles = {name: _SHORT[index % len(_SHORT)] for index, name in enumerate(others)}
    return styles | {name: _LONG[index % len(_LONG)] for index, name in enumerate(statements)}


def _heading(document: Document) -> Text:
    parts = (document.id, document.source, document.date, document.title)
    heading = _text(" · ".join(part for part in parts if part), "bold")
    for label, style in _styles(document).items():
        heading.append("   ").append(label, style)
    return heading.append("\n")


def _marked(document: Document) -> Text:
    styles = _styles(document)
    text = _text(document.text)
    for span in document.spans:  # an outer span stands before those inside it, whose colour then wins
        text.stylize(styles[span.label], span.start, span.end)
    return text


def _tables(document: Document) -> list[Table | Group]:
    styles = _styles(document)
    spans = Table("span", "label", "attributes", "score", box=SIMPLE_HEAD)
    for span in document.spans:
        attributes = ", ".join(f"{name} {value}" for name, value in span.attributes.items())
        spans.add_row(_text(span.text), Text(span.label, styles[span.label]), attributes, _score(span.score))
    statements = Table("statement", "what it says", "parties", "score", box=SIMPLE_HEAD)
    for row in document.statements():
        kind = " ".join((row.label, *row.attributes.values()))
        parties = "\n".join(f"{role}: {', '.join(texts)}" for role, texts in row.parties.items() if texts)
        statements.add_row(Text(kind, styles[row.label]), _text(row.text), _text(parties), _score(row.score))
    return [table for table in (spans, statements) if table.row_count]


def _text(text: str, style: str = "") -> Text:
    """A document's text as a terminal may show it, each character in its place."""
    return Text(text.translate(_SHOWN), style)


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"
