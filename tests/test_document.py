"""Documents and schemas: every invariant, the plain form, and the rows of statements."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SEED

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read_xml
from attackspan.schema import Attribute, Label, Role, Schema, Value, default_schema

TEXT = "Police said rebels bombed Rome."
SPANS = (
    Span("a1", "actor", 0, 6, "Police"),
    Span("a2", "actor", 12, 18, "rebels"),
    Span("t1", "attack", 19, 25, "bombed", attributes={"kind": "bombing"}),
    Span("r1", "attribution", 0, 30, TEXT[:30], attributes={"stance": "accused"}),
)
BOMBED = {"id": "t1", "label": "attack", "start": 19, "end": 25, "attributes": {"kind": "bombing"}}


def span(id: str, label: str, start: int, end: int, text: str | None = None, **attributes: str) -> Span:
    return Span(id, label, start, end, TEXT[start:end] if text is None else text, attributes=attributes)


def test_spans_stand_in_the_order_of_the_text_outer_before_inner() -> None:
    document = Document("d", TEXT, tuple(reversed(SPANS)))
    assert [span.id for span in document.spans] == ["r1", "a1", "a2", "t1"]


def test_spans_of_one_range_keep_their_order() -> None:
    pair = (span("t1", "attack", 0, 6, kind="killing"), span("a1", "actor", 0, 6))
    assert Document("d", TEXT, pair).spans == pair
    assert Document("d", TEXT, pair[::-1]).spans == pair[::-1]


def test_documents_and_spans_are_frozen_and_hold_copies() -> None:
    attributes = {"kind": "bombing"}
    attack = Span("t1", "attack", 19, 25, "bombed", attributes=attributes)
    attributes["kind"] = "melee"
    assert attack.attributes == {"kind": "bombing"}
    with pytest.raises(FrozenInstanceError):
        attack.start = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Document("d", TEXT).text = ""  # type: ignore[misc]


@pytest.mark.parametrize("at", [(0, 6), (25, 31), (30, 31)])
def test_spans_may_touch_both_ends_of_the_text_and_each_other(at: tuple[int, int]) -> None:
    Document("d", TEXT, (span("a1", "actor", *at), span("a2", "actor", 6, 25)))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([span("a1", "actor", -1, 6)], "lies outside the text of 31 characters"),
        ([span("a1", "actor", 25, 32)], "lies outside the text of 31 characters"),
        ([span("a1", "actor", 6, 5)], "actor 'a1' [6:5]"),
        ([span("a1", "actor", 6, 6)], "is empty"),
        ([span("a1", "actor", 0, 6, "police")], "says 'police', but the text there is 'Police'"),
        ([span("a1", "actor", 0, 6), span("a1", "actor", 7, 9)], "span id 'a1' stands twice"),
        ([span("a1", "actor", 0, 6), span("a2", "actor", 5, 9)], "two actor spans overlap: 'Police' and 'e sa'"),
        ([span("a1", "actor", 0, 9), span("a2", "actor", 2, 4)], "two actor spans overlap"),
        ([span("a1", "person", 0, 6)], "person 'a1' [0:6] has an unknown label; the schema has actor, attack"),
        ([span("a1", "actor", 0, 6, kind="melee")], "has an unknown attribute 'kind'; actor has none"),
        ([span("t1", "attack", 19, 25, kind="war")], "has kind='war', which is not one of assassination, "),
        ([Span("a1", "actor", 0, 6, "Police", 1.1)], "has the score 1.1, which is no probability"),
        ([Span("a1", "actor", 0, 6, "Police", float("nan"))], "has the score nan, which is no probability"),
        ([span("t1", "attack", 19, 25)], "has kind=None, which is not one of assassination, "),
    ],
)
def test_an_invalid_span_is_an_error(spans: list[Span], message: str) -> None:
    with pytest.raises(AttackspanError) as caught:
        Document("d", TEXT, tuple(spans))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([Link("source", "r1", "a9")], "link 'source' from 'r1' to 'a9' ties 'a9', which is no span of the document"),
        ([Link("source", "r9", "a1")], "link 'source' from 'r9' to 'a1' ties 'r9', which is no span of the document"),
        (
            [Link("by", "r1", "a1")],
            "link 'by' from 'r1' to 'a1' has an unknown role; attribution has perpetrator, source, attack",
        ),
        ([Link("by", "a1", "a2")], "link 'by' from 'a1' to 'a2' has an unknown role; actor has no links"),
        ([Link("source", "r1", "t1")], "link 'source' from 'r1' to 't1' ends at attack, not actor"),
        (
            [Link("source", "r1", "a1", -0.1)],
            "link 'source' from 'r1' to 'a1' has the score -0.1, which is no probability",
        ),
        ([Link("source", "r1", "a1")] * 2, "link 'source' from 'r1' to 'a1' stands twice"),
    ],
)
def test_an_invalid_link_is_an_error(links: list[Link], message: str) -> None:
    with pytest.raises(AttackspanError) as caught:
        Document("d7", TEXT, SPANS, tuple(links))
    assert str(caught.value) == f"document 'd7': {message}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a document is an object with a 'text', not list"),
        ({}, "no 'text'; an object here needs text"),
        ({"text": None}, "'text' cannot be None"),
        ({"text": TEXT, "lang": "en"}, "unknown key 'lang'; known are text, id"),
        ({"text": TEXT, "spans": {}}, "'spans' cannot be {}"),
        ({"text": TEXT, "spans": [3]}, "expected an object with id, label, start, end, not int"),
        ({"text": TEXT, "spans": [{**BOMBED, "start": "19"}]}, "'start' cannot be '19'"),
        ({"text": TEXT, "spans": [{**BOMBED, "start": True}]}, "'start' cannot be True"),
        ({"text": TEXT, "spans": [{**BOMBED, "text": "bomb"}]}, "says 'bomb', but the text there is 'bombed'"),
        ({"text": TEXT, "spans": [{"id": "t1"}]}, "no 'label'; an object here needs id, label, start, end"),
        ({"text": TEXT, "links": [{"role": "by", "head": "c1"}]}, "no 'tail'; an object here needs role, head, tail"),
    ],
)
def test_from_dict_says_what_is_wrong(data: Any, message: str) -> None:
    with pytest.raises(AttackspanError) as caught:
        Document.from_dict(data)
    assert message in str(caught.value)


def test_from_dict_fills_in_what_may_be_left_out() -> None:
    document = Document.from_dict({"text": TEXT, "spans": [BOMBED]})
    assert document == Document("", TEXT, (Span("t1", "attack", 19, 25, "bombed", None, {"kind": "bombing"}),))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents whose spans may cross; spans of one label do not overlap."""
    text = draw(st.text(min_size=1))
    kinds, stances = (label_attribute[1].names for label_attribute in default_schema().attributes)
    spans: list[Span] = []
    for label in draw(st.lists(st.sampled_from(default_schema().names), max_size=8)):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if all(other.label != label or other.end <= start or end <= other.start for other in spans):
            attributes = {}
            if label == "attack":
                attributes["kind"] = draw(st.sampled_from(kinds))
            if label == "attribution":
                attributes["stance"] = draw(st.sampled_from(stances))
            score = draw(st.none() | st.floats(0, 1))
            spans.append(Span(f"s{len(spans)}", label, start, end, text[start:end], score, attributes))
    possible = [
        (role.name, head.id, tail.id)
        for head in spans
        for role in default_schema()[head.label].roles
        for tail in spans
        if tail.label == role.tail
    ]
    chosen = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    links = tuple(Link(*ends, draw(st.none() | st.floats(0, 1))) for ends in chosen)
    return Document(draw(st.text()), text, tuple(spans), links, draw(st.text()), draw(st.text()), draw(st.text()))


@given(documents())
def test_from_dict_gives_back_what_to_dict_wrote(document: Document) -> None:
    assert Document.from_dict(document.to_dict()) == document
    assert Document.from_dict(json.loads(json.dumps(document.to_dict()))) == document


def test_statements_of_the_seed_article() -> None:
    rows = [
        (row.id, row.label, row.score, row.attributes, row.parties, row.text) for row in read_xml(SEED).statements()
    ]
    assert rows == [
        (
            "c1",
            "condemnation",
            None,
            {},
            {"by": ("US",), "attack": ("assassination attempt",)},
            "The US was quick to condemn the assassination attempt on Iraqi Prime Minister Mustafa al-Kadhimi "
            "that occurred early on Sunday in Baghdad",
        ),
        (
            "r1",
            "attribution",
            None,
            {"stance": "unclaimed"},
            {"perpetrator": (), "source": (), "attack": ("attempt on the Prime Minister’s life",)},
            "There was no immediate claim of responsibility for the attempt on the Prime Minister’s life",
        ),
        (
            "r2",
            "attribution",
            None,
            {"stance": "suspected"},
            {"perpetrator": ("pro-Iranian militias",), "source": (), "attack": ("attacks",)},
            "the pro-Iranian militias have been prime suspects in previous attacks",
        ),
        (
            "c2",
            "condemnation",
            None,
            {},
            {"by": ("Price",), "attack": ("act of terrorism",)},
            "This apparent act of terrorism, which we strongly condemn",
        ),
    ]


def test_parties_stand_in_the_order_of_the_text() -> None:
    links = (Link("perpetrator", "r1", "a2"), Link("perpetrator", "r1", "a1"))
    (row,) = Document("d", TEXT, SPANS, links).statements()
    assert row.parties == {"perpetrator": ("Police", "rebels"), "source": (), "attack": ()}


def test_the_default_schema() -> None:
    schema = default_schema()
    assert schema.names == ("actor", "attack", "attribution", "condemnation")
    assert [(label.name, attribute.name, len(attribute.names)) for label, attribute in schema.attributes] == [
        ("attack", "kind", 12),
        ("attribution", "stance", 6),
    ]
    assert [(label.name, role.name, role.tail) for label, role in schema.roles] == [
        ("attribution", "perpetrator", "actor"),
        ("attribution", "source", "actor"),
        ("attribution", "attack", "attack"),
        ("condemnation", "by", "actor"),
        ("condemnation", "attack", "attack"),
    ]
    assert schema["attack"].attributes[0].values[5] == Value(
        "drone_strike", {"gtd": "Bombing/Explosion", "acled": "Air/drone strike", "cameo": "195"}
    )


def test_a_schema_survives_its_plain_form_and_its_file(tmp_path: Path) -> None:
    schema = default_schema()
    (tmp_path / "schema.json").write_text(json.dumps(schema.to_dict()), "utf-8")
    assert Schema.from_dict(schema.to_dict()) == Schema.load(tmp_path / "schema.json") == schema


TWO = (Value("x"), Value("y"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((), "no labels"),
        ((Label(""),), "label '' is not a name"),
        ((Label("a b"),), "label 'a b' is not a name"),
        ((Label("a"), Label("a")), "label 'a' stands twice"),
        ((Label("a", (Attribute("k", (Value("x"),)),)),), "a.k needs at least two values"),
        ((Label("a", (Attribute("k", TWO), Attribute("k", TWO))),), "attribute of 'a' 'k' stands twice"),
        ((Label("a", (Attribute("k", TWO + TWO[:1]),)),), "value of a.k 'x' stands twice"),
        ((Label("a", roles=(Role("r", "a"), Role("r", "a"))),), "role of 'a' 'r' stands twice"),
        ((Label("a", roles=(Role("r", "b"),)),), "a.r links to 'b', which is not one of the labels a"),
    ],
)
def test_an_invalid_schema_is_an_error(labels: tuple[Label, ...], message: str) -> None:
    with pytest.raises(AttackspanError) as caught:
        Schema(labels)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "KeyError('labels')"),
        ([], "schema: "),
        ({"labels": 3}, "schema: "),
        ({"labels": [{"name": "a"}], "version": 1}, "unknown key 'version'; known are labels"),
        ({"labels": [{"name": "a", "colour": "red"}]}, "unknown key 'colour'; known are attributes, name, roles"),
        ({"labels": [{"name": "a", "roles": [{"name": "r"}]}]}, "KeyError('tail')"),
        ({"labels": [{"name": "a", "attributes": [{"name": "k", "values": ["x", "y"]}]}]}, "schema: "),
    ],
)
def test_a_malformed_schema_is_an_error(data: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(AttackspanError) as caught:
        Schema.from_dict(data)
    assert message in str(caught.value)
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(AttackspanError) as caught:
        Schema.load(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("content", [b"{", b"\xff", None])
def test_a_schema_file_that_cannot_be_read_is_an_error_that_names_it(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AttackspanError) as caught:
        Schema.load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_an_unknown_label_is_an_error_that_lists_the_labels() -> None:
    with pytest.raises(AttackspanError, match="unknown label 'x'; the schema has actor, attack, attribution, condem"):
        default_schema()["x"]
