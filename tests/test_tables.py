"""Tables: a row for each span and each statement, as CSV and as Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from pyarrow import parquet
from samples import NAMES, ROOT, UTF8_TEXT, documents

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read, tables, write
from attackspan.schema import Attribute, Label, Role, Schema, Value

SPANS = ["document", "span", "label", "start", "end", "text", "score", "kind", "stance"]
STATEMENTS = ["document", "statement", "label", "text", "score", "stance", "perpetrator", "source", "attack", "by"]


def rows_of_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def rows_of_parquet(path: Path) -> list[dict[str, Any]]:
    return parquet.read_table(path).to_pylist()


READERS = {"csv": rows_of_csv, "parquet": rows_of_parquet}
Rows = Callable[[Path], list[dict[str, Any]]]


def of_spans(document: Document) -> list[dict[str, Any]]:
    return [
        {**dict.fromkeys(SPANS), "document": document.id, "span": span.id, "label": span.label, "start": span.start,
         "end": span.end, "text": span.text, "score": span.score, **span.attributes}
        for span in document.spans
    ]  # fmt: skip


def of_statements(document: Document) -> list[dict[str, Any]]:
    return [
        {**dict.fromkeys(STATEMENTS), "document": document.id, "statement": row.id, "label": row.label,
         "text": row.text, "score": row.score, **row.attributes,
         **{role: "; ".join(texts) or None for role, texts in row.parties.items()}}
        for row in document.statements()
    ]  # fmt: skip


def as_csv(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Numbers as CSV has them, and no text as none."""
    return [{name: None if value in (None, "") else str(value) for name, value in row.items()} for row in rows]


@settings(max_examples=50, deadline=None)  # the first example imports pyarrow
@given(documents(UTF8_TEXT, scored=True))
def test_parquet_holds_every_span_and_statement(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.getbasetemp() / "d.parquet"
    tables.write_parquet([document], path)
    assert rows_of_parquet(path) == of_spans(document)
    assert rows_of_parquet(path.with_suffix(".statements.parquet")) == of_statements(document)


@settings(max_examples=50, deadline=None)
@given(documents(UTF8_TEXT, scored=True))
def test_csv_holds_every_span_and_statement(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.getbasetemp() / "d.csv"
    tables.write_csv([document], path)
    assert rows_of_csv(path) == as_csv(of_spans(document))
    assert rows_of_csv(path.with_suffix(".statements.csv")) == as_csv(of_statements(document))


@pytest.mark.parametrize(("ending", "rows"), READERS.items())
def test_the_seeds_fill_both_tables(ending: str, rows: Rows, tmp_path: Path) -> None:
    found = list(read([ROOT / "seeds" / "dev"]))
    lost = write(found, tmp_path / f"dev.{ending}")
    assert lost == {"texts of documents": 40, "titles": 40, "sources": 40, "dates": 40}
    spans = rows(tmp_path / f"dev.{ending}")
    statements = rows(tmp_path / f"dev.statements.{ending}")
    assert [row["span"] for row in spans] == [span.id for document in found for span in document.spans]
    assert [row["by"] for row in statements] == [
        "; ".join(row.parties.get("by", ())) or None for document in found for row in document.statements()
    ]
    assert any("; " in (row["attack"] or "") for row in statements)


def test_csv_is_rfc_4180(tmp_path: Path) -> None:
    document = Document("d", 'the "army"\nof, x', (Span("a", "actor", 4, 14, '"army"\nof,', 0.5),))
    write([document], tmp_path / "d.csv")
    assert (tmp_path / "d.csv").read_bytes() == (
        b"document,span,label,start,end,text,score,kind,stance\r\n"
        b'd,a,actor,4,14,"""army""\nof,",0.5,,\r\n'
    )  # fmt: skip


@pytest.mark.parametrize(("ending", "rows"), READERS.items())
def test_no_document_and_no_statement_make_empty_tables(ending: str, rows: Rows, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    assert write([], path) == {}
    assert rows(path) == []
    write([Document("d", "Ann", (Span("a", "PER", 0, 3, "Ann"),), schema=NAMES)], path)
    assert [row["text"] for row in rows(path)] == ["Ann"]
    assert rows(path.with_suffix(f".statements.{ending}")) == []


def test_parquet_is_written_in_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: Document) -> None:
    monkeypatch.setattr(tables, "GROUP_ROWS", 10)
    write([seed], tmp_path / "a.parquet")
    groups = parquet.ParquetFile(tmp_path / "a.parquet").metadata
    assert [groups.row_group(number).num_rows for number in range(3)] == [10, 10, 10]
    assert groups.num_rows == len(seed.spans)
    assert [row["span"] for row in rows_of_parquet(tmp_path / "a.parquet")] == [span.id for span in seed.spans]


def test_offsets_and_scores_are_numbers(tmp_path: Path) -> None:
    write([Document("d", "👩‍🚒 Ann", (Span("a", "actor", 4, 7, "Ann", 0.1234),))], tmp_path / "a.parquet")
    types = {field.name: str(field.type) for field in parquet.read_schema(tmp_path / "a.parquet")}
    assert (types["start"], types["end"], types["score"], types["kind"]) == ("int64", "int64", "double", "string")
    assert rows_of_parquet(tmp_path / "a.parquet")[0]["score"] == 0.1234


@pytest.mark.parametrize("ending", READERS)
class TestErrors:
    def test_a_second_schema(self, ending: str, tmp_path: Path, seed: Document) -> None:
        path = tmp_path / f"a.{ending}"
        with pytest.raises(AttackspanError) as caught:
            write([seed, Document("d", "x", schema=NAMES)], path)
        assert str(caught.value) == f"{path}: document 'd' has another schema; a table holds one"
        assert list(tmp_path.iterdir()) == []

    def test_a_name_that_is_a_column_already(self, ending: str, tmp_path: Path) -> None:
        odd = Attribute("score", (Value("a"), Value("b")))
        for label, name in ((Label("x", (odd,)), "score"), (Label("x", (), (Role("text", "x"),)), "text")):
            with pytest.raises(AttackspanError, match=f"two columns would be called '{name}'"):
                write([Document("d", "x", schema=Schema((label,)))], tmp_path / f"a.{ending}")

    def test_a_text_that_is_no_utf_8(self, ending: str, tmp_path: Path, seed: Document) -> None:
        for document in (Document("d", "\ud83d"), Document("\ud83d", "x"), replace(seed, id="\ud83d")):
            with pytest.raises(AttackspanError, match="UTF-8 cannot hold"):
                write([document], tmp_path / f"a.{ending}")
        assert list(tmp_path.iterdir()) == []

    def test_they_are_not_read(self, ending: str, tmp_path: Path) -> None:
        write([Document("d", "x")], tmp_path / f"a.{ending}")
        with pytest.raises(AttackspanError, match=f"unknown file ending '.{ending}'"):
            read([tmp_path / f"a.{ending}"])
