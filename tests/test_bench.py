"""The arithmetic behind the benchmarks, and ``attackspan bench`` on the shipped model."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from samples import ROOT, SEED
from test_cli import run

from attackspan.eval.bench.compare import Ratio, articles, compare
from attackspan.eval.bench.installed import operations
from attackspan.eval.bench.scaling import long_document, paragraphs
from attackspan.eval.bench.training import time_to


def test_a_ratio_says_how_many_times_faster_ours_is() -> None:
    assert str(Ratio(1.0, 3.0, (3.0, 2.0, 5.0))) == "3.0x (2.0 to 5.0)"
    ratio = compare(lambda: None, lambda: time.sleep(0.01), rounds=3)
    assert ratio.ours < 0.01 <= ratio.theirs
    assert len(ratio.rounds) == 3
    assert min(ratio.rounds) > 1


def test_both_sides_run_in_turn() -> None:
    runs: list[str] = []
    compare(lambda: runs.append("ours"), lambda: runs.append("theirs"), rounds=2)
    assert runs == ["ours", "theirs"] * 3  # the first to warm up


def test_time_to_an_f1_lies_between_the_epochs_around_it() -> None:
    curve = [(0.0, 0.0), (10.0, 0.4), (20.0, 0.6), (30.0, 0.55)]
    assert time_to(curve, 0.5) == pytest.approx(15.0)
    assert time_to(curve, 0.6) == pytest.approx(20.0)
    with pytest.raises(Exception, match=r"70\.0 is not reached"):
        time_to(curve, 0.7)


def test_operations_are_two_for_each_weight_of_a_product() -> None:
    names = ("a", "b", "c")
    weights = [
        helper.make_tensor("w", TensorProto.INT8, [3, 5], np.ones(15, np.int8).tobytes(), raw=True),
        helper.make_tensor("bias", TensorProto.FLOAT, [5], np.ones(5, np.float32).tobytes(), raw=True),
    ]
    nodes = [helper.make_node("MatMulInteger", ["a", "w"], ["b"]), helper.make_node("Add", ["b", "bias"], ["c"])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.UINT8, [1, 3]) for name in names[:1]]
    outputs = [helper.make_tensor_value_info("c", TensorProto.INT32, [1, 5])]
    graph = helper.make_graph(nodes, "one", inputs, outputs, weights)
    assert operations(graph) == 30
    assert operations(onnx.load(ROOT / "model" / "default" / "encoder.onnx").graph) > 2e7  # 6 layers of MiniLM: 2.1e7


def test_the_texts_are_real_and_as_long_and_many_as_asked() -> None:
    assert len(long_document(5000)) == 5000
    assert len(long_document(300_000)) == 300_000
    assert sum(1 for _ in paragraphs(1234)) == 1234
    assert all(text.strip() for text in islice(paragraphs(50), 50))
    assert len(articles(70)) == 70


def test_bench_prints_every_figure(tmp_path: Path) -> None:
    shown = run("bench", SEED, "--seconds", "0.05").stdout.decode()
    for name in ("articles a second", "1,600 words", "cold start", "peak memory", "share of the peak"):
        assert name in shown
    (tmp_path / "empty.txt").write_text(" ")
    failed = run("bench", tmp_path / "empty.txt")
    assert failed.returncode == 2
    assert b"no text in it" in failed.stderr
