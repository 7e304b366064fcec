"""doccano's JSON lines: both forms, offsets in UTF-16 units, and every error with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from samples import ANY_TEXT, NAMES, SEED, documents, error_of, file

from attackspan.document import Document, Span
from attackspan.formats import read_xml
from attackspan.formats.doccano import read_doccano, write_doccano
from attackspan.schema import Label, Schema

EMOJI = "👩🏻‍🚒🇮🇶 Rebels fled."


def numbered(document: Document) -> Document:
    """The document as doccano holds it: its spans numbered, without scores."""
    names = {span.id: str(number) for number, span in enumerate(document.spans, 1)}
    return replace(
        document,
        spans=tuple(replace(span, id=names[span.id], score=None) for span in document.spans),
        links=tuple(replace(link, head=names[link.head], tail=names[link.tail], score=None) for link in document.links),
    )


@given(documents(ANY_TEXT, scored=True))
def test_a_document_round_trips(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.getbasetemp() / "doccano.jsonl"
    lost = write_doccano([document], path)
    assert list(read_doccano(path)) == [numbered(document)]
    assert lost["scores"] == sum(piece.score is not None for piece in (*document.spans, *document.links))
    assert set(lost) <= {"scores"}


def test_a_schema_with_links_has_entities_and_relations(tmp_path: Path) -> None:
    path = tmp_path / "doccano.jsonl"
    seed = read_xml(SEED)
    assert not write_doccano([seed], path)
    line = json.loads(path.read_text("utf-8"))
    assert list(line) == ["id", "text", "source", "date", "entities", "relations"]
    labels = {entity["id"]: entity["label"] for entity in line["entities"]}
    assert list(labels) == list(range(1, len(seed.spans) + 1))
    assert {"actor", "attack:assassination", "attribution:suspected", "condemnation"} <= set(labels.values())
    assert {(labels[one["from_id"]], one["type"], labels[one["to_id"]]) for one in line["relations"]} >= {
        ("condemnation", "by", "actor"),
        ("attribution:suspected", "perpetrator", "actor"),
    }


def test_a_schema_without_links_has_the_plain_form(tmp_path: Path) -> None:
    path = tmp_path / "doccano.jsonl"
    document = Document("d", "Ann left Rome.", (Span("x", "PER", 0, 3, "Ann"), Span("y", "LOC", 9, 13, "Rome")),
                        schema=NAMES)  # fmt: skip
    write_doccano([document], path)
    assert json.loads(path.read_text("utf-8")) == {
        "id": "d", "text": "Ann left Rome.", "label": [[0, 3, "PER"], [9, 13, "LOC"]]
    }  # fmt: skip
    assert list(read_doccano(path, NAMES)) == [numbered(document)]


def test_offsets_count_utf_16_units(tmp_path: Path) -> None:
    start = EMOJI.index("Rebels")
    document = Document("d", EMOJI, (Span("1", "actor", start, start + 6, "Rebels"),))
    write_doccano([document], tmp_path / "doccano.jsonl")
    (entity,) = json.loads((tmp_path / "doccano.jsonl").read_text("utf-8"))["entities"]
    units = len(EMOJI[:start].encode("utf-16-le")) // 2
    assert (entity["start_offset"], entity["end_offset"]) == (units, units + 6)
    assert units > start


def test_ids_are_numbers_in_doccano_and_a_document_without_one_has_its_line(tmp_path: Path) -> None:
    path = file(
        tmp_path, "news.jsonl", '{"id": 7, "text": "a", "label": [], "Comments": []}\n\n{"text": "b", "label": []}'
    )
    assert [document.id for document in read_doccano(path)] == ["7", "news-3"]


def test_several_attributes_stand_in_the_order_of_the_schema(tmp_path: Path) -> None:
    schema = Schema.from_dict({"labels": [{"name": "raid", "attributes": [
        {"name": "size", "values": [{"name": "big"}, {"name": "small"}]},
        {"name": "time", "values": [{"name": "day"}, {"name": "night"}]},
    ]}]})  # fmt: skip
    path = file(tmp_path, "a.jsonl", '{"text": "raid", "label": [[0, 4, "raid:small:night"]]}')
    (document,) = read_doccano(path, schema)
    assert document.spans[0].attributes == {"size": "small", "time": "night"}


def test_a_character_that_json_cannot_hold_is_an_error_that_leaves_the_old_file(tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", "old")
    with pytest.raises(ValueError, match=r"document 'd': JSON cannot hold the split surrogate pair"):
        write_doccano([Document("c", "x"), Document("d", "\ud83d\ude00")], path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


ENTITY = '{"id": 1, "start_offset": 0, "end_offset": 6, "label": "actor"}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ('{"text": NaN}', "not JSON: NaN is not a JSON number"),
        ('{"text": "a", "text": "b"}', "not JSON: the key 'text' stands twice in an object"),
        ("[]", "expected an object with 'text', not []"),
        ("{}", "no 'text' in {}"),
        ('{"text": "a"}', "no 'label' in {'text': 'a'}"),
        ('{"text": "a", "label": [[0, "actor"]]}', "a label is [start, end, name], not [0, 'actor']"),
        ('{"text": "a", "label": [[0, 1, "place"]]}', "unknown label 'place'; the schema has actor"),
        ('{"text": "a", "label": [[0, 1, "attack"]]}', "label 'attack': has to be attack:<kind>"),
        ('{"text": "a", "label": [[0, 1, "actor:big"]]}', "label 'actor:big': has to be actor"),
        ('{"text": "a", "label": [[0, 1, "attack:war"]]}', "document 'news-2': attack '1' [0:1] has kind='war'"),
        ('{"text": "a", "label": [[0, 2, "actor"]]}', "offset 2 lies outside the text of 1 UTF-16 units"),
        ('{"text": "a", "label": [[-1, 1, "actor"]]}', "offset -1 lies inside a character"),
        ('{"text": "👍a", "label": [[1, 2, "actor"]]}', "offset 1 lies inside a character; offsets count UTF-16 units"),
        ('{"text": "a", "label": [[1, 1, "actor"]]}', "document 'news-2': actor '1' [1:1] is empty"),
        ('{"text": "a", "entities": {}}', "'entities' cannot be {}"),
        ('{"text": "a", "entities": [{"id": 1}]}', "no 'start_offset' in {'id': 1}"),
        ('{"text": "a", "entities": [{"id": true}]}', "'id' cannot be True"),
        (f'{{"text": "Rebels", "entities": [{ENTITY}], "relations": [{{"from_id": 1, "to_id": 2, "type": "by"}}]}}',
         "document 'news-2': link 'by' from '1' to '2' ties '2', which is no span of the document"),
        ('{"id": "x", "text": "a", "label": []}', "the id 'x' stands already on line 1"),
    ],
)  # fmt: skip
def test_an_error_names_its_line(line: str, message: str, tmp_path: Path) -> None:
    path = file(tmp_path, "news.jsonl", f'{{"id": "x", "text": "a", "label": []}}\n{line}\n')
    assert error_of(path, form="doccano").startswith(f"{path}:2: {message}")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_an_error(content: str, tmp_path: Path) -> None:
    path = file(tmp_path, "news.jsonl", content)
    assert error_of(path, form="doccano") == f"{path}: the file is empty"


def test_labels_of_another_schema(tmp_path: Path) -> None:
    path = file(tmp_path, "news.jsonl", '{"text": "EU fled.", "label": [[0, 2, "ORG"]]}')
    (document,) = read_doccano(path, Schema((Label("ORG"),)))
    assert document.spans == (Span("1", "ORG", 0, 2, "EU"),)
