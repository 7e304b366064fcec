"""Runs that are killed: ``python -m attackspan.eval.bench.kills`` is the long form of this test."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from attackspan.eval.bench.kills import kill_and_compare


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_runs_killed_at_random_moments_and_resumed_write_the_bytes_of_one_left_alone(tmp_path: Path) -> None:
    kills = int(os.environ.get("ATTACKSPAN_KILLS", "2"))
    assert len(kill_and_compare(tmp_path, kills, copies=1, seed=3)) == kills
    errors = [json.loads(line) for line in (tmp_path / "alone" / "errors.jsonl").read_text("utf-8").splitlines()]
    assert [Path(row["file"]).name for row in errors] == ["a.jsonl.gz", "a.jsonl.gz", "b.csv", "c.parquet"]
