"""Prodigy's JSON lines: spans on whole tokens, relations between spans, answers, and every error with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from samples import ANY_TEXT, SEED, documents, error_of, file

from attackspan.document import Document, Span
from attackspan.formats import read_xml
from attackspan.formats.prodigy import read_prodigy, write_prodigy


def numbered(document: Document) -> Document:
    """The document as Prodigy holds it: its spans numbered, without scores."""
    names = {span.id: f"s{number}" for number, span in enumerate(document.spans, 1)}
    return replace(
        document,
        spans=tuple(replace(span, id=names[span.id], score=None) for span in document.spans),
        links=tuple(replace(link, head=names[link.head], tail=names[link.tail], score=None) for link in document.links),
    )


@given(documents(ANY_TEXT, scored=True))
def test_a_document_round_trips_and_its_tokens_are_the_text(
    tmp_path_factory: pytest.TempPathFactory, document: Document
) -> None:
    path = tmp_path_factory.getbasetemp() / "prodigy.jsonl"
    document = document if document.id else replace(document, id="d")  # an empty id is none in Prodigy
    lost = write_prodigy([document], path)
    assert list(read_prodigy(path)) == [numbered(document)]
    assert lost["scores"] == sum(piece.score is not None for piece in (*document.spans, *document.links))
    assert set(lost) <= {"scores"}
    example = json.loads(path.read_bytes())
    tokens = example["tokens"]
    assert "".join(token["text"] + " " * token["ws"] for token in tokens) == document.text
    assert [token["id"] for token in tokens] == list(range(len(tokens)))
    assert all(document.text[token["start"] : token["end"]] == token["text"] for token in tokens)
    for span in example["spans"]:
        assert tokens[span["token_start"]]["start"] == span["start"]
        assert tokens[span["token_end"]]["end"] == span["end"]


def test_the_seed_as_an_example(tmp_path: Path) -> None:
    path = tmp_path / "prodigy.jsonl"
    seed = read_xml(SEED)
    assert not write_prodigy([seed], path)
    example = json.loads(path.read_text("utf-8"))
    assert list(example) == ["text", "meta", "tokens", "spans", "relations"]
    assert example["meta"] == {"id": seed.id, "source": "Kurdistan 24", "date": "2021-11-07"}
    assert [token["text"] for token in example["tokens"][:8]] == [
        "date", "2021", "-", "11", "-", "07", "WASHINGTON", "DC"
    ]  # fmt: skip
    assert "this is prodigy's form of JSON lines" in error_of(path)  # as our own JSON lines
    (by,) = [one for one in example["relations"] if one["label"] == "by" and one["child_span"]["start"] < 100]
    assert by["head_span"]["label"] == "condemnation"
    assert seed.text[by["child_span"]["start"] : by["child_span"]["end"]] == "US"
    assert (by["head"], by["child"]) == (by["head_span"]["token_end"], by["child_span"]["token_end"])
    assert example["tokens"][by["child"]]["text"] == "US"
    assert {"attack:assassination", "attribution:suspected", "actor"} <= {span["label"] for span in example["spans"]}


def test_only_accepted_and_unanswered_examples_are_read(tmp_path: Path) -> None:
    lines = ['{"text": "a", "answer": "accept"}', '{"text": "b", "answer": "reject"}',
             '{"text": "c", "answer": "ignore"}', '{"text": "d", "_input_hash": 5, "spans": []}']  # fmt: skip
    path = file(tmp_path, "news.jsonl", "\n".join(lines))
    assert [(document.id, document.text) for document in read_prodigy(path)] == [("news-1", "a"), ("news-4", "d")]
    path = file(tmp_path, "none.jsonl", lines[1])
    assert error_of(path, form="prodigy") == f"{path}: all its documents were rejected or skipped"


def test_offsets_count_characters(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        "a.jsonl",
        '{"text": "👩🏻‍🚒 Rebels", "spans": [{"start": 5, "end": 11, "label": "actor", "text": "Rebels"}]}',
    )
    (document,) = read_prodigy(path)
    assert document.spans == (Span("s1", "actor", 5, 11, "Rebels"),)


A = '{"start": 0, "end": 4, "label": "actor"}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ("7", "expected an object with 'text', not 7"),
        ("{}", "no 'text' in {}"),
        ('{"text": "Army", "answer": 1}', "'answer' cannot be 1"),
        ('{"text": "Army", "meta": "x"}', "'meta' cannot be 'x'"),
        ('{"text": "Army", "spans": [[0, 4, "actor"]]}', "expected an object with 'start', not [0, 4, 'actor']"),
        ('{"text": "Army", "spans": [{"start": 0, "end": 4}]}', "no 'label' in {'start': 0, 'end': 4}"),
        ('{"text": "Army", "spans": [{"start": 0, "end": 4, "label": "place"}]}', "unknown label 'place'; the"),
        ('{"text": "Army", "spans": [{"start": 0, "end": 4, "label": "attack"}]}', "label 'attack': has to be"),
        ('{"text": "Army", "spans": [{"start": 0, "end": 5, "label": "actor"}]}',
         "document 'news-2': actor 's1' [0:5] lies outside the text of 4 characters"),
        ('{"text": "Army", "spans": [{"start": 0, "end": 4, "label": "actor", "text": "Navy"}]}',
         "document 'news-2': actor 's1' [0:4] says 'Navy', but the text there is 'Army'"),
        (f'{{"text": "Army", "spans": [{A}, {A}]}}', "the span {'start': 0, 'end': 4, 'label': 'actor'} stands twice"),
        (f'{{"text": "Army", "spans": [{A}], "relations": [{{"head": 0, "child": 0, "label": "by"}}]}}',
         "no 'head_span' in {'head': 0, 'child': 0, 'label': 'by'}"),
        (f'{{"text": "Army", "relations": [{{"head_span": {A}, "child_span": {A}, "label": "by"}}]}}',
         "a relation ties (0, 4, 'actor'), which is none of the spans"),
        (f'{{"text": "Army", "spans": [{A}], "relations": [{{"head_span": {A}, "child_span": {A}, "label": "by"}}]}}',
         "document 'news-2': link 'by' from 's1' to 's1' has an unknown role; actor has no links"),
        ('{"text": "a", "meta": {"id": "x"}}', "the id 'x' stands already on line 1"),
    ],
)  # fmt: skip
def test_an_error_names_its_line(line: str, message: str, tmp_path: Path) -> None:
    path = file(tmp_path, "news.jsonl", f'{{"text": "a", "meta": {{"id": "x"}}}}\n{line}\n')
    assert error_of(path, form="prodigy").startswith(f"{path}:2: {message}")
