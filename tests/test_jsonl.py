"""JSON lines: exact round trips, and every error with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from samples import ANY_TEXT, documents, error_of, file

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats import read_jsonl, to_jsonl


class TestJsonl:
    @given(documents(ANY_TEXT, scored=True))
    @example(Document("d", "\ud83d \ude00"))
    def test_a_document_round_trips(self, tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
        line = to_jsonl(document)
        assert "\n" not in line
        path = file(tmp_path_factory.getbasetemp(), "documents.jsonl", line)
        assert list(read_jsonl(path)) == [document]

    def test_it_is_one_line_of_readable_json(self) -> None:
        assert to_jsonl(Document("d", "é\r\n\u2028👍")) == (
            '{"id": "d", "text": "é\\r\\n\u2028👍", "title": "", "source": "", "date": "", "spans": [], "links": []}'
        )

    def test_a_split_surrogate_pair_is_an_error(self) -> None:
        with pytest.raises(AttackspanError) as caught:
            to_jsonl(Document("d", "\ud83d\ude00"))
        assert str(caught.value) == r"document 'd': JSON cannot hold the split surrogate pair '\ud83d\ude00'"

    def test_blank_lines_a_bom_and_crlf_ends_are_read_and_missing_ids_are_numbered_by_line(
        self, tmp_path: Path
    ) -> None:
        path = file(
            tmp_path, "news.jsonl", '\ufeff{"text": "a\\r\\n"}\r\n\n \t\n{"text": "b"}\n{"text": "c", "id": "x"}'
        )
        assert [(document.id, document.text) for document in read_jsonl(path)] == [
            ("news-1", "a\r\n"),
            ("news-4", "b"),
            ("x", "c"),
        ]

    def test_only_a_newline_ends_a_line(self, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", '{"text": "a\u2028b\x85c"}\n')
        assert [document.text for document in read_jsonl(path)] == ["a\u2028b\x85c"]

    def test_documents_come_one_at_a_time(self, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", '{"text": "a"}\n{"text": "b"}\nno JSON\n')
        stream = read_jsonl(path)
        assert [next(stream).text, next(stream).text] == ["a", "b"]
        with pytest.raises(AttackspanError):
            next(stream)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (b"{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
            (b'{"text": "a"} {}', "not JSON: Extra data at column 15"),
            (b'{"text": NaN}', "not JSON: NaN is not a JSON number"),
            (b'{"text": -Infinity}', "not JSON: -Infinity is not a JSON number"),
            (b"[" * 100_000, "not JSON: "),
            (b"1" * 5000, "not JSON: Exceeds the limit"),
            (b"[]", "a document is an object with a 'text', not list"),
            (b"{}", "no 'text'; an object here needs text"),
            (b'{"text": "a", "id": 7}', "'id' cannot be 7"),
            (
                b'{"text": "a", "spans": [{"id": "a1", "label": "actor", "start": 0, "end": 2}]}',
                "document 'news-3': ac",
            ),
            (b'{"text": "a", "id": "x"}', "the id 'x' stands already on line 1"),
            (b'{"text": "\xe9"}', "not UTF-8 at byte 36: invalid continuation byte; convert the file"),
        ],
    )
    def test_an_error_names_its_line(self, line: bytes, message: str, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", b'{"id": "x", "text": "a"}\n\n' + line + b"\n")
        assert error_of(path).startswith(f"{path}:3: {message}")

    @pytest.mark.parametrize(
        ("tool", "line"),
        [
            ("doccano", '{"id": 4, "text": "Police fled", "label": [[0, 6, "actor"]]}'),
            ("doccano", '{"text": "Police fled", "entities": [], "relations": []}'),
            ("prodigy", '{"text": "Police", "spans": [{"start": 0, "end": 6, "label": "actor"}], "answer": "accept"}'),
            ("prodigy", '{"text": "Police fled", "_input_hash": 1, "_task_hash": 2}'),
        ],
    )
    def test_lines_of_other_tools_are_told_by_their_keys(self, tool: str, line: str, tmp_path: Path) -> None:
        path = file(tmp_path, "news.jsonl", line)
        assert error_of(path) == (
            f"{path}:1: this is {tool}'s form of JSON lines, not ours; `attackspan convert --from {tool}` reads it"
        )
