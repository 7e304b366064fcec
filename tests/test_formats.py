"""Reading files and folders, and writing them whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from samples import NAMES, SEED, error_of, file, xml

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats import files, read, read_xml, write


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
        file(tmp_path, "e.ann", "T1\tPER 0 1\tx")
        file(tmp_path, "e.txt", "x")
        found = list(read([tmp_path], NAMES))
        assert [[span.label for span in document.spans] for document in found] == [
            ["PER"],
            ["PER"],
            ["PER"],
            [],
            ["PER"],
        ]
        assert all(document.schema == NAMES for document in found)

    @pytest.mark.parametrize("name", ["a.pdf", "a", ".xml"])
    def test_an_unknown_ending_is_an_error_that_names_the_known(self, name: str, tmp_path: Path) -> None:
        path = file(tmp_path, name, "x")
        ending = repr(path.suffix)
        known = ".xml, .jsonl, .conll, .bio, .ann, .json, .spacy, .txt"
        assert error_of(path) == f"{path}: unknown file ending {ending}; known are {known}"

    def test_a_text_beside_its_marking_is_no_document_of_its_own(self, tmp_path: Path) -> None:
        text, marking = file(tmp_path, "a.txt", "x"), file(tmp_path, "a.ann", "")
        other = file(tmp_path, "b/a.txt", "y")
        assert list(read([tmp_path])) == [Document("a", "x"), Document("a", "y")]
        assert files([text, other, marking]) == [other, marking]
        assert files([text]) == [text]

    def test_a_named_format_overrides_the_ending(self, tmp_path: Path) -> None:
        path = file(tmp_path, "a.data", '{"text": "x"}')
        assert [document.text for document in read([path], form="jsonl")] == ["x"]
        file(tmp_path, "b.bio", "x O")
        file(tmp_path, "c.jsonl", '{"text": "y"}')
        assert files([tmp_path], "conll") == [tmp_path / "b.bio"]
        assert files([tmp_path], "doccano") == [tmp_path / "c.jsonl"]
        with pytest.raises(AttackspanError, match=r"no file to read in this folder; known endings are \.xml$"):
            files([tmp_path], "xml")
        with pytest.raises(AttackspanError, match="cannot read the format 'csv'; known are xml, jsonl, "):
            files([path], "csv")

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
            assert str(caught.value) == f"{path}: a file ending in .xml holds one document, not {count}; give a folder"
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

    @pytest.mark.parametrize(
        "name", ["out.jsonl", "one.xml", "folder", "out.conll", "one.ann", "out.csv", "out.parquet"]
    )
    def test_an_error_leaves_what_was_written_before_and_no_scraps(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        write([Document("old", "old")], path)
        before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        assert before
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

    @pytest.mark.parametrize(
        "bad", ["", ".", "..", ".a", "a/b", "../a", "a\\b", "a\0b", "a\nb", "a:b", "a?", "/etc/a", "\ud83d"]
    )
    def test_an_id_that_is_no_name_for_a_file_is_an_error(self, bad: str, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        with pytest.raises(AttackspanError) as caught:
            write([Document(bad, "x")], folder)
        assert str(caught.value) == f"{folder}: the id {bad!r} cannot be a file's name; write JSON lines instead"
        assert list(tmp_path.rglob("*")) == [folder]

    @pytest.mark.parametrize("name", ["out.txt", "out.tsv", "folder.d/out.pdf"])
    def test_an_ending_that_cannot_be_written_is_an_error(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        with pytest.raises(AttackspanError) as caught:
            write([Document("a", "x")], path)
        assert str(caught.value).startswith(
            f"{path}: cannot write {path.suffix!r}; give a folder or a file ending in .xml, .jsonl, "
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
