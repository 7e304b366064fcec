"""Formats: exact round trips, and every error with its exact place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read, read_jsonl, read_xml, to_jsonl, to_xml, write
from attackspan.formats.conll import labels
from attackspan.schema import Attribute, Label, Role, Schema, Value, default_schema

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


def error_of(path: Path, schema: Schema | None = None) -> str:
    """The error of reading a path, on one line."""
    with pytest.raises(AttackspanError) as caught:
        list(read([path], schema))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestXml:
    def test_the_seed_round_trips_byte_for_byte(self) -> None:
        assert to_xml(read_xml(SEED)).encode() == SEED.read_bytes()

    @pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus on this machine")
    @pytest.mark.parametrize("part", ["train", "dev"])
    def test_the_corpus_round_trips_byte_for_byte(self, part: str) -> None:
        paths = sorted((CORPUS / part).glob("*.xml"))
        assert paths
        assert [path.name for path in paths if to_xml(read_xml(path)).encode() != path.read_bytes()] == []

    @given(documents(XML_TEXT))
    def test_a_document_round_trips(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        path = file(tmp_path_factory.getbasetemp(), "document.xml", to_xml(document))
        assert read_xml(path) == document
        assert to_xml(read_xml(path)).encode() == path.read_bytes()

    def test_the_form(self) -> None:
        text = 'A "B" & C\r\n'
        spans = (
            Span("r1", "attribution", 0, 5, 'A "B"', 0.5, {"stance": "claimed"}),
            Span("a2", "actor", 0, 1, "A"),
            Span("a1", "actor", 2, 5, '"B"'),
        )
        links = (Link("source", "r1", "a1"), Link("perpetrator", "r1", "a2"), Link("perpetrator", "r1", "a1"))
        assert to_xml(Document("d", text, spans, links, "<t>", 'A\t"&"\n\r', "2024")) == (
            '<doc id="d" source="A&#9;&quot;&amp;&quot;&#10;&#13;" date="2024"><title>&lt;t&gt;</title><text>'
            '<attribution id="r1" stance="claimed" perpetrator="a2 a1" source="a1"><actor id="a2">A</actor> '
            '<actor id="a1">"B"</actor></attribution> &amp; C&#13;\n</text></doc>\n'
        )

    def test_spans_of_one_range_nest_in_their_order(self, tmp_path: Path) -> None:
        spans = (Span("t1", "attack", 0, 1, "x", attributes={"kind": "killing"}), Span("a1", "actor", 0, 1, "x"))
        inner_first = '<actor id="a1"><attack id="t1" kind="killing">x</attack></actor>'
        outer_first = '<attack id="t1" kind="killing"><actor id="a1">x</actor></attack>'
        assert outer_first in to_xml(Document("d", "x", spans))
        assert inner_first in to_xml(Document("d", "x", spans[::-1]))
        assert read_xml(file(tmp_path, "d.xml", xml(outer_first))).spans == spans
        assert read_xml(file(tmp_path, "d.xml", xml(inner_first))).spans == spans[::-1]

    def test_offsets_count_code_points_of_the_text_without_tags(self, tmp_path: Path) -> None:
        document = read_xml(file(tmp_path, "d.xml", xml('👩‍🚒&amp;<actor id="a1">e\u0301</actor>', "not counted")))
        assert document.text == "👩‍🚒&e\u0301"
        assert document.spans == (Span("a1", "actor", 4, 6, "e\u0301"),)

    def test_a_long_text_and_deep_nesting_are_read(self, tmp_path: Path) -> None:
        depth = 3000
        schema = Schema(tuple(Label(f"l{number}") for number in range(depth)))
        opened = "".join(f'<l{number} id="i{number}">' for number in range(depth))
        closed = "".join(f"</l{number}>" for number in reversed(range(depth)))
        document = read_xml(file(tmp_path, "d.xml", xml(f"{'x' * 100_000}{opened}y{closed}")), schema)
        assert {(span.start, span.end) for span in document.spans} == {(100_000, 100_001)}
        assert to_xml(document) == (tmp_path / "d.xml").read_text("utf-8")

    @pytest.mark.parametrize(
        ("body", "line", "message"),
        [
            ("\n\n<actor>x</actor>", 3, "<actor> has no id"),
            ("\n<person id='p'>x</person>", 2, "unknown tag <person>; the schema has actor, attack, attribution, con"),
            ("\n<actor id='a1' kind='melee'>x</actor>", 2, "unknown attribute 'kind' of <actor>; known are id"),
            ("\n<attack id='t1'\n>x</attack>", 2, "document 'd': attack 't1' [1:2] has kind=None, which is not one of"),
            ("\n<attack id='t1' kind='war'>x</attack>", 2, "document 'd': attack 't1' [1:2] has kind='war', which is"),
            ("<actor id='a1'>x</actor>\n<actor id='a1'>x</actor>", 2, "document 'd': span id 'a1' stands twice"),
            ("<actor id='a1'>x\n<actor id='a2'>y</actor></actor>\n", 2, "document 'd': two actor spans overlap"),
            ("x\n<actor id='a1'/>", 2, "document 'd': actor 'a1' [2:2] is empty"),
            ("x\n<actor id=''>x</actor>", 2, "<actor> has the id ''; an id is not empty and has no white space"),
            ("x\n<actor id='a 1'>x</actor>", 2, "<actor> has the id 'a 1'; an id is not empty and has no white space"),
            ("\n<condemnation id='c1' by='a9'>x</condemnation>", 2, "document 'd': link by from 'c1' to 'a9': one of"),
            (
                "<actor id='a1'>x</actor>\n<condemnation id='c1' by='a1'>x</condemnation>\n"
                "<condemnation id='c2' by='a1' attack='a1'>x</condemnation>\n",
                3,
                "document 'd': link 'attack' from 'c2' to 'a1' ends at actor, not attack",
            ),
            (
                "<actor id='a1'>x</actor>\n<condemnation id='c1' by='a1 a1'>x</condemnation>\n",
                2,
                "document 'd': link 'by' from 'c1' to 'a1' stands twice",
            ),
            ("\n<actor id='a1'>x</attack>", 2, "not XML: mismatched tag"),
            ("\n&nbsp;", 2, "not XML: undefined entity"),
            ("\n\x08", 2, "not XML: not well-formed (invalid token)"),
            ("\n\x00", 2, "not XML: not well-formed (invalid token)"),
        ],
    )
    def test_an_error_names_the_line_of_the_element(self, body: str, line: int, message: str, tmp_path: Path) -> None:
        path = file(tmp_path, "d.xml", xml(body))
        assert error_of(path).startswith(f"{path}:{line}: {message}")

    @pytest.mark.parametrize(
        ("content", "line", "message"),
        [
            ("\n<corpus/>", 2, "unexpected <corpus> as the root; expected doc"),
            ("\n<doc/>", 2, "<doc> has no id"),
            ("\n<doc id='d' lang='en'/>", 2, "unknown attribute 'lang' of <doc>; known are id, source, date"),
            ("<doc id='d'>\n<title/>\n</doc>", 3, "<doc> has no <text>"),
            ("<doc id='d'>\n<body/>\n</doc>", 2, "unexpected <body> in <doc>; expected title or text"),
            ("<doc id='d'>\n<text/>\n<text/></doc>", 3, "a second <text>"),
            ("<doc id='d'>\n<title/>\n<title/></doc>", 3, "a second <title>"),
            ("<doc id='d'><title>\n<b>x</b></title><text/></doc>", 2, "unexpected <b> in <title>; expected text only"),
            ("<doc id='d'><title/>\nx <text/></doc>", 2, "'x' stands outside <title> and <text>"),
            ("<doc id='d'>\n<text lang='en'/></doc>", 2, "unknown attribute 'lang' of <text>; known are none"),
            ("<doc id='d'>\n<text>", 2, "not XML: no element found"),
            ("<doc id='d'><text/></doc>\n<doc/>", 2, "not XML: junk after document element"),
            ("\n<!DOCTYPE doc>\n<doc id='d'><text/></doc>", 2, "a DTD or an entity is not allowed here"),
            ("\n<!DOCTYPE doc [<!ENTITY a 'b'>]>\n<doc id='d'><text>&a;</text></doc>", 2, "a DTD or an entity is not"),
            ("\n<!DOCTYPE doc SYSTEM 'file:///etc/passwd'><doc/>", 2, "a DTD or an entity is not allowed here"),
            (b"<doc id='d'>\n<text>\xff</text></doc>", 2, "not UTF-8 at byte 19: invalid start byte; convert the file"),
            ("<doc id='d'><text/></doc>".encode("utf-16"), 1, "not UTF-8 at byte 0: invalid start byte"),
        ],
    )
    def test_an_error_of_form_names_its_line(
        self, content: str | bytes, line: int, message: str, tmp_path: Path
    ) -> None:
        path = file(tmp_path, "d.xml", content)
        assert error_of(path).startswith(f"{path}:{line}: {message}")

    def test_an_xml_declaration_a_bom_comments_and_a_missing_title_are_read(self, tmp_path: Path) -> None:
        content = "\ufeff<?xml version='1.0'?>\n<doc id='d'>\n <text>a<!-- b -->c</text>\n</doc>"
        assert read_xml(file(tmp_path, "d.xml", content)) == Document("d", "ac")

    def test_an_encoding_declaration_does_not_change_how_a_file_is_read(self, tmp_path: Path) -> None:
        content = "<?xml version='1.0' encoding='latin-1'?><doc id='d'><text>é</text></doc>"
        assert read_xml(file(tmp_path, "d.xml", content)).text == "é"

    def test_crossing_spans_are_an_error(self) -> None:
        spans = (Span("a1", "actor", 0, 2, "ab"), Span("t1", "attack", 1, 3, "bc", attributes={"kind": "melee"}))
        with pytest.raises(AttackspanError) as caught:
            to_xml(Document("d", "abc", spans))
        assert str(caught.value).startswith("document 'd': actor 'a1' [0:2] and attack 't1' [1:3] cross")

    @pytest.mark.parametrize("bad", ["\x00", "\x08", "\x1f", "\ud83d", "\ufffe", "\uffff"])
    @pytest.mark.parametrize("field", ["id", "text", "title", "source", "date"])
    def test_a_character_that_xml_cannot_hold_is_an_error(self, field: str, bad: str) -> None:
        strings: dict[str, Any] = {"id": "d", "text": "abc", field: f"ab{bad}"}
        with pytest.raises(AttackspanError) as caught:
            to_xml(Document(**strings))
        assert str(caught.value) == (
            f"document {strings['id']!r}: XML cannot hold the character {bad!r} at offset 2 of its {field}"
        )

    @pytest.mark.parametrize("span_id", ["", "a 1", "a\t", "\u00a0a"])
    def test_a_span_id_with_white_space_or_none_is_an_error(self, span_id: str) -> None:
        with pytest.raises(AttackspanError) as caught:
            to_xml(Document("d", "abc", (Span(span_id, "actor", 1, 2, "b"),)))
        assert str(caught.value) == f"document 'd': actor {span_id!r} [1:2]: XML needs an id without white space"

    def test_a_span_id_with_a_control_character_is_an_error(self) -> None:
        with pytest.raises(AttackspanError, match=r"'\\x08' at offset 1 of its id of actor 'a\\x08' \[1:2\]"):
            to_xml(Document("d", "abc", (Span("a\x08", "actor", 1, 2, "b"),)))

    @pytest.mark.parametrize("name", ["id", "same"])
    def test_an_attribute_and_a_role_of_one_name_are_an_error(self, name: str, tmp_path: Path) -> None:
        two = (Value("x"), Value("y"))
        schema = Schema((Label("a", (Attribute(name, two),), (Role("same", "a"),)),))
        with pytest.raises(AttackspanError, match=f"label 'a': XML needs id, {name}, same to be different names"):
            to_xml(Document("d", "abc", (Span("a1", "a", 0, 1, "a", attributes={name: "x"}),), schema=schema))
        path = file(tmp_path, "d.xml", xml("\n<a id='a1'>x</a>"))
        assert error_of(path, schema).startswith(f"{path}:2: label 'a': XML needs id, {name}, same to be")


class TestJsonl:
    @given(documents(ANY_TEXT, scored=True))
    @example(Document("d", "\ud83d \ude00"))
    def test_a_document_round_trips(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        line = to_jsonl(document)
        assert "\n" not in line
        path = file(tmp_path_factory.getbasetemp(), "documents.jsonl", line)
        assert list(read_jsonl(path)) == [document]

    def test_it_is_one_line_of_readable_json(self) -> None:
        assert to_jsonl(Document("d", "é\r\n\u2028👍")) == (
            '{"id": "d", "text": "é\\r\\n\u2028👍", "title": "", "source": "", "date": "", "spans": [], "links": []}'
        )

    def test_a_split_surrogate_pair_is_an_error(self) -> None:
        with pytest.raises(AttackspanError) as caught:
            to_jsonl(Document("d", "\ud83d\ude00"))
        assert str(caught.value) == r"document 'd': JSON cannot hold the split surrogate pair '\ud83d\ude00'"

    def test_a_score_that_is_not_finite_is_an_error(self) -> None:
        with pytest.raises(AttackspanError, match="document 'd': JSON cannot hold a score that is not finite"):
            to_jsonl(Document("d", "abc", (Span("a1", "actor", 0, 1, "a", float("nan")),)))

    def test_blank_lines_a_bom_and_crlf_ends_are_read_and_missing_ids_are_numbered_by_line(
        self, tmp_path: Path
    ) -> None:
        path = file(
            tmp_path, "news.jsonl", '\ufeff{"text": "a\\r\\n"}\r\n\n \t\n{"text": "b"}\n{"text": "c", "id": "x"}'
        )
        assert [(document.id, document.text) for document in read_jsonl(path)] == [
            ("news-1", "a\r\n"),
            ("news-4", "b"),
            ("x", "c"),
        ]

    def test_only_a_newline_ends_a_line(self, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", '{"text": "a\u2028b\x85c"}\n')
        assert [document.text for document in read_jsonl(path)] == ["a\u2028b\x85c"]

    def test_documents_come_one_at_a_time(self, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", '{"text": "a"}\n{"text": "b"}\nno JSON\n')
        stream = read_jsonl(path)
        assert [next(stream).text, next(stream).text] == ["a", "b"]
        with pytest.raises(AttackspanError):
            next(stream)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (b"{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
            (b'{"text": "a"} {}', "not JSON: Extra data at column 15"),
            (b'{"text": NaN}', "not JSON: NaN is not a JSON number"),
            (b'{"text": -Infinity}', "not JSON: -Infinity is not a JSON number"),
            (b"[" * 100_000, "not JSON: "),
            (b"1" * 5000, "not JSON: Exceeds the limit"),
            (b"[]", "a document is an object with a 'text', not list"),
            (b"{}", "no 'text'; an object here needs text"),
            (b'{"text": "a", "id": 7}', "'id' cannot be 7"),
            (
                b'{"text": "a", "spans": [{"id": "a1", "label": "actor", "start": 0, "end": 2}]}',
                "document 'news-3': ac",
            ),
            (b'{"text": "a", "id": "x"}', "the id 'x' stands already on line 1"),
            (b'{"text": "\xe9"}', "not UTF-8 at byte 36: invalid continuation byte; convert the file"),
        ],
    )
    def test_an_error_names_its_line(self, line: bytes, message: str, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", b'{"id": "x", "text": "a"}\n\n' + line + b"\n")
        assert error_of(path).startswith(f"{path}:3: {message}")


CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
New NNP B-NP B-LOC
York NNP I-NP I-LOC
Paris NNP B-NP B-LOC
call NN I-NP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER

-DOCSTART- -X- -X- O

-DOCSTART- -X- -X- O

Oslo NNP B-NP B-LOC
"""
ORG = Schema((Label("LOC"), Label("ORG"), Label("PER")))


class TestConll:
    def test_documents_text_and_spans(self, tmp_path: Path) -> None:
        path = file(tmp_path, "ner.conll", CONLL)
        assert list(read([path], ORG)) == [
            Document(
                "ner-1",
                "EU rejects New York Paris call\nPeter Blackburn",
                (
                    Span("s1", "ORG", 0, 2, "EU"),
                    Span("s2", "LOC", 11, 19, "New York"),
                    Span("s3", "LOC", 20, 25, "Paris"),
                    Span("s4", "PER", 31, 46, "Peter Blackburn"),
                ),
                schema=ORG,
            ),
            Document("ner-2", "Oslo", (Span("s1", "LOC", 0, 4, "Oslo"),), schema=ORG),
        ]

    def test_labels_are_sorted_and_make_a_schema(self, tmp_path: Path) -> None:
        path = file(tmp_path, "ner.conll", CONLL)
        assert labels(path) == ("LOC", "ORG", "PER")
        schema = Schema(tuple(Label(name) for name in labels(path)))
        assert sum(len(document.spans) for document in read([path], schema)) == 5

    def test_tabs_crlf_a_bom_and_a_no_break_space_in_a_token(self, tmp_path: Path) -> None:
        path = file(tmp_path, "ner.conll", "\ufeffNew\u00a0York\tB-LOC\r\n\r\n \t\r\nx O")
        assert list(read([path], NAMES)) == [
            Document("ner-1", "New\u00a0York\nx", (Span("s1", "LOC", 0, 8, "New\u00a0York"),), schema=NAMES)
        ]

    @pytest.mark.parametrize(
        ("tags", "spans"),
        [
            ("B-PER I-PER O B-PER B-PER", ["a b", "d", "e"]),  # IOB2
            ("I-PER I-PER O I-PER B-PER", ["a b", "d", "e"]),  # IOB1
            ("I-PER I-LOC I-LOC B-LOC O", ["a", "b c", "d"]),  # IOB1
            ("B-PER E-PER O S-PER S-PER", ["a b", "d", "e"]),  # BIOES
            ("B-PER I-PER E-PER O O", ["a b c"]),  # BIOES
            ("O O O O O", []),
        ],
    )
    def test_schemes(self, tags: str, spans: list[str], tmp_path: Path) -> None:
        path = file(
            tmp_path, "ner.conll", "".join(f"{t} {tag}\n" for t, tag in zip("abcde", tags.split(), strict=True))
        )
        (document,) = read([path], NAMES)
        assert [span.text for span in document.spans] == spans

    @pytest.mark.parametrize(
        ("rows", "line", "message"),
        [
            (["a O", "b"], 2, "one column only, 'b'; a line is a token … and its tag"),
            (["a O", "b X-PER"], 2, "'X-PER' is not a tag; a tag is O or a label behind B-, I-, E- or S-"),
            (["a O", "b PER"], 2, "'PER' is not a tag"),
            (["a O", "b B-"], 2, "'B-' is not a tag"),
            (["a O", "b o"], 2, "'o' is not a tag"),
            (["a B-PER", "b I-LOC"], 2, "'I-LOC' after 'B-PER' breaks the scheme so far, IOB2/BIOES"),
            (["a B-PER", "b O", "c I-PER"], 3, "'I-PER' after 'O' breaks the scheme so far, IOB2"),
            (["a I-PER", "b O", "c B-PER"], 3, "'B-PER' after 'O' breaks the scheme so far, IOB1"),
            (["a B-PER", "b E-PER", "c I-PER"], 3, "'I-PER' after 'E-PER' breaks the scheme so far, BIOES"),
            (["a S-PER", "b B-PER", "c O"], 3, "'O' after 'B-PER' breaks the scheme so far, BIOES"),
            (["a S-PER", "b B-PER", "", "c O"], 2, "the end of the sentence after 'B-PER' breaks the scheme so far"),
            (["a S-PER", "b B-PER"], 2, "the end of the sentence after 'B-PER' breaks the scheme so far, BIOES"),
            (["a B-PER", "", "b I-PER"], 3, "'I-PER' after 'O' breaks the scheme so far, IOB2"),
            (["a B-PER", "", "b B-MISC"], 3, "unknown label 'MISC'; the schema has PER, LOC"),
        ],
    )
    def test_an_error_names_its_line(self, rows: list[str], line: int, message: str, tmp_path: Path) -> None:
        path = file(tmp_path, "ner.conll", "\n".join(rows))
        assert error_of(path, NAMES).startswith(f"{path}:{line}: {message}")

    def test_without_a_schema_the_default_one_applies(self, tmp_path: Path) -> None:
        path = file(tmp_path, "a.conll", "Rebels B-actor\n")
        assert [span.label for document in read([path]) for span in document.spans] == ["actor"]
        path = file(tmp_path, "b.conll", "x O\nRebels B-PER\n")
        assert error_of(path).startswith(f"{path}:2: unknown label 'PER'; the schema has actor, attack")

    def test_a_label_that_needs_attributes_is_an_error(self, tmp_path: Path) -> None:
        path = file(tmp_path, "ner.conll", "x O\nraid B-attack\n")
        assert error_of(path) == f"{path}:2: 'attack' needs its kind, which columns cannot hold"


class TestRead:
    @pytest.mark.parametrize("text", ["a\r\nb\rc\n", " \n", "é\u2028\ufeff", "\x00"])
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    def test_a_text_file_is_one_document_exactly_as_it_stands(self, bom: str, text: str, tmp_path: Path) -> None:
        path = file(tmp_path, "news.1.txt", bom + text)
        assert list(read([path])) == [Document("news.1", text)]

    def test_folders_are_walked_in_order_and_hidden_and_other_files_passed_over(self, tmp_path: Path) -> None:
        for name in ("b.txt", "a/z.txt", "a/y/x.TXT", "c.txt", ".hidden.txt", ".git/d.txt", "notes.pdf", "d.txt.tmp"):
            file(tmp_path, name, name)
        (tmp_path / "empty.xml").mkdir()
        assert [document.text for document in read([str(tmp_path)])] == ["a/y/x.TXT", "a/z.txt", "b.txt", "c.txt"]

    def test_a_link_back_up_is_not_followed(self, tmp_path: Path) -> None:
        file(tmp_path, "a/b.txt", "x")
        (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
        assert len(list(read([tmp_path]))) == 1

    def test_files_keep_the_order_they_are_given_in_and_formats_may_be_mixed(self, tmp_path: Path) -> None:
        second = file(tmp_path, "b.jsonl", '{"text": "json"}')
        first = file(tmp_path, "a.xml", xml("xml"))
        third = file(tmp_path, "c.conll", "conll O")
        assert [document.text for document in read([second, first, third])] == ["json", "xml", "conll"]

    def test_a_file_is_opened_only_when_its_turn_comes(self, tmp_path: Path) -> None:
        stream = read([file(tmp_path, "a.txt", "x"), file(tmp_path, "b.txt", b"\xff")])
        assert next(stream).text == "x"
        with pytest.raises(AttackspanError):
            next(stream)

    def test_paths_are_checked_before_anything_is_read(self, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError, match="no such file or folder"):
            read([file(tmp_path, "a.txt", "x"), tmp_path / "missing.txt"])

    def test_the_schema_reaches_every_format(self, tmp_path: Path) -> None:
        file(tmp_path, "a.xml", xml("<PER id='p'>x</PER>"))
        file(tmp_path, "b.jsonl", '{"text": "x", "spans": [{"id": "p", "label": "PER", "start": 0, "end": 1}]}')
        file(tmp_path, "c.conll", "x B-PER")
        file(tmp_path, "d.txt", "x")
        found = list(read([tmp_path], NAMES))
        assert [[span.label for span in document.spans] for document in found] == [["PER"], ["PER"], ["PER"], []]
        assert all(document.schema == NAMES for document in found)

    @pytest.mark.parametrize("name", ["a.pdf", "a", ".xml"])
    def test_an_unknown_ending_is_an_error_that_names_the_known(self, name: str, tmp_path: Path) -> None:
        path = file(tmp_path, name, "x")
        ending = repr(path.suffix)
        assert error_of(path) == f"{path}: unknown file ending {ending}; known are .xml, .jsonl, .conll, .txt"

    def test_a_folder_without_a_file_to_read_is_an_error(self, tmp_path: Path) -> None:
        file(tmp_path, "a.pdf", "x")
        file(tmp_path, ".a.txt", "x")
        assert error_of(tmp_path).startswith(f"{tmp_path}: no file to read in this folder; known endings are .xml,")

    def test_a_missing_path_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "missing.jsonl"
        assert error_of(path) == f"{path}: no such file or folder"

    @pytest.mark.parametrize("ending", ["xml", "jsonl", "conll", "txt"])
    @pytest.mark.parametrize("content", ["", "\ufeff"])
    def test_an_empty_file_is_an_error(self, ending: str, content: str, tmp_path: Path) -> None:
        path = file(tmp_path, f"a.{ending}", content)
        assert error_of(path) == f"{path}: the file is empty"

    @pytest.mark.parametrize("name", ["blank.jsonl", "blank.conll"])
    def test_a_file_of_blank_lines_is_empty(self, name: str, tmp_path: Path) -> None:
        path = file(tmp_path, name, "\n \n")
        assert error_of(path) == f"{path}: the file is empty"

    @pytest.mark.parametrize("ending", ["xml", "jsonl", "conll", "txt"])
    def test_a_file_that_is_not_utf_8_is_an_error_with_line_and_byte(self, ending: str, tmp_path: Path) -> None:
        path = file(tmp_path, f"a.{ending}", b"\xef\xbb\xbf\n\xc3\xa9 \xe9\n")
        if ending == "jsonl":
            path = file(tmp_path, "a.jsonl", b"\xef\xbb\xbf\n    \xe9\n")
        expected = 8 if ending == "jsonl" else 7
        assert error_of(path) == f"{path}:2: not UTF-8 at byte {expected}: invalid continuation byte; convert the file"

    def test_an_error_is_one_line_whatever_the_name_of_the_file(self, tmp_path: Path) -> None:
        assert error_of(tmp_path / "a\nb.xml").endswith("a b.xml: no such file or folder")

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
    def test_a_file_or_folder_that_may_not_be_read_is_an_error(self, tmp_path: Path) -> None:
        path = file(tmp_path, "folder/a.txt", "x")
        path.chmod(0)
        assert error_of(path) == f"{path}: Permission denied"
        path.parent.chmod(0)
        try:
            assert error_of(path.parent) == f"{path.parent}: Permission denied"
            assert error_of(path) == f"{path}: Permission denied"
        finally:
            path.parent.chmod(0o700)

    def test_a_path_that_the_system_refuses_is_an_error(self, tmp_path: Path) -> None:
        assert error_of(tmp_path / ("x" * 300 + ".txt")).endswith(".txt: File name too long")


def failing(documents: Iterable[Document]) -> Iterator[Document]:
    yield from documents
    raise AttackspanError("a.txt: broken")


class TestWrite:
    @pytest.mark.parametrize("name", ["out.jsonl", "OUT.JSONL", "folder", "a/b/folder"])
    def test_what_is_written_is_read_back(self, name: str, tmp_path: Path) -> None:
        written = [read_xml(SEED), Document("z é", "b\r\n")]
        write(iter(written), tmp_path / name)
        assert list(read([tmp_path / name])) == written

    def test_a_folder_gets_a_file_for_each_document_and_nothing_else(self, tmp_path: Path) -> None:
        write([read_xml(SEED), Document("b", "x")], tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["b.xml", SEED.name]
        assert (tmp_path / SEED.name).read_bytes() == SEED.read_bytes()

    def test_a_folder_may_have_a_dot_in_its_name_if_it_exists(self, tmp_path: Path) -> None:
        (tmp_path / "v1.0").mkdir()
        write([Document("a", "x")], tmp_path / "v1.0")
        assert (tmp_path / "v1.0" / "a.xml").exists()

    def test_an_xml_file_holds_one_document(self, tmp_path: Path) -> None:
        path = tmp_path / "any.xml"
        write([read_xml(SEED)], path)
        assert path.read_bytes() == SEED.read_bytes()
        for count in (0, 2):
            with pytest.raises(AttackspanError) as caught:
                write([Document(f"d{number}", "x") for number in range(count)], path)
            assert str(caught.value) == f"{path}: an XML file holds one document, not {count}; give a folder"
        assert path.read_bytes() == SEED.read_bytes()

    def test_json_lines_end_with_a_newline_each(self, tmp_path: Path) -> None:
        write([Document("a", "\r\n"), Document("b", "é")], tmp_path / "out.jsonl")
        content = (tmp_path / "out.jsonl").read_bytes()
        assert [json.loads(line)["text"] for line in content.split(b"\n")[:-1]] == ["\r\n", "é"]
        assert content.endswith(b"}\n")
        assert b"\r" not in content

    def test_a_file_may_be_read_while_it_is_written(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        documents = [Document("a", "x"), Document("b", "y")]
        write(documents, path)
        write(read([path]), path)
        assert list(read([path])) == documents

    @pytest.mark.parametrize("name", ["out.jsonl", "one.xml", "folder"])
    def test_an_error_leaves_what_was_written_before_and_no_scraps(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        write([Document("old", "old")], path)
        before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        with pytest.raises(AttackspanError, match=r"^a\.txt: broken$"):
            write(failing([]), path)
        with pytest.raises(AttackspanError):
            write([Document("old", "\ud83d\ude00")], path)
        assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before

    def test_an_error_late_in_the_stream_leaves_the_old_json_lines(self, tmp_path: Path) -> None:
        path = file(tmp_path, "out.jsonl", "old")
        with pytest.raises(AttackspanError):
            write(failing([Document("new", "x")]), path)
        assert path.read_text("utf-8") == "old"
        assert list(tmp_path.iterdir()) == [path]

    def test_an_error_late_in_the_stream_leaves_the_documents_before_it(self, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError):
            write(failing([Document("new", "x")]), tmp_path)
        assert list(tmp_path.iterdir()) == [tmp_path / "new.xml"]

    def test_files_have_the_usual_permissions(self, tmp_path: Path) -> None:
        write([Document("a", "x")], tmp_path / "out.jsonl")
        usual = file(tmp_path, "usual", "").stat().st_mode
        assert (tmp_path / "out.jsonl").stat().st_mode == usual

    @pytest.mark.parametrize("name", ["out.jsonl", "folder"])
    def test_two_documents_with_one_id_are_an_error(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError) as caught:
            write([Document("a", "x"), Document("b", "x"), Document("a", "y")], tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: two documents have the id 'a'"

    @pytest.mark.parametrize("bad", ["", ".", "..", ".a", "a/b", "../a", "a\\b", "a\0b", "a\nb", "a:b", "a?", "/etc/a"])
    def test_an_id_that_is_no_name_for_a_file_is_an_error(self, bad: str, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        with pytest.raises(AttackspanError) as caught:
            write([Document(bad, "x")], folder)
        assert str(caught.value) == f"{folder}: the id {bad!r} cannot be a file's name; write JSON lines instead"
        assert list(tmp_path.rglob("*")) == [folder]

    @pytest.mark.parametrize("name", ["out.txt", "out.conll", "out.json", "folder.d/out.csv"])
    def test_an_ending_that_cannot_be_written_is_an_error(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        with pytest.raises(AttackspanError) as caught:
            write([Document("a", "x")], path)
        assert str(caught.value) == (
            f"{path}: cannot write {path.suffix!r}; give a file ending in .jsonl or .xml, or a folder"
        )
        assert list(tmp_path.iterdir()) == []

    def test_what_a_format_cannot_hold_is_an_error_that_names_the_target(self, tmp_path: Path) -> None:
        path = tmp_path / "folder"
        with pytest.raises(AttackspanError) as caught:
            write([Document("a", "x\x08")], path)
        assert str(caught.value) == (
            rf"{path}: document 'a': XML cannot hold the character '\x08' at offset 1 of its text"
        )

    @pytest.mark.parametrize("name", ["no folder/out.jsonl", "no folder/out.xml", "file/folder", "file/out.jsonl"])
    def test_a_place_that_cannot_be_written_is_an_error(self, name: str, tmp_path: Path) -> None:
        file(tmp_path, "file", "x")
        with pytest.raises(AttackspanError) as caught:
            write([Document("a", "x")], tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")
