"""A folder of shards: what it holds, that a run goes on exactly where it was cut off, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from samples import ROOT, SEED, file
from test_cli import assert_one_line_error, run

from attackspan.cli.predicting import predict as predict_command
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.eval.bench.kills import bytes_of
from attackspan.formats import read_xml
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.predictor import Tagger
from attackspan.records import Columns, Record, read
from attackspan.shards import Reached, claim, run_of, write

COLUMNS = Columns("body", "url")
SENTENCES = [sentence.strip() for sentence in read_xml(SEED).text.split(".") if len(sentence) > 20]
SIZE = 3


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Two files of ten sentences and five records that are no documents: at the start, twice between, at the end."""
    rows = [json.dumps({"url": f"u{n}", "body": text}) for n, text in enumerate(SENTENCES[:10])]
    surrogate = json.dumps({"url": "s", "body": "half \ud83d"})
    return [
        file(tmp_path, "in/a.jsonl", "\n".join(["{", *rows[:4], "[]", surrogate, *rows[4:6]])),
        file(tmp_path, "in/b.jsonl", "\n".join([*rows[6:], "{}", "{"])),
    ]


def predict(folder: Path, inputs: Sequence[Path], tagger: Tagger, crash: int | None = None) -> int:
    """Go on with a run; it fails when it reads the record ``crash``."""

    def records(after: tuple[int, int]) -> Iterator[Record]:
        for count, record in enumerate(read(inputs, COLUMNS, None, after)):
            if count == crash:
                raise RuntimeError("killed")
            yield record

    reached = claim(folder, run_of(inputs, COLUMNS, DEFAULT, SIZE), resume=True)
    return write(folder, tagger, records((reached.file, reached.number)), SIZE)


def rows_of(folder: Path) -> list[list[dict[str, object]]]:
    """The rows of each shard."""
    return [pq.ParquetFile(path).read().to_pylist() for path in sorted(folder.glob("*.parquet"))]


class TestWrite:
    def test_shards_hold_the_documents_that_predict_gives_in_order(
        self, inputs: list[Path], tagger: Tagger, tmp_path: Path
    ) -> None:
        assert predict(tmp_path / "out", inputs, tagger) == 5
        shards = rows_of(tmp_path / "out")
        assert [len(rows) for rows in shards] == [3, 3, 3, 1]
        rows = [row for rows in shards for row in rows]
        for row in rows:
            for span in row["spans"]:
                span["attributes"] = dict(span["attributes"])
        documents = [Document(f"u{n}", text) for n, text in enumerate(SENTENCES[:10])]
        assert rows == [document.to_dict() for document in tagger.predict(documents)]
        assert sum(len(row["spans"]) for row in rows) > 10

    def test_each_record_that_is_no_document_is_named_once_with_its_place(
        self, inputs: list[Path], tagger: Tagger, tmp_path: Path
    ) -> None:
        predict(tmp_path / "out", inputs, tagger)
        rows = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").read_text().splitlines()]
        a, b = map(str, inputs)
        assert [(row["file"], row["record"]) for row in rows] == [(a, 1), (a, 6), (a, 7), (b, 5), (b, 6)]
        assert rows[1]["error"] == f"{a}:6: a record is an object, not list"
        assert rows[2]["error"] == f"{a}: document 's': UTF-8 cannot hold '\\ud83d' at offset 5"
        assert rows[3]["error"] == f"{b}:5: no text in 'body'"

    @pytest.mark.parametrize("content", ["url,body\n", "url,body\nu\n"])
    def test_input_without_a_document_gives_one_empty_shard(self, content: str, tagger: Tagger, tmp_path: Path) -> None:
        path = file(tmp_path, "in.csv", content)
        for _ in range(2):
            assert predict(tmp_path / "out", [path], tagger) == content.count("u\n")
            assert rows_of(tmp_path / "out") == [[]]


class TestResume:
    @pytest.mark.parametrize("crash", range(15))
    def test_a_run_cut_off_at_any_record_goes_on_to_the_same_bytes(
        self, crash: int, inputs: list[Path], tagger: Tagger, tmp_path: Path
    ) -> None:
        predict(tmp_path / "alone", inputs, tagger)
        with pytest.raises(RuntimeError):
            predict(tmp_path / "cut", inputs, tagger, crash)
        assert len(rows_of(tmp_path / "cut")) == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3][crash]
        with pytest.raises(RuntimeError):
            predict(tmp_path / "cut", inputs, tagger, 0)  # cut off at once, where it goes on
        assert predict(tmp_path / "cut", inputs, tagger) == 5
        assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "alone")

    def test_a_finished_run_stays_as_it_is(self, inputs: list[Path], tagger: Tagger, tmp_path: Path) -> None:
        predict(tmp_path / "out", inputs, tagger)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.parquet")}
        assert predict(tmp_path / "out", inputs, tagger) == 5
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.parquet")} == before

    def test_scraps_of_a_killed_run_are_removed(self, inputs: list[Path], tmp_path: Path) -> None:
        file(tmp_path, "out/.0123456789abcdef.tmp", "half a shard")
        assert claim(tmp_path / "out", {"shard_size": 1}, resume=False) == Reached()
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["manifest.json"]

    def test_nothing_is_removed_where_the_folder_is_refused(self, tmp_path: Path) -> None:
        kept = {file(tmp_path, f"out/{name}", "mine") for name in (".0123456789abcdef.tmp", ".draft.tmp")}
        with pytest.raises(AttackspanError, match="not empty, and no run of predict"):
            claim(tmp_path / "out", {"shard_size": 1}, resume=True)
        assert set((tmp_path / "out").iterdir()) == kept


class TestClaim:
    @pytest.mark.parametrize("change", ["inputs", "columns", "shard_size", "model"])
    def test_another_run_is_refused(self, change: str, inputs: list[Path], tagger: Tagger, tmp_path: Path) -> None:
        predict(tmp_path / "out", inputs, tagger)
        before = bytes_of(tmp_path / "out")
        if change == "inputs":
            os.utime(inputs[0], ns=(0, 0))
        run = run_of(inputs, COLUMNS, DEFAULT, SIZE)
        changed = {"columns": {"text": None, "id": None}, "shard_size": 4, "model": "0" * 64}
        with pytest.raises(AttackspanError, match=f"holds a run that differs in {change}; choose another folder"):
            claim(tmp_path / "out", run | {k: v for k, v in changed.items() if k == change}, resume=True)
        with pytest.raises(AttackspanError, match="go on with it by --resume"):
            claim(tmp_path / "out", run, resume=False)
        assert bytes_of(tmp_path / "out") == before

    def test_the_text_of_a_brat_pair_is_part_of_the_run(self, tmp_path: Path) -> None:
        marking = file(tmp_path, "a.ann", "")
        runs = [run_of([marking], COLUMNS, DEFAULT, SIZE)]
        for text in ("x", "xy"):
            file(tmp_path, "a.txt", text)
            runs.append(run_of([marking], COLUMNS, DEFAULT, SIZE))
        assert [run["inputs"]["bytes"] for run in runs] == [0, 1, 2]

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
    def test_a_file_whose_name_is_no_utf_8_can_be_part_of_a_run(self, tmp_path: Path) -> None:
        path = file(tmp_path, os.fsdecode(b"caf\xe9.jsonl"), "{}")
        assert run_of([path], COLUMNS, DEFAULT, SIZE)["inputs"]["bytes"] == 2

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("thesis.txt", b"mine", "not empty, and no run of predict"),
            ("shard-00003.parquet", b"PAR1", "shard-00003.parquet: no shard that predict wrote"),
            ("shard-00009.parquet", b"PAR1", "shard-00004.parquet: missing, but later ones are there"),
            ("errors.jsonl", b"", "errors.jsonl: cut short since the last shard was written"),
        ],
    )
    def test_a_folder_that_was_tampered_with_is_refused(
        self, name: str, content: bytes, message: str, inputs: list[Path], tagger: Tagger, tmp_path: Path
    ) -> None:
        if name != "thesis.txt":
            predict(tmp_path / "out", inputs, tagger)
        file(tmp_path, f"out/{name}", content)
        with pytest.raises(AttackspanError, match=message):
            claim(tmp_path / "out", run_of(inputs, COLUMNS, DEFAULT, SIZE), resume=True)
        assert (tmp_path / "out" / name).read_bytes() == content


class TestCommand:
    def test_status_1_and_a_warning_where_records_are_no_documents_also_when_resumed(
        self, inputs: list[Path], tmp_path: Path
    ) -> None:
        command = ["predict", "in", "--text-column", "body", "--id-column", "url", "--to", "parquet", "-o", "out"]
        for options in ([], ["--resume"]):
            done = run(*command, *options, cwd=tmp_path)
            assert done.returncode == 1
            assert done.stderr == b"attackspan: warning: 5 records are no documents; see the errors in out\n"
            assert not done.stdout
        assert [len(rows) for rows in rows_of(tmp_path / "out")] == [10]
        assert_one_line_error(run(*command, cwd=tmp_path), "out: holds a run; go on with it by --resume")

    def test_without_shards_the_first_error_ends_it(self, inputs: list[Path], tmp_path: Path) -> None:
        command = ["predict", inputs[0], "--text-column", "body", "-o", "out.jsonl"]
        assert_one_line_error(run(*command, cwd=tmp_path), "a.jsonl:1: not JSON")
        assert not (tmp_path / "out.jsonl").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--to", "parquet"], "--to parquet writes a folder; name it with -o"),
            (["--resume", "-o", "out.jsonl"], "--resume needs --to parquet"),
            (["--engine", "ray"], "--engine ray needs --to parquet"),
            (["--engine", "ray", "--resume", "--to", "parquet", "-o", "out"], "--engine ray starts anew"),
            (["--shard-size", "0"], "--shard-size"),
        ],
    )
    def test_wrong_options_are_one_line_errors(self, options: list[str], message: str, tmp_path: Path) -> None:
        assert_one_line_error(run("predict", SEED, *options, cwd=tmp_path), message)
        assert not list(tmp_path.iterdir())

    @pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
    def test_a_terminal_sees_rate_and_time_left(self, tmp_path: Path) -> None:
        terminal, end = os.openpty()
        command = [sys.executable, "-m", "attackspan", "predict", str(SEED), "-o", str(tmp_path / "out.jsonl")]
        subprocess.run(command, stderr=end, check=True, cwd=ROOT, env={**os.environ, "COLUMNS": "100", "TERM": "xterm"})
        os.close(end)
        shown = os.read(terminal, 100_000).decode()
        os.close(terminal)
        assert "1 documents, " in shown
        assert " a second" in shown
        assert "100%" in shown


class TestPage:
    """docs/scale.md."""

    def test_its_commands_and_its_code_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = (ROOT / "docs" / "scale.md").read_text("utf-8")
        content = f'url,body\nu1,"{SENTENCES[0]}"\nu2,"{SENTENCES[1]}"\n'
        for name in ("news.csv", "archive/a.csv"):
            file(tmp_path, name, content)
        monkeypatch.chdir(tmp_path)
        commands = [line.split() for line in re.findall(r"^    attackspan (predict .+)$", page, re.MULTILINE)]
        local = [command for command in commands if "ray" not in command]
        assert len(local) == 2
        for _, *options in local:
            assert CliRunner().invoke(predict_command, options, standalone_mode=False).return_value == 0
        assert (tmp_path / "labelled.jsonl").read_text().count("\n") == 2
        (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        exec(code, {})
        (document, *_) = read([tmp_path / "labelled.jsonl"], Columns())
        assert isinstance(document.content, Document)
        shown = capsys.readouterr().out.splitlines()
        assert len([line for line in shown if line.startswith("u1 ")]) == len(document.content.spans) > 0
