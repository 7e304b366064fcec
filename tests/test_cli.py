"""The command line as a user types it: each error one line, exit status 2, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ROOT, SEED

from attackspan.document import Document
from attackspan.formats import read_jsonl, read_xml, write
from attackspan.model.checkpoint import DEFAULT


def run(*arguments: object, stdin: bytes = b"", cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "attackspan", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd)


def test_predict_writes_json_lines_when_piped(tmp_path: Path, seed: Document) -> None:
    done = run("predict", SEED)
    (tmp_path / "out.jsonl").write_bytes(done.stdout)
    (document,) = read_jsonl(tmp_path / "out.jsonl")
    assert (document.id, document.text) == (seed.id, seed.text)
    assert len(document.spans) > 20
    assert not done.stderr


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("txt", b"Rebels attacked a town.\r\nPolice blamed them."),
        ("jsonl", b'{"text": "Rebels attacked a town.\\r\\nPolice blamed them."}\n'),
        ("xml", b'<doc id="x"><title></title><text>Rebels attacked a town.&#13;\nPolice blamed them.</text></doc>'),
    ],
)
def test_predict_reads_every_format_from_files_folders_and_stdin(tmp_path: Path, ending: str, content: bytes) -> None:
    (tmp_path / f"d.{ending}").write_bytes(content)
    outputs = [
        run("predict", tmp_path / f"d.{ending}").stdout,
        run("predict", tmp_path).stdout,
        run("predict", "-", "--from", ending, stdin=content).stdout,
    ]
    documents = [json.loads(output) for output in outputs]
    assert {document["text"] for document in documents} == {"Rebels attacked a town.\r\nPolice blamed them."}
    assert documents[0]["spans"] == documents[1]["spans"] == documents[2]["spans"]


def test_the_view_shows_spans_and_statements() -> None:
    shown = run("predict", SEED, "--to", "view").stdout.decode()
    assert "condemnation" in shown
    assert "by: US" in shown
    assert "assassination attempt" in shown


def test_predict_writes_xml_that_reads_back(tmp_path: Path, seed: Document) -> None:
    (tmp_path / "out").mkdir()
    assert run("predict", SEED, "-o", tmp_path / "out").returncode == 0
    assert read_xml(tmp_path / "out" / f"{seed.id}.xml").text == seed.text


def test_predict_writes_the_format_that_is_asked_for(tmp_path: Path, seed: Document) -> None:
    assert run("predict", SEED, "--to", "jsonl", "-o", tmp_path / "out").returncode == 0
    (document,) = read_jsonl(tmp_path / "out")
    assert document.text == seed.text


def test_evaluate_prints_a_table_and_writes_the_figures(tmp_path: Path) -> None:
    done = run("evaluate", DEFAULT, SEED, "-o", tmp_path / "scores.json")
    figures = json.loads((tmp_path / "scores.json").read_text())
    assert figures["labels"]["strict"]["micro"]["f1"] > 0.6
    assert figures["documents"] == 1
    assert b"condemnation" in done.stdout


def test_suggest_writes_xml_for_an_annotator_least_sure_documents_first(tmp_path: Path, seed: Document) -> None:
    done = run("suggest", SEED, "-o", tmp_path / "rules")
    assert done.stdout.decode().split() == [seed.id]
    proposed = read_xml(tmp_path / "rules" / f"{seed.id}.xml")
    assert proposed.text == seed.text
    assert {span.label for span in proposed.spans} == {"actor", "attack", "attribution", "condemnation"}
    (tmp_path / "calm.txt").write_text("The weather was fine.")
    done = run("suggest", tmp_path / "calm.txt", SEED, "-o", tmp_path / "model", "--model", DEFAULT)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert [name for _, name in rows] == [seed.id, "calm"]
    assert 0 < float(rows[0][0]) < float(rows[1][0]) == 1


def test_agreement_compares_two_markings_of_the_same_text(tmp_path: Path, seed: Document) -> None:
    kept = tuple(span for span in seed.spans if span.label == "attack")
    write([replace(seed, spans=kept, links=())], tmp_path / "second")
    done = run("agreement", SEED, tmp_path / "second", "-o", tmp_path / "agreement.json")
    table = {line.split()[0]: line.split()[1:4] for line in done.stdout.decode().splitlines() if len(line.split()) > 3}
    assert table["attack"] == [str(len(kept)), str(len(kept)), "100.0"]
    assert table["condemnation"] == ["2", "0", "0.0"]
    assert json.loads((tmp_path / "agreement.json").read_text())["documents"] == 1
    write([replace(seed, id="other")], tmp_path / "third")
    assert_one_line_error(run("agreement", SEED, tmp_path / "third"), f"document '{seed.id}'")


BAD = '<doc id="d"><title></title><text>{}</text></doc>'
ERRORS = [
    ("unreadable XML", "d.xml", b"<doc id='d'><title></title><text>x", "d.xml:1: "),
    ("unknown label", "d.xml", BAD.format('<place id="p1">Rome</place>').encode(), "d.xml:1: "),
    ("unknown value", "d.xml", BAD.format('<attack id="t1" kind="war">raid</attack>').encode(), "war"),
    ("overlapping spans of one label", "d.xml",
     BAD.format('<actor id="a1">the <actor id="a2">army</actor></actor>').encode(), "two actor spans overlap"),
    ("an entity", "d.xml", b'<!DOCTYPE d [<!ENTITY e "x">]><doc id="d"><text>&e;</text></doc>', "d.xml:1: "),
    ("not UTF-8", "d.txt", "Gewalt in Köln".encode("latin-1"), "d.txt:1: not UTF-8 at byte 11"),
    ("not JSON", "d.jsonl", b'{"text": "x"}\n{"text": ', "d.jsonl:2: "),
    ("an unknown key", "d.jsonl", b'{"text": "x", "body": 1}\n', "d.jsonl:1: "),
    ("a span outside the text", "d.jsonl",
     b'{"text": "x", "spans": [{"id": "a", "label": "actor", "start": 0, "end": 9}]}\n', "outside the text"),
    ("an empty file", "d.jsonl", b"", "d.jsonl: "),
    ("an unknown ending", "d.docx", b"x", "docx"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
@pytest.mark.parametrize("command", ["predict", "build", "evaluate"])
def test_bad_documents_are_one_line_errors(
    tmp_path: Path, command: str, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    arguments = {
        "predict": ["predict", name, "-o", "out.jsonl"],
        "build": ["build", "--train", name, "-o", "out.jsonl"],
        "evaluate": ["evaluate", DEFAULT, name, "-o", "out.jsonl"],
    }[command]
    if command != "build":
        (tmp_path / "out.jsonl").write_text("written before")
    done = run(*arguments, cwd=tmp_path)
    assert_one_line_error(done, message)
    if command != "build":
        assert (tmp_path / "out.jsonl").read_text() == "written before"
    assert {path.name for path in tmp_path.iterdir()} <= {name, "out.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "nothing.txt"], "nothing.txt"),
        (["predict", SEED, "--model", "nothing"], "nothing: no such folder"),
        (["predict", SEED, "--model", "."], "manifest.json: missing"),
        (["predict", SEED, "--colour", "red"], "--colour"),
        (["predict"], "PATHS"),
        (["build", "-o", "x"], "give either documents to split"),
        (["build", SEED, "-o", "x"], "too few to split in three"),
        (["build", SEED, "-o", "x", "--shares", "0.9", "0.9"], "--shares 0.9 0.9"),
        (["build", SEED, "-o", "x", "--encoder", "./nowhere"], "encoder './nowhere'"),
        (["build", SEED, "-o", "x", "--schema", SEED], "kurdistan24-2021-11-07.xml"),
        (["train", "--config", ROOT / "configs/default.yaml", "data=nowhere"], "nowhere: no dataset there"),
        (["train", "--config", ROOT / "configs/default.yaml", "colour=red"], "colour"),
        (["train", "--config", "nowhere.yaml"], "nowhere.yaml"),
        (["evaluate", "nowhere", SEED], "nowhere: no such folder"),
        (["fly"], "fly"),
    ],
)
def test_wrong_calls_are_one_line_errors(tmp_path: Path, arguments: list[object], message: str) -> None:
    assert_one_line_error(run(*arguments, cwd=tmp_path), message)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("training.standoff", ["take", "nowhere", "-o", "x"], "nowhere: no such file or folder"),
        ("training.standoff", ["give"], "give"),
        ("eval.accuracy", [SEED, "a=nowhere", "-o", "x.md"], "x.md: No such file"),
        ("eval.bench.throughput", ["nowhere"], "nowhere"),
    ],
)
def test_the_tools_of_developers_too_say_it_in_one_line(
    tmp_path: Path, module: str, arguments: list[object], message: str
) -> None:
    command = [sys.executable, "-m", f"attackspan.{module}", *map(str, arguments)]
    assert_one_line_error(subprocess.run(command, cwd=tmp_path, capture_output=True), message)
    assert not list(tmp_path.iterdir())


def assert_one_line_error(done: subprocess.CompletedProcess[bytes], message: str) -> None:
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 2
    assert len(lines) == 1
    assert lines[0].startswith("attackspan: error: ")
    assert message in lines[0]
    assert not done.stdout
