"""Markings leave their texts and come back onto them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from samples import XML_TEXT, documents

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats import read, write
from attackspan.training.standoff import main, put, put_all, take


def bare(document: Document) -> Document:
    return replace(document, spans=(), links=())


def places(document: Document) -> tuple[object, object]:
    """Spans and links whatever the ids are."""
    where = {span.id: (span.label, span.start, span.end) for span in document.spans}
    spans = [(where[span.id], dict(span.attributes)) for span in document.spans]
    return spans, {(link.role, where[link.head], where[link.tail]) for link in document.links}


@given(documents(XML_TEXT))
def test_a_marking_comes_back_onto_its_text(document: Document) -> None:
    marking = json.loads(json.dumps(take(document)))
    assert places(put(marking, bare(document))) == places(document)
    assert not document.text or document.text not in json.dumps(marking) or len(document.text) < 40


def test_the_command_line_takes_and_puts(tmp_path: Path, seed: Document) -> None:
    write([seed], tmp_path / "marked.jsonl")
    write([Document("other", "Nothing."), bare(seed)], tmp_path / "texts.jsonl")
    for arguments in (
        ["take", tmp_path / "marked.jsonl", "-o", tmp_path / "markings.jsonl"],
        ["put", tmp_path / "markings.jsonl", tmp_path / "texts.jsonl", "-o", tmp_path / "again.jsonl"],
    ):
        assert CliRunner().invoke(main, list(map(str, arguments))).exit_code == 0
    assert seed.text[:60] not in (tmp_path / "markings.jsonl").read_text()
    (again,) = read([tmp_path / "again.jsonl"])
    assert places(again) == places(seed)


def test_another_text_a_missing_one_and_a_broken_line_are_errors(tmp_path: Path, seed: Document) -> None:
    with pytest.raises(AttackspanError, match="not the one that was marked"):
        put(take(seed), replace(bare(seed), text=seed.text + "."))
    path = tmp_path / "markings.jsonl"
    path.write_text(json.dumps(take(seed)) + "\n")
    with pytest.raises(AttackspanError, match="1 texts are missing"):
        list(put_all(path, [Document("other", "Nothing.")]))
    path.write_text("")
    with pytest.raises(AttackspanError, match=r"markings\.jsonl: no markings in it"):
        list(put_all(path, []))
    path.write_text("[]\n")
    with pytest.raises(AttackspanError, match=r"markings\.jsonl:1: no marking"):
        list(put_all(path, []))
