"""A checkpoint folder: each file what the manifest says, no pickle in it, written whole or not at all."""

from __future__ import annotations

import ast
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from samples import ROOT

import attackspan
from attackspan.errors import AttackspanError
from attackspan.model.checkpoint import DEFAULT, MANIFEST, alone, last_whole_epoch, verify, write_manifest

FILES = ("README.md", "config.json", "encoder.onnx", "relations.onnx", "tokenizer.json")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, tmp_path / "model"))


def test_a_manifest_lists_every_file_and_what_it_lists_is_verified(checkpoint: Path) -> None:
    (checkpoint / MANIFEST).unlink()
    write_manifest(checkpoint)
    assert sorted(json.loads((checkpoint / MANIFEST).read_text())["files"]) == sorted(FILES)
    assert (checkpoint / MANIFEST).read_bytes() == (DEFAULT / MANIFEST).read_bytes()
    verify(checkpoint, FILES)


@pytest.mark.parametrize("name", ["config.json", "encoder.onnx", "relations.onnx", "tokenizer.json"])
def test_a_truncated_file_is_an_error_that_names_it(checkpoint: Path, name: str) -> None:
    content = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(AttackspanError, match=rf"{name}: altered, its sha256 is not the one in manifest\.json"):
        attackspan.load(checkpoint)
    (checkpoint / name).write_bytes(b"")
    with pytest.raises(AttackspanError, match=f"{name}: altered"):
        attackspan.load(checkpoint)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": 2, "files": {}}', "checkpoint format 2; this version reads 1: update attackspan"),
        ('{"files": {}}', "checkpoint format None"),
        ('{"format": 1}', "it lists no files"),
        ('{"format": 1, "files": 5}', "it lists no files"),
        ('{"format": 1, "files": {}}', r"config\.json: not listed in manifest\.json"),
        ("[1]", "not a JSON object"),
        ('{"format": 1, ', "manifest.json: Expecting"),
        ("[" * 100_000, "manifest.json: "),
        ('{"format": ' + "1" * 5000 + "}", "manifest.json: "),
        (b"\xff", "manifest.json: 'utf-8'"),
    ],
)
def test_a_manifest_that_is_none_is_a_clear_error(checkpoint: Path, content: str | bytes, message: str) -> None:
    (checkpoint / MANIFEST).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AttackspanError, match=message) as caught:
        attackspan.load(checkpoint)
    assert len(str(caught.value).splitlines()) == 1


def test_a_graph_that_is_none_is_an_error_though_its_hash_is_right(checkpoint: Path) -> None:
    (checkpoint / "encoder.onnx").write_bytes(b"no graph")
    write_manifest(checkpoint)
    with pytest.raises(AttackspanError, match=r"encoder\.onnx: onnxruntime cannot read it"):
        attackspan.load(checkpoint)


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (checkpoint / MANIFEST).read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(AttackspanError, match=r"manifest\.json: No space left on device"):
        write_manifest(checkpoint)
    assert (checkpoint / MANIFEST).read_bytes() == before
    assert sorted(path.name for path in checkpoint.iterdir()) == sorted([*FILES, MANIFEST])


def test_a_checkpoint_holds_no_pickle() -> None:
    for path in DEFAULT.iterdir():
        assert path.suffix in {".json", ".md", ".onnx", ".safetensors"}
        assert path.read_bytes()[:2] not in {b"\x80\x02", b"\x80\x04", b"\x80\x05", b"PK"}  # pickles, torch's archives


def test_no_module_of_ours_reads_or_writes_pickles() -> None:
    modules = [path for name in ("attackspan", "model", "training", "eval") for path in (ROOT / name).rglob("*.py")]
    assert len(modules) > 50
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"pickle", "dill", "joblib", "shelve"}, path
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in {"torch.load", "torch.save", "eval", "exec"}, path


def test_the_last_whole_epoch_is_the_newest_whose_state_was_written(tmp_path: Path) -> None:
    assert last_whole_epoch(tmp_path / "none") is None
    assert last_whole_epoch(tmp_path) is None
    for step in (9, 10, 11, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert last_whole_epoch(tmp_path) is None
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-11" / "trainer_state.json").write_text('{"epoch": 1.0, "glo')
    assert last_whole_epoch(tmp_path) == str(tmp_path / "checkpoint-10")


HOLD = "import sys, time; from pathlib import Path; from attackspan.model.checkpoint import alone\n\
with alone(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"


def test_a_second_run_on_a_folder_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE)
    assert first.stdout and first.stdout.readline() == b"held\n"
    with pytest.raises(AttackspanError, match="another run is at work there; choose another output="), alone(tmp_path):
        pass
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    with alone(tmp_path):
        assert not list(tmp_path.iterdir())
