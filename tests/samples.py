"""What the tests of the formats share: documents and texts of hypothesis, files, and their errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read
from attackspan.schema import Label, Schema, default_schema

ROOT = Path(__file__).parent.parent
SEED = ROOT / "seeds" / "kurdistan24-2021-11-07.xml"
CORPUS = ROOT.parent / "shared" / "corpus"

# What formats get wrong: markup, quotes, line ends, emoji with joiners, right-to-left marks, combining marks.
AWKWARD = st.sampled_from(["&", "<", ">", '"', "'", "]]>", "&amp;", "\r\n", "\r", "\n", "\t", " ", "\x85", "\u2028"])
SCRIPTS = st.sampled_from(
    ["👩‍🚒", "🇮🇶", "é", "e\u0301", "كركوك", "\u202bהרצל\u202c", "\u200f", "\ufeff", "日本", "a", "B"]
)
XML_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
XML_TEXT = st.lists(AWKWARD | SCRIPTS | XML_CHARACTERS).map("".join)
# JSON lines hold any string but a high surrogate before a low one, so only high ones are drawn.
ANY_TEXT = st.lists(AWKWARD | SCRIPTS | st.characters(exclude_categories=["Cs"]) | st.just("\ud83d")).map("".join)
UTF8_TEXT = ANY_TEXT.map(lambda text: text.replace("\ud83d", "👩‍🚒"))
NAMES = Schema((Label("PER"), Label("LOC")))


@st.composite
def documents(draw: st.DrawFn, texts: st.SearchStrategy[str], scored: bool = False) -> Document:
    """Documents whose spans nest or stand apart; links in the order of heads and roles, as XML has them."""
    text = draw(texts)
    schema = default_schema()
    scores: st.SearchStrategy[float | None] = st.none() | st.floats(0, 1) if scored else st.none()
    spans: list[Span] = []
    for label in draw(st.lists(st.sampled_from(schema.labels), max_size=10)) if text else ():
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if all(
            _nest(other, start, end) and (other.label != label.name or _apart(other, start, end)) for other in spans
        ):
            attributes = {a.name: draw(st.sampled_from(a.names)) for a in label.attributes}
            spans.append(
                Span(f"{label.name}{len(spans)}", label.name, start, end, text[start:end], draw(scores), attributes)
            )
    spans.sort(key=lambda span: (span.start, -span.end))
    links = tuple(
        Link(role.name, head.id, tail.id, draw(scores))
        for head in spans
        for role in schema[head.label].roles
        for tail in draw(st.permutations(spans))
        if tail.label == role.tail and draw(st.booleans())
    )
    return Document(draw(texts), text, tuple(spans), links, draw(texts), draw(texts), draw(texts))


def _apart(span: Span, start: int, end: int) -> bool:
    return span.end <= start or end <= span.start


def _nest(span: Span, start: int, end: int) -> bool:
    inside = span.start <= start and end <= span.end
    return inside or (start <= span.start and span.end <= end) or _apart(span, start, end)


def xml(body: str, title: str = "") -> str:
    return f'<doc id="d" source="s" date="2024-01-01"><title>{title}</title><text>{body}</text></doc>\n'


def error_of(path: Path, schema: Schema | None = None, form: str | None = None) -> str:
    """The error of reading a path, on one line."""
    with pytest.raises(AttackspanError) as caught:
        list(read([path], schema, form))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
