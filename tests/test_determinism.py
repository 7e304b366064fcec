"""The same seed on the same machine gives the same weights, also where the run is killed on its way."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from samples import ROOT

from attackspan.model.checkpoint import MANIFEST, last_whole_epoch, sha256
from attackspan.schema import default_schema
from attackspan.training.build import build
from attackspan.training.encoder import load_tokenizer

STEPS = 4
"""Of an epoch: the windows of four seeds in batches of 8."""


@pytest.fixture(scope="module")
def runs(small_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs ``whole``, ``again``, ``other`` (another seed) and ``killed``, each up to its export."""
    folder = tmp_path_factory.mktemp("runs")
    seeds = sorted((ROOT / "seeds" / "dev").glob("*.xml"))[:6]
    tokenizer = load_tokenizer("packaged")
    build({"train": seeds[:4], "validation": seeds[4:]}, folder / "data", default_schema(), tokenizer)
    draw = random.Random()
    # In the first epoch, while its checkpoint is written, in the second epoch, while the final weights are exported.
    killed = [f"step {draw.randrange(STEPS)}", "state", f"step {STEPS + draw.randrange(STEPS)}", "export", "export"]
    lines = [("1", "whole", "export"), ("1", "again", "export"), ("2", "other", "export"), ("1", "killed", *killed)]
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "tests" / "killed.py", ROOT / "configs" / "default.yaml"),
            *(f"data={folder / 'data'}", f"encoder={small_encoder}", "epochs=2", "window=100", "overlap=20"),
            *("precision=fp32", "learning_rate=1e-3"),
        ],
        input="\n".join("\t".join((seed, str(folder / name), *moments)) for seed, name, *moments in lines),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def weights(run: Path) -> str:
    assert not (run / MANIFEST).exists()  # without one, a folder is no checkpoint
    return sha256(run / "model.safetensors")


def epochs(run: Path) -> list[dict[str, float]]:
    """The figures of every epoch, those of the clock left out."""
    newest = last_whole_epoch(run / "epochs")
    assert newest
    history = json.loads((Path(newest) / "trainer_state.json").read_text("utf-8"))["log_history"]
    return [{key: value for key, value in entry.items() if "second" not in key} for entry in history]


def test_two_runs_of_one_seed_are_equal_to_the_last_bit(runs: Path) -> None:
    assert weights(runs / "again") == weights(runs / "whole")
    assert epochs(runs / "again") == epochs(runs / "whole")
    assert len(epochs(runs / "whole")) > STEPS


def test_another_seed_gives_other_weights(runs: Path) -> None:
    assert weights(runs / "other") != weights(runs / "whole")


def test_a_run_killed_at_any_step_goes_on_to_the_same_weights(runs: Path) -> None:
    assert weights(runs / "killed") == weights(runs / "whole")
