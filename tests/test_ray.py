"""Prediction on a Ray cluster, started here with one CPU; skipped where Ray is not installed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from samples import SEED, file

from attackspan.cli.predicting import predict
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats import read_xml
from attackspan.model.predictor import Tagger

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # else its workers wait for whatever else runs here
        ray.init(num_cpus=1, include_dashboard=False, logging_level=logging.ERROR, object_store_memory=80_000_000)
        yield
        ray.shutdown()


def test_a_cluster_writes_what_one_machine_predicts(
    cluster: None, tagger: Tagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    monkeypatch.chdir(tmp_path)  # the cluster was started elsewhere
    text = read_xml(SEED).text
    rows = [json.dumps({"url": f"u{n}", "body": text[n * 300 : n * 300 + 300]}) for n in range(4)]
    file(tmp_path, "in/a.jsonl", "\n".join(rows[:2]))
    path = file(tmp_path, "in/b.jsonl", "\n".join(["{", *rows[2:]]))
    command = [f"file://{tmp_path}/in", "--engine", "ray", "--to", "parquet", "-o", "out"]
    command += ["--text-column", "body", "--id-column", "url"]
    done = CliRunner().invoke(predict, command, standalone_mode=False)
    assert (done.exception, done.return_value) == (None, 1)
    rows = [row for shard in (tmp_path / "out").glob("*.parquet") for row in pq.ParquetFile(shard).read().to_pylist()]
    for row in rows:
        for span in row["spans"]:
            span["attributes"] = dict(span["attributes"])
    expected = tagger.predict(Document(f"u{n}", text[n * 300 : n * 300 + 300]) for n in range(4))
    assert sorted(rows, key=lambda row: row["id"]) == [document.to_dict() for document in expected]
    (errors,) = (tmp_path / "out").glob("errors-*.jsonl")
    (error,) = map(json.loads, errors.read_text().splitlines())
    assert (error["file"], error["record"]) == (str(path), 1)
    again = CliRunner().invoke(predict, command, standalone_mode=False)
    assert str(again.exception) == "out: not empty; choose another output"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("none.csv", [], "none.csv: no such file or folder"),
        ("a.txt", [], "a.txt: no file to read; on Ray the known endings are .jsonl,"),
        ("a.csv", ["--model", "./nowhere"], "./nowhere: no such folder"),
    ],
)
def test_what_is_wrong_is_said_before_a_cluster_is_asked(
    name: str, options: list[str], message: str, tmp_path: Path
) -> None:
    for exists in ("a.txt", "a.csv"):
        file(tmp_path, exists, "text\nx")
    command = [str(tmp_path / name), "--engine", "ray", "--to", "parquet", "-o", str(tmp_path / "out"), *options]
    done = CliRunner().invoke(predict, command, standalone_mode=False)
    assert isinstance(done.exception, AttackspanError)
    assert message in str(done.exception)
    assert not (tmp_path / "out").exists()
