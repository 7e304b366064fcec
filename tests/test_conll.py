"""CoNLL columns: the text rebuilt, the schemes of tags, and every error with its line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from samples import NAMES, UTF8_TEXT, documents, error_of, file

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read, write
from attackspan.formats.conll import labels, read_conll, write_conll
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


FLAT = Schema(tuple(Label(name) for name in ("actor", "attack", "attribution", "condemnation")))


class TestWrite:
    def test_words_signs_sentences_and_the_innermost_spans(self, tmp_path: Path) -> None:
        text = "Iran-backed\u00a0rebels' raid:\r\nArmy condemned it"
        spans = (
            Span("a1", "actor", 0, 18, text[:18]),
            Span("t1", "attack", 20, 24, "raid", 0.5, {"kind": "armed_assault"}),
            Span("c1", "condemnation", 27, 44, text[27:44]),
            Span("a2", "actor", 27, 31, "Army"),
        )
        links = (Link("by", "c1", "a2"), Link("attack", "c1", "t1", 0.5))
        lost = write(
            [Document("d1", text, spans, links, "Raid", date="2024"), Document("d2", "")], tmp_path / "d.conll"
        )
        assert (tmp_path / "d.conll").read_text("utf-8") == (
            "-DOCSTART- O\n\nIran B-actor\n- I-actor\nbacked I-actor\nrebels I-actor\n' O\nraid B-attack\n: O\n\n"
            "Army B-actor\ncondemned O\nit O\n\n"
        )
        assert lost == {
            "titles": 1,
            "dates": 1,
            "links": 2,
            "attributes": 1,
            "scores": 2,
            "ids of documents": 1,
            "spans around others": 1,
            "texts' own spacing": 1,
            "documents without a word": 1,
        }

    def test_a_token_is_cut_where_a_span_ends_in_it_and_a_span_goes_on_over_a_newline(self, tmp_path: Path) -> None:
        spans = (Span("p", "PER", 2, 5, "n\nB"), Span("l", "LOC", 5, 6, "o"))
        write([Document("d", "Ann\nBob", spans, schema=NAMES)], tmp_path / "d.bio")
        assert (tmp_path / "d.bio").read_text("utf-8") == "-DOCSTART- O\n\nAn O\nn B-PER\nB I-PER\no B-LOC\nb O\n\n"

    @pytest.mark.parametrize("spans", [
        (Span("c", "condemnation", 0, 6, "Police"), Span("a", "actor", 0, 6, "Police")),
        (Span("c", "condemnation", 0, 6, "Police"), Span("a", "actor", 5, 8, "e f")),
    ])  # fmt: skip
    def test_of_spans_that_overlap_the_inner_or_the_shorter_is_kept(
        self, spans: tuple[Span, ...], tmp_path: Path
    ) -> None:
        assert write([Document("d", "Police fled", spans)], tmp_path / "d.conll")["spans around others"] == 1
        assert [span.label for document in read([tmp_path], FLAT) for span in document.spans] == ["actor"]

    @settings(max_examples=50, deadline=None)  # the first example imports the tokenizer
    @given(documents(UTF8_TEXT))
    @example(Document("d", "-DOCSTART- \u2028 x", (Span("a", "actor", 10, 13, " \u2028 "),)))
    def test_what_is_not_counted_comes_back(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        path = tmp_path_factory.getbasetemp() / "round.conll"
        lost = write_conll([document, Document("last", "x")], path)
        first, *last = read_conll(path, FLAT)
        if lost["documents without a word"]:
            assert not last
            assert first.text == "x"
            return
        assert "".join(first.text.split()) == "".join(document.text.split())
        assert (lost["texts' own spacing"] == 0) == (first.text == document.text)
        there = Counter((span.label, "".join(span.text.split())) for span in document.spans)
        found = Counter((span.label, "".join(span.text.split())) for span in first.spans)
        assert found <= there
        assert (there - found).total() == lost["spans around others"] + lost["spans of white space"]
        if not lost["texts' own spacing"]:
            kept = {(span.label, span.start, span.end) for span in first.spans}
            stripped = {
                (span.label, span.end - len(span.text.lstrip()), span.start + len(span.text.rstrip()))
                for span in document.spans
            }
            assert kept <= stripped

    def test_what_was_read_is_written_again(self, tmp_path: Path) -> None:
        found = list(read([file(tmp_path, "ner.conll", CONLL)], ORG))
        assert write(found, tmp_path / "ner.conll") == {"ids of documents": 2}
        assert list(read([tmp_path / "ner.conll"], ORG)) == found

    def test_a_text_that_is_no_utf_8_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError, match="document 'd': UTF-8 cannot hold"):
            write([Document("d", "\ud83d")], tmp_path / "d.conll")
        assert list(tmp_path.iterdir()) == []
