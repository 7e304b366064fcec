"""The promises of docs/reliability.md that have no test elsewhere, and that each of its tests is there."""

from __future__ import annotations

import ast
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from samples import ROOT, SEED, error_of, file

from attackspan.document import Document, Span
from attackspan.formats import read_jsonl, write
from attackspan.view import show

PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)::(\w+)`", PAGE))
    assert len(named) > 40
    for module, name in sorted(named):
        tree = ast.parse((ROOT / "tests" / module).read_text("utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in there, f"{module}::{name}"


def test_every_row_of_the_page_names_a_test_or_says_that_there_is_none() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 3]
    assert len(rows) > 30
    assert all("`test_" in row or "no test" in row or row.startswith("| door ") for row in rows)


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-m", "attackspan", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, env={**os.environ, **environment})


@pytest.mark.parametrize("name", ["out.jsonl", "out.xml", "folder"])
def test_a_full_disk_is_one_line_and_leaves_what_was_there(name: str, tmp_path: Path) -> None:
    write([Document("old", "old")], tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "attackspan", "predict", str(SEED), "-o", str(tmp_path / name)],
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert done.returncode == 2
    assert re.fullmatch(rb"attackspan: error: .*: File too large\n", done.stderr)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


WRITES = """
import os, signal, sys
from attackspan.document import Document
from attackspan.formats import write
def documents():
    yield Document("new", "x" * 100_000)
    os.kill(os.getpid(), signal.SIGKILL)
write(documents(), sys.argv[1])
"""


def test_a_kill_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write([Document("old", "old")], path)
    assert subprocess.run([sys.executable, "-c", WRITES, path]).returncode == -signal.SIGKILL
    assert [document.id for document in read_jsonl(path)] == ["old"]


def test_two_runs_that_write_one_file_at_once_leave_the_whole_of_one(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    meet = threading.Barrier(2)

    def documents(name: str) -> Iterator[Document]:
        for number in range(50):
            meet.wait()
            yield Document(f"{name}{number}", name * 1000)

    runs = [threading.Thread(target=write, args=(documents(name), path)) for name in "ab"]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    found = [document.id for document in read_jsonl(path)]
    assert found in ([f"a{number}" for number in range(50)], [f"b{number}" for number in range(50)])
    assert list(tmp_path.iterdir()) == [path]


PLAIN = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def test_another_locale_changes_neither_files_nor_json(tmp_path: Path) -> None:
    article = file(tmp_path, "a.txt", "Police in Köln blamed rebels.")
    assert command("predict", article, **PLAIN).stdout == command("predict", article).stdout
    assert "Köln" in command("predict", article, **PLAIN).stdout.decode()


def test_a_terminal_without_a_letter_gets_an_escape(tmp_path: Path) -> None:
    done = command("predict", file(tmp_path, "a.txt", "Police in Köln blamed rebels."), "--to", "view", **PLAIN)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"K\xf6ln" in done.stdout


def test_no_text_controls_the_terminal() -> None:
    text = "a\x1b[2J\x9b31m\x00\x7f\r\nb"
    span = Span("s", "actor", 0, len(text), text)
    out = StringIO()
    document = Document("i\x1b]0;x\x07", text, (span,), title="t\x1b[1m", source="\x08", date="\x1b")
    show(document, Console(file=out, width=99))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.getvalue())
    assert "a␛[2J" in out.getvalue()


def test_a_carriage_return_does_not_move_the_colours() -> None:
    out = StringIO()
    document = Document("d", "\r\n\r\nPolice fled.", (Span("s", "actor", 4, 10, "Police"),))
    show(document, Console(file=out, force_terminal=True, no_color=False))
    assert re.search(r"\x1b\[[\d;]+mPolice\x1b\[0m fled", out.getvalue())


def test_no_error_controls_the_terminal(tmp_path: Path) -> None:
    spans = '[{"id": "a", "label": "\\u001b[31mred\\nx", "start": 0, "end": 1}]'
    done = command("predict", file(tmp_path, "a.jsonl", f'{{"text": "x", "spans": {spans}}}'))
    assert done.returncode == 2
    assert b"has an unknown label" in done.stderr
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr)
    assert done.stderr.count(b"\n") == 1


def test_an_error_is_short_whatever_the_file_says(tmp_path: Path) -> None:
    message = error_of(file(tmp_path, "a.conll", "x" * 1_000_000))
    assert len(message) < 1000
    assert message.endswith("a line is a token … and its tag")


def test_a_name_that_is_no_utf_8_is_read_and_written(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_text("Rebels attacked.", "utf-8")
    done = command("predict", path, "-o", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert [document.text for document in read_jsonl(tmp_path / "out.jsonl")] == ["Rebels attacked."]
