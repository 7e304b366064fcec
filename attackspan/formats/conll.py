"""CoNLL-2003 columns: a token a line, its tag in the last column, a blank line between sentences."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from attackspan.document import Document, Span
from attackspan.formats.loss import losses
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import empty, lines, problem, replacing, utf8

_TAG = re.compile("([BIES])-(.+)")
_OUTSIDE = ("O", "")


@dataclass(frozen=True, slots=True)
class _Token:
    """A token with its line number, its label ("" outside spans) and whether a span starts with it."""

    line: int
    text: str
    label: str
    starts: bool


def read_conll(path: str | Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of a file one after the other; lines that start with ``-DOCSTART-`` part them.

    The text is rebuilt: tokens joined by a space, sentences by a newline; offsets are code points of that text. Ids
    are ``<file name without ending>-<number from 1>`` for documents and ``s<number from 1>`` for spans. Tags may be
    IOB2 (BIO), IOB1 or BIOES, one scheme a file.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or holds no token, a line has one column only, a tag is
            malformed or breaks the scheme of the tags above it, or the schema lacks a label or wants attributes of it
            (columns hold none).
    """
    path, schema = Path(path), schema or default_schema()
    count = 0
    sentences: list[list[_Token]] = []
    for sentence in chain(_sentences(path), [[]]):
        if sentence:
            sentences.append(sentence)
        elif sentences:
            count += 1
            yield _document(path, count, sentences, schema)
            sentences = []
    if not count:
        raise empty(path)


def write_conll(documents: Iterable[Document], path: Path) -> Counter[str]:
    """Write documents as two columns, tokens and IOB2 tags, with a ``-DOCSTART-`` line before each document.

    Tokens are words and signs, cut further where a span begins or ends inside one; a line of the text is a sentence,
    unless a span runs on. Columns hold one layer: of spans that overlap, the shorter, inner one is kept.

    Returns:
        What columns cannot hold: ids of documents, titles, sources, dates, links, attributes, scores, spans around
        others, spans of white space, spacing other than one space between tokens and one newline between sentences, and
        documents without a word.

    Raises:
        AttackspanError: the file cannot be written, or UTF-8 cannot hold a text.
    """
    lost: Counter[str] = Counter()
    with replacing(path) as file:
        for document in documents:
            utf8(path, document.id, document.text)  # checks it, for the tokenizer would not say what is wrong
            lost += losses(document, "titles", "sources", "dates", "links", "attributes", "scores")
            kept = _innermost(document.spans)
            rows, text, tagged = _columns(document.text, kept)
            lost += Counter({
                "ids of documents": int(bool(rows)),
                "spans around others": len(document.spans) - len(kept),
                "spans of white space": len(kept) - tagged,
                "texts' own spacing": int(bool(rows) and text != document.text),
                "documents without a word": int(not rows),
            })  # fmt: skip
            if rows:
                file.write("".join(("-DOCSTART- O\n\n", *rows, "\n")).encode())
    return lost


def labels(path: str | Path) -> tuple[str, ...]:
    """The labels of a file's tags, sorted: ``Schema(tuple(Label(name) for name in labels(path)))`` reads the file.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8, a line has one column only, or a tag is malformed or
            breaks the scheme of the tags above it.
    """
    return tuple(sorted({token.label for sentence in _sentences(Path(path)) for token in sentence} - {""}))


def _sentences(path: Path) -> Iterator[list[_Token]]:
    """The sentences of a file, and an empty one for each ``-DOCSTART-`` line."""
    # All three schemes say the same of where a span starts, so it need not be known which it is, only that one fits.
    schemes = ["IOB2", "IOB1", "BIOES"]
    sentence: list[_Token] = []
    before = _OUTSIDE
    for number, line in chain(lines(path), [(0, "")]):
        columns = re.findall(r"[^ \t\r\n]+", line)
        ends = not columns or columns[0] == "-DOCSTART-"
        if not ends and len(columns) == 1:
            raise problem(path, number, f"one column only, {columns[0]!r}; a line is a token … and its tag")
        tag = _OUTSIDE if ends else _parse(path, number, columns[-1])
        fitting = [scheme for scheme in schemes if _follows(scheme, before, tag)]
        if not fitting:
            what = "the end of the sentence" if ends else repr(columns[-1])
            line_to_blame = sentence[-1].line if ends else number
            after = "-".join(filter(None, before))
            raise problem(path, line_to_blame, f"{what} after {after!r} breaks the scheme so far, {'/'.join(schemes)}")
        schemes = fitting
        if not ends:
            sentence.append(_Token(number, columns[0], tag[1], tag != _OUTSIDE and not _continues(before, tag)))
            before = tag
            continue
        if sentence:
            yield sentence
        if columns:
            yield []
        sentence, before = [], _OUTSIDE


def _parse(path: Path, line: int, tag: str) -> tuple[str, str]:
    """A tag as its prefix and its label."""
    if tag == "O":
        return _OUTSIDE
    if not (match := _TAG.fullmatch(tag)):
        raise problem(path, line, f"{tag!r} is not a tag; a tag is O or a label behind B-, I-, E- or S-")
    return match[1], match[2]


def _continues(before: tuple[str, str], tag: tuple[str, str]) -> bool:
    """Whether a token belongs to the span of the token before it."""
    return tag[0] in "IE" and before[0] in "BI" and before[1] == tag[1]


def _follows(scheme: str, before: tuple[str, str], tag: tuple[str, str]) -> bool:
    """Whether a scheme allows a tag behind another (``_OUTSIDE`` at both ends of a sentence)."""
    if scheme == "BIOES":
        return _continues(before, tag) if before[0] in "BI" else tag[0] in "BSO"
    if scheme == "IOB1" and tag[0] == "B":
        return before[0] in "BI" and before[1] == tag[1]
    if scheme == "IOB2" and tag[0] == "I":
        return _continues(before, tag)
    return tag[0] in "BIO"


def _document(path: Path, number: int, sentences: Sequence[Sequence[_Token]], schema: Schema) -> Document:
    """Join the tokens and turn the tags into spans."""
    ranges: list[tuple[str, int, int]] = []
    parts: list[str] = []
    at = 0
    for sentence in sentences:
        for token in sentence:
            if token.starts:
                _require(path, token, schema)
                ranges.append((token.label, at, at))
            if token.label:
                label, start, _ = ranges.pop()
                ranges.append((label, start, at + len(token.text)))
            at += len(token.text) + 1
        parts.append(" ".join(token.text for token in sentence))
    text = "\n".join(parts)
    spans = (Span(f"s{n}", label, start, end, text[start:end]) for n, (label, start, end) in enumerate(ranges, 1))
    return Document(f"{path.stem}-{number}", text, tuple(spans), schema=schema)


def _require(path: Path, token: _Token, schema: Schema) -> None:
    """Check that the schema has a span's label, without attributes."""
    if token.label not in schema.names:
        raise problem(path, token.line, f"unknown label {token.label!r}; the schema has {', '.join(schema.names)}")
    if attributes := schema[token.label].attributes:
        raise problem(path, token.line, f"{token.label!r} needs its {attributes[0].name}, which columns cannot hold")


def _innermost(spans: Sequence[Span]) -> list[Span]:
    """The spans that overlap no shorter one that is kept, in the order of the text."""
    kept: list[Span] = []
    inner_first = sorted(enumerate(spans), key=lambda one: (one[1].end - one[1].start, -one[0]))
    for _, span in inner_first:
        at = bisect_left(kept, span.end, key=lambda other: other.start)
        if not at or kept[at - 1].end <= span.start:
            kept.insert(at, span)
    return kept


def _columns(text: str, spans: Sequence[Span]) -> tuple[list[str], str, int]:
    """The lines of a document, the text that they will be read as, and how many spans they hold.

    Args:
        spans: in the order of the text, none overlapping.
    """
    rows: list[str] = []
    parts: list[str] = []
    tagged: set[int] = set()
    before, end = -1, 0  # of the token before: its span, where it ends
    for start, stop, span in _tokens(text, spans):
        runs_on = span >= 0 and span == before
        if rows and not runs_on and "\n" in text[end:start]:
            rows.append("\n")
            parts.append("\n")
        elif rows:
            parts.append(" ")
        tag = f"{'I' if runs_on else 'B'}-{spans[span].label}" if span >= 0 else "O"
        rows.append(f"{text[start:stop]} {tag}\n")
        parts.append(text[start:stop])
        tagged |= {span} - {-1}
        before, end = span, stop
    return rows, "".join(parts), len(tagged)


def _tokens(text: str, spans: Sequence[Span]) -> Iterator[tuple[int, int, int]]:
    """Start, end and span (its index, or -1) of each token; none lies in two spans, or half in one."""
    from tokenizers.pre_tokenizers import BertPreTokenizer  # words and signs; here, for readers do without

    starts = [span.start for span in spans]
    borders = sorted({border for span in spans for border in (span.start, span.end)})
    for _, (start, end) in BertPreTokenizer().pre_tokenize_str(text):
        inside = borders[bisect_right(borders, start) : bisect_left(borders, end)]
        for left, right in pairwise((start, *inside, end)):
            span = bisect_right(starts, left) - 1
            yield left, right, span if span >= 0 and left < spans[span].end else -1
