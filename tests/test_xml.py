"""Marked-up XML: exact round trips, and every error with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from samples import CORPUS, SEED, XML_TEXT, documents, error_of, file, xml

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read_xml, to_xml
from attackspan.schema import Attribute, Label, Role, Schema, Value


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
            (
                "\n<condemnation id='c1' by='a9'>x</condemnation>",
                2,
                "document 'd': link 'by' from 'c1' to 'a9' ties 'a9'",
            ),
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
