"""Records from lines, rows and files: whatever is wrong with one, the next is read, and each error says where."""

from __future__ import annotations

import csv
import gzip
import json
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import ANY_TEXT, SEED, file

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats import read_xml
from attackspan.records import Columns, documents, files, read

NAMED = Columns("body", "url")
TEXTS = ANY_TEXT.filter(lambda text: "\ud83d" not in text)


def told(path: Path, columns: Columns = NAMED) -> list[str]:
    """What each record says: its text, or its error without the path."""
    return [
        one.content.text if isinstance(one.content, Document) else str(one.content).removeprefix(f"{path}:").strip()
        for one in read([path], columns)
    ]


def packed(path: Path, content: bytes) -> Path:
    """Content as a file, packed as its ending says."""
    match path.suffix:
        case ".gz":
            content = gzip.compress(content)
        case ".zst":
            content = pa.compress(content, codec="zstd", asbytes=True)
    return file(path.parent, path.name, content)


def write_table(path: Path, rows: list[dict[str, object]]) -> Path:
    """Rows as a file of its ending's kind."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
    elif ".csv" in path.suffixes:
        plain = path.with_name("plain")
        with plain.open("w", newline="", encoding="utf-8", errors="surrogatepass") as out:
            table = csv.DictWriter(out, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        packed(path, plain.read_bytes())
        plain.unlink()
    else:
        packed(path, "".join(f"{json.dumps(row)}\n" for row in rows).encode())
    return path


KINDS = ["n.jsonl", "n.jsonl.gz", "n.jsonl.zst", "n.csv", "n.csv.gz", "n.csv.zst", "n.parquet"]


class TestKinds:
    @pytest.mark.parametrize("name", KINDS)
    def test_text_id_title_source_and_date_are_read_and_other_columns_are_not(self, name: str, tmp_path: Path) -> None:
        seed = read_xml(SEED)
        head = {"title": seed.title, "source": seed.source, "date": seed.date}
        rows = [{"url": f"u{n}", "body": seed.text, **head, "other": "x"} for n in range(5)]
        found = list(documents(read([write_table(tmp_path / name, rows)], NAMED)))
        assert found == [Document(f"u{n}", seed.text, (), (), seed.title, seed.source, seed.date) for n in range(5)]

    @pytest.mark.parametrize("name", KINDS)
    @settings(deadline=None, max_examples=25)
    @given(texts=st.lists(TEXTS, min_size=1, max_size=5))
    def test_any_text_comes_back(self, name: str, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.getbasetemp() / name
        write_table(path, [{"url": str(n), "body": text} for n, text in enumerate(texts)])
        assert told(path) == texts

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("news.jsonl.gz", ["news-1", "x"]), ("news.csv", ["news-2", "x"]), ("news.parquet", ["news-1", "x"])],
    )
    def test_a_record_without_an_id_gets_its_line_or_row(self, name: str, expected: list[str], tmp_path: Path) -> None:
        path = write_table(tmp_path / name, [{"text": "a", "id": None}, {"text": "b", "id": "x"}])
        assert [document.id for document in documents(read([path], Columns("text")))] == expected

    def test_dates_and_numbers_of_parquet_become_text(self, tmp_path: Path) -> None:
        table = {"id": pa.array([7]), "text": ["a"], "date": pa.array([0], pa.date32())}
        pq.write_table(pa.table(table), tmp_path / "n.parquet")
        (document,) = documents(read([tmp_path / "n.parquet"], Columns()))
        assert (document.id, document.date) == ("7", "1970-01-01")

    def test_a_line_of_json_is_a_whole_document_where_no_column_is_named(self, tmp_path: Path) -> None:
        path = file(tmp_path, "n.jsonl", '{"id": "a", "text": "x"}\n\n{"id": "b", "text": "x", "url": "y"}\n')
        assert told(path, Columns()) == [
            "x",
            "3: unknown key 'url'; known are text, id, title, source, date, spans, links",
        ]
        assert told(path, Columns("text")) == ["x", "x"]

    def test_lines_of_other_tools_are_told_by_their_keys(self, tmp_path: Path) -> None:
        path = file(tmp_path, "n.jsonl", '{"text": "x", "label": []}\n{"text": "x", "answer": "accept"}\n')
        ours = "form of JSON lines, not ours; `attackspan convert --from"
        assert told(path, Columns()) == [
            f"1: this is doccano's {ours} doccano` reads it",
            f"2: this is prodigy's {ours} prodigy` reads it",
        ]
        assert told(path, Columns("text")) == ["x", "x"]

    def test_files_of_other_formats_are_read_as_ever(self, tmp_path: Path) -> None:
        (found,) = read([SEED], NAMED)
        assert (found.path, found.number, found.content) == (SEED, 1, read_xml(SEED))
        path = file(tmp_path, "bad.xml", "<doc>")
        (found,) = read([path], NAMED)
        assert str(found.content).startswith(f"{path}:1: ")


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("n.jsonl", b'{"url": "u"}\n{"body": 1}\n[]\n{\n{"body": "\xff"}\n{"body": "a"}\n'
                        b'{"url": {}, "body": "a"}\nNaN\n{"url": "u", "url": "v"}\n{"url": "u", "body": "last"}',
             ["1: no text in 'body'", "2: no text in 'body'", "3: a record is an object, not list",
              "4: not JSON: Expecting property name enclosed in double quotes at column 2",
              "5: not UTF-8 at byte 10 of the line: invalid start byte; convert the file", "6: no id in 'url'",
              "7: 'url' cannot be {}", "8: not JSON: NaN is not a JSON number",
              "9: not JSON: the key 'url' stands twice in an object", "last"]),
            ("n.csv", b'url,body\nu,"two\nlines"\nu\nu,\xff\n\nu,"a"b\n,a\nu,a\rb\nu,last',
             ["two\nlines", "4: 1 cells, but the header has 2", "5: not UTF-8; convert the file",
              "7: not CSV: ',' expected after '\"'", "8: no id in 'url'",
              "9: not CSV: new-line character seen in unquoted field", "last"]),
            ("n.csv", b'\xef\xbb\xbfurl,body\nu,"\xef\xbb\xbfa"\nu,"never closed\n',
             ["\ufeffa", "3: not CSV: unexpected end of data"]),
            ("n.csv", b"url,text\nu,a", ["no column 'body' in url, text; name it with --text-column"]),
            ("n.csv", b"url,body,url\n", ["more than one column 'url' in url, body, url; name it with --id-column"]),
            ("n.csv", b"", ["the file is empty"]),
            ("n.jsonl", b"\n \n", ["the file is empty"]),
            ("n.csv.gz", b"url,body\n", ["damaged: Not a gzipped file (b'ur')"]),
            ("n.jsonl.zst", b"no zstd", ["1: damaged: ZSTD decompress failed: Unknown frame descriptor"]),
            ("n.parquet", b"no Parquet", ["not Parquet: Parquet magic bytes not found in footer."]),
        ],
    )  # fmt: skip
    def test_each_is_a_record_and_the_next_is_read(
        self, name: str, content: bytes, expected: list[str], tmp_path: Path
    ) -> None:
        found = told(file(tmp_path, name, content))
        assert len(found) == len(expected)
        for one, start in zip(found, expected, strict=True):
            assert start in one
            assert len(one.splitlines()) == 1 or one == "two\nlines"

    @pytest.mark.parametrize("name", ["n.jsonl.gz", "n.csv.gz", "n.jsonl.zst"])
    def test_what_stands_before_a_damage_is_read(self, name: str, tmp_path: Path) -> None:
        path = write_table(tmp_path / name, [{"url": str(n), "body": f"{n}" * 500} for n in range(2000)])
        path.write_bytes(path.read_bytes()[:-100])
        *before, last = told(path)
        assert before == [f"{n}" * 500 for n in range(len(before))]
        assert "damaged: " in last

    @pytest.mark.parametrize("name", [name for name in KINDS if name != "n.parquet"])
    def test_a_line_without_end_is_refused_and_what_stands_before_it_is_read(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("attackspan.records._LONGEST_LINE", 1000)
        rows = [{"url": "1", "body": "x" * 900}, {"url": "2", "body": "x" * 100_000}, {"url": "3", "body": "y"}]
        before, last = told(write_table(tmp_path / name, rows))
        assert before == "x" * 900
        assert last.endswith(": longer than 1,000 bytes; write one record a line")

    def test_a_parquet_file_with_text_that_is_no_utf_8_loses_only_that_row(self, tmp_path: Path) -> None:
        texts = pa.array([b"a", b"\xff", b"c"]).view(pa.string())
        pq.write_table(pa.table({"url": ["1", "2", "3"], "body": texts}), tmp_path / "n.parquet")
        assert told(tmp_path / "n.parquet") == ["a", "2: not UTF-8: invalid start byte", "c"]

    def test_documents_end_at_the_first_error_and_at_an_id_that_stands_twice(self, tmp_path: Path) -> None:
        path = file(tmp_path, "n.csv", "url,body\n1,a\n2,b\n1,c\n")
        with pytest.raises(AttackspanError, match=r"n\.csv:4: the id '1' stands already on line 2$"):
            list(documents(read([path, path], NAMED)))
        path = file(tmp_path, "n.csv", "url,body\n1,a\n2\n")
        stream = documents(read([path], NAMED))
        assert next(stream).text == "a"
        with pytest.raises(AttackspanError, match=r"n\.csv:3: 1 cells, but the header has 2$"):
            next(stream)

    def test_a_file_that_is_gone_ends_the_run(self, tmp_path: Path) -> None:
        for name in ("a.jsonl", "a.txt"):
            path = tmp_path / name
            with pytest.raises(AttackspanError, match=r"No such file|no such file"):
                list(read([path], NAMED))


class TestStreaming:
    def test_reading_goes_on_behind_any_record(self, tmp_path: Path) -> None:
        rows = [{"url": str(n), "body": f"text {n}"} for n in range(9)]
        paths = [write_table(tmp_path / name, rows) for name in KINDS]
        cut = file(tmp_path, "cut.jsonl.gz", paths[1].read_bytes()[:-9])
        every = list(read([*paths, cut, SEED, cut], NAMED))
        assert len(every) > 80
        for at, record in enumerate(every):
            rest = read([*paths, cut, SEED, cut], NAMED, after=(record.file, record.number))
            assert [(one.file, one.number, str(one.content)) for one in rest] == [
                (one.file, one.number, str(one.content)) for one in every[at + 1 :]
            ]

    def test_records_are_read_one_at_a_time_and_say_how_far(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "n.jsonl", [{"url": str(n), "body": "x" * 1000} for n in range(1000)])
        stream = read([path], NAMED)
        shares = [next(stream).read / path.stat().st_size for _ in range(500)]
        assert shares == sorted(shares)
        assert shares[0] < 0.1 < 0.4 < shares[-1] < 0.6

    @pytest.mark.parametrize("name", ["n.jsonl.gz", "n.parquet"])
    def test_memory_stays_flat_however_much_is_read(self, name: str, tmp_path: Path) -> None:
        draw = random.Random(0)
        texts = [draw.randbytes(600).hex() for _ in range(10_000)]  # 12 MB, in one row group
        if name == "n.parquet":
            pq.write_table(
                pa.table({"body": texts, "url": ["u"] * len(texts)}), tmp_path / name, row_group_size=len(texts)
            )
        else:
            packed(tmp_path / name, "".join(f'{{"body": "{text}", "url": "u"}}\n' for text in texts).encode())
        del texts
        tracemalloc.start()
        highest = max(pa.total_allocated_bytes() for _ in read([tmp_path / name], NAMED))
        highest += tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert highest < 8_000_000


class TestFiles:
    def test_folders_give_tables_and_packed_files_among_the_rest_in_order(self, tmp_path: Path) -> None:
        names = ["a.csv", "b.txt", "c/d.jsonl.zst", "c/e.xml", "f.parquet", "g.jsonl"]
        for name in (*names, "h.pdf", ".i.csv", ".c/j.parquet", "k.gz"):
            file(tmp_path, name, "x")
        assert files([tmp_path]) == [tmp_path / name for name in names]
        assert files([tmp_path / "f.parquet", tmp_path / "a.csv"]) == [tmp_path / "f.parquet", tmp_path / "a.csv"]

    def test_the_text_of_a_brat_pair_is_no_document_of_its_own(self, tmp_path: Path) -> None:
        paths = [file(tmp_path, name, "") for name in ("a.ann", "a.txt", "b.csv", "b.txt")]
        assert files(paths) == files([tmp_path]) == [paths[0], *paths[2:]]

    def test_a_folder_of_tables_alone_is_read(self, tmp_path: Path) -> None:
        assert files([file(tmp_path, "a.csv", "x").parent]) == [tmp_path / "a.csv"]

    @pytest.mark.parametrize("name", ["none.csv", "h.pdf", "."])
    def test_a_path_with_nothing_to_read_is_an_error(self, name: str, tmp_path: Path) -> None:
        file(tmp_path, "h.pdf", "x")
        with pytest.raises(AttackspanError):
            files([tmp_path / name])
