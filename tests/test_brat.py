"""brat's standoff files: exact round trips, its own form read, and every error with its line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from samples import ROOT, UTF8_TEXT, documents, error_of, file

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats import read, write
from attackspan.formats.brat import read_brat, write_brat
from attackspan.schema import Attribute, Label, Role, Schema, Value

TEXT = "👩‍🚒 said the\r\nRebels bombed Karkuk."


def bare(document: Document) -> Document:
    """What brat holds of a document, under brat's ids."""
    names = {span.id: f"T{number}" for number, span in enumerate(document.spans, 1)}
    spans = tuple(replace(span, id=names[span.id], score=None) for span in document.spans)
    links = tuple(Link(link.role, names[link.head], names[link.tail]) for link in document.links)
    return Document(document.id, document.text, spans, links)


def ends_in_a_line_break(span: Span) -> bool:
    return len(f"{span.text[0]}.".splitlines()) > 1 or len(f".{span.text[-1]}.".splitlines()) > 1


class TestRoundTrip:
    @settings(deadline=None)  # it writes two files
    @given(documents(UTF8_TEXT, scored=True))
    @example(Document("d", "\ufeffRebels", (Span("a", "actor", 1, 7, "Rebels"),)))
    @example(Document("d", "a\r\n\u2028b\tc", (Span("a", "actor", 0, 7, "a\r\n\u2028b\tc"),)))
    def test_all_that_brat_holds_comes_back(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        path = tmp_path_factory.getbasetemp() / "d.ann"
        if any(ends_in_a_line_break(span) for span in document.spans):
            with pytest.raises(AttackspanError, match="begins or ends with a line break"):
                write_brat([document], path)
            return
        lost = write_brat([document], path)
        assert list(read_brat(path)) == [bare(replace(document, id="d"))]
        scores = [piece.score for pieces in (document.spans, document.links) for piece in pieces]
        assert lost == Counter({
            "titles": int(document.title != ""),
            "sources": int(document.source != ""),
            "dates": int(document.date != ""),
            "scores": len([score for score in scores if score is not None]),
            "ids of documents": int(document.id != "d"),
        })  # fmt: skip

    def test_the_seeds_come_back_from_a_folder(self, tmp_path: Path) -> None:
        written = list(read([ROOT / "seeds" / "dev"]))
        lost = write(written, tmp_path, "brat")
        assert list(read([tmp_path])) == [bare(document) for document in written]
        assert lost == {"titles": 40, "sources": 40, "dates": 40}
        assert len(list(tmp_path.iterdir())) == 80

    def test_ids_of_brat_are_kept(self, tmp_path: Path) -> None:
        document = Document(
            "d", "Police, army", (Span("T7", "actor", 0, 6, "Police"), Span("T2", "actor", 8, 12, "army"))
        )
        write([document], tmp_path / "d.ann")
        assert list(read([tmp_path])) == [document]


class TestWrite:
    def test_the_lines_are_in_the_form_that_brat_documents(self, tmp_path: Path) -> None:
        spans = (
            Span("r", "attribution", 9, 27, TEXT[9:27], attributes={"stance": "accused"}),
            Span("a", "actor", 14, 20, "Rebels"),
            Span("k", "attack", 21, 27, "bombed", attributes={"kind": "bombing"}),
        )
        write([Document("d", TEXT, spans, (Link("perpetrator", "r", "a"), Link("attack", "r", "k")))], tmp_path, "brat")
        assert (tmp_path / "d.txt").read_bytes() == TEXT.encode()
        assert (tmp_path / "d.ann").read_bytes().decode() == (
            "T1\tattribution 9 12;14 27\tthe Rebels bombed\n"
            "T2\tactor 14 20\tRebels\n"
            "T3\tattack 21 27\tbombed\n"
            "A1\tstance T1 accused\n"
            "A2\tkind T3 bombing\n"
            "R1\tattack Arg1:T1 Arg2:T3\n"
            "R2\tperpetrator Arg1:T1 Arg2:T2\n"
        )

    def test_a_document_without_spans_has_an_empty_marking(self, tmp_path: Path) -> None:
        write([Document("d", "")], tmp_path / "d.ann")
        assert [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())] == [
            ("d.ann", b""),
            ("d.txt", b""),
        ]
        assert list(read([tmp_path])) == [Document("d", "")]

    def test_a_span_that_ends_with_a_line_break_is_an_error_and_nothing_is_written(self, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError) as caught:
            write([Document("d", "Police\n", (Span("a1", "actor", 0, 7, "Police\n"),))], tmp_path, "brat")
        assert str(caught.value) == (
            f"{tmp_path}: document 'd': actor 'a1' [0:7] begins or ends with a line break, which brat cannot hold"
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_text_that_is_no_utf_8_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError) as caught:
            write([Document("d", "a\ud83d")], tmp_path / "d.ann")
        assert str(caught.value) == rf"{tmp_path / 'd.ann'}: document 'd': UTF-8 cannot hold '\ud83d' at offset 1"


# A project of another field with events, in the form of brat's documentation: triggers, numbered roles, notes.
FIELD = Schema((
    Label("Plant"),
    Label("Site"),
    Label(
        "Harvest",
        (Attribute("Certainty", (Value("high"), Value("low"))),),
        (Role("Crop", "Plant"), Role("Of", "Harvest")),
    ),
))  # fmt: skip
EVENTS = (
    "E1\tHarvest:T3 Crop:T1 Crop2:T2 \r\n"
    "T1\tPlant 12 16\tleek\r\n"
    "T2\tPlant 21 26;27 31\tswede root\r\n"
    "#1\tAnnotatorNotes T2\tone word or two?\r\n"
    "T3\tHarvest 0 7\tReaping\r\n"
    "A1\tCertainty E1 low\r\n"
    "A2\tCertainty T4 high\r\n"
    "T4\tHarvest 33 42\tgathering\r\n"
    "R1\tOf Arg1:T4 Arg2:E1\t\r\n"
)


class TestRead:
    def test_events_numbered_roles_notes_and_spans_over_white_space(self, tmp_path: Path) -> None:
        text = "Reaping the leek and swede\nroot, gathering"
        file(tmp_path, "d.txt", text)
        (document,) = read_brat(file(tmp_path, "d.ann", EVENTS), FIELD)
        assert document == Document(
            "d",
            text,
            (
                Span("T1", "Plant", 12, 16, "leek"),
                Span("T2", "Plant", 21, 31, "swede\nroot"),
                Span("T3", "Harvest", 0, 7, "Reaping", attributes={"Certainty": "low"}),
                Span("T4", "Harvest", 33, 42, "gathering", attributes={"Certainty": "high"}),
            ),
            (Link("Crop", "T3", "T1"), Link("Crop", "T3", "T2"), Link("Of", "T4", "T3")),
            schema=FIELD,
        )

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("T2\tactor 0 6\tArmies", "T2 says 'Armies', but the text there is 'Police'"),
            ("T2\tactor 0 6", "T2 says '', but the text there is 'Police'"),
            ("T2\tactor 0 99\tPolice", "T2 says 'Police', but the text there is 'Police blamed the army.'"),
            ("T2\tactor 0\tPolice", "'T2\\tactor 0\\tPolice' is no span; it needs <id> tab <label> <start> <end> tab"),
            ("T2", "'T2' is no span"),
            ("T2\tactor 0 -1\tPolice", "'T2\\tactor 0 -1\\tPolice' is no span"),
            (f"T2\tactor 0 {'9' * 5000}\tPolice", "'T2\\tactor 0 99999"),
            ("T2\tactor 0 6;14 17\tPolice the", "T2 is in pieces with words between; mark one stretch instead"),
            ("T2\tactor 7 13;0 6\tblamed Police", "T2 is in pieces"),
            ("T2\tactor 3 3\t", "document 'd': actor 'T2' [3:3] is empty"),
            ("T2\tplace 0 6\tPolice", "document 'd': place 'T2' [0:6] has an unknown label"),
            ("T2\tactor 18 22\tarmy", "document 'd': two actor spans overlap"),
            ("T1\tactor 0 6\tPolice", "the id 'T1' stands twice"),
            ("T2\tattack 7 13\tblamed", "document 'd': attack 'T2' [7:13] has kind=None"),
            ("A1\tkind T1 raid", "document 'd': actor 'T1' [18:22] has an unknown attribute 'kind'"),
            ("A1\tkind T9 raid", "'T9' is no span of the file"),
            ("A1\tNegation T1", "A1 (Negation) has 0 values; an attribute has one"),
            ("A1\tkind", "'A1\\tkind' is cut short"),
            ("R1\tby Arg1:T1 Arg2:T1", "document 'd': link 'by' from 'T1' to 'T1' has an unknown role"),
            ("R1\tby Arg1:T1", "R1 has 1 arguments; a relation has two"),
            ("R1\tby Arg1:T1 Arg2:T8", "'T8' is no span of the file"),
            ("R1", "'R1' is cut short"),
            ("E1\tattack:T1", "E1 has the trigger 'attack:T1', which is no span of that label"),
            ("E1\tactor:T5", "E1 has the trigger 'actor:T5'"),
            ("*\tEquiv T1 T2", "'*\\tEquiv T1 T2': a document has no place for this; delete the line"),
            ("N1\tReference T1 GND:1\tPolice", "'N1\\tReference T1 GND:1\\tPolice': a document has no place"),
            (" T2\tactor 0 6\tPolice", "' T2\\tactor 0 6\\tPolice': a document has no place"),
        ],
    )
    def test_an_error_names_its_line(self, line: str, message: str, tmp_path: Path) -> None:
        file(tmp_path, "d.txt", "Police blamed the army.")
        path = file(tmp_path, "d.ann", f"T1\tactor 18 22\tarmy\n\n{line}\n")
        assert error_of(path).startswith((f"{path}:3: {message}", f"{path}:1: {message}"))
        assert error_of(path).startswith(f"{path}:3: ")

    def test_a_second_value_and_a_second_event_are_errors(self, tmp_path: Path) -> None:
        file(tmp_path, "d.txt", "bombed")
        head = "T1\tattack 0 6\tbombed\n"
        path = file(tmp_path, "d.ann", f"{head}A1\tkind T1 bombing\nA2\tkind T1 killing\n")
        assert error_of(path) == f"{path}:3: A2 is a second kind of T1"
        path = file(tmp_path, "d.ann", f"{head}E1\tattack:T1\nE2\tattack:T1\n")
        assert error_of(path) == f"{path}:3: E2 is a second event of T1; a span is one statement"

    def test_a_marking_without_its_text_is_an_error(self, tmp_path: Path) -> None:
        path = file(tmp_path, "d.ann", "T1\tactor 0 6\tPolice\n")
        assert error_of(path) == f"{path}: No such file or directory: d.txt, which has to hold the text"
        file(tmp_path, "d.txt", b"\n\xe9")
        assert error_of(path).startswith(f"{tmp_path / 'd.txt'}:2: not UTF-8 at byte 1")
