"""CoNLL columns: the text rebuilt, the schemes of tags, and every error with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import NAMES, error_of, file

from attackspan.document import Document, Span
from attackspan.formats import read
from attackspan.formats.conll import labels
from attackspan.schema import Label, Schema

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
