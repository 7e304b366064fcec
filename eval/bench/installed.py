"""What a checkpoint does on this machine: throughput, latency, cold start, memory, and its share of the int8 peak.

Behind ``attackspan bench``. Needs onnx, for the matrix product that the peak is measured by.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from rich.console import Console
from rich.table import Table

from attackspan.eval.bench.compare import machine
from attackspan.model.checkpoint import locate
from attackspan.model.predictor import Tagger

LATENCY_WORDS = (100, 400, 1600)


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds for a single article of so many words: the median, and what 19 in 20 stay below."""

    words: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one checkpoint on one machine.

    Attributes:
        articles: articles a second, many at once.
        tokens: tokens a second, many articles at once.
        latency: of single articles.
        cold_start: seconds from a new process to the first spans.
        memory: most memory of that process, in MB.
        peak: int8 operations a second of a large matrix product, in 10^9.
        reached: the same in the encoder's products with weights, over its whole time on full windows.
    """

    articles: float
    tokens: float
    latency: tuple[Latency, ...]
    cold_start: float
    memory: float
    peak: float
    reached: float


def bench(tagger: Tagger, name: str, texts: Sequence[str], seconds: float = 5.0) -> Measured:
    """Measure a tagger, opened from the checkpoint ``name``, on the user's own texts.

    Args:
        tagger: the open checkpoint.
        name: the folder or hub id that it was opened from, for a process of its own.
        texts: some dozens of articles.
        seconds: how long each figure is measured.
    """
    tokens = [len(one) for one in tagger.tokenizer.encode(texts)]
    runs = _times(lambda: list(tagger.predict(texts)), seconds)
    running = " ".join(texts).split()
    latency = []
    for words in LATENCY_WORDS:
        text = " ".join((running * (words // len(running) + 1))[:words])
        times = _times(lambda text=text: tagger.predict(text), seconds)  # type: ignore[misc]
        latency.append(Latency(words, *np.percentile(times, (50, 95)).tolist()))
    cold_start, memory = _cold_start(name, texts[0])
    best = float(np.median(runs))
    return Measured(
        articles=len(texts) / best,
        tokens=sum(tokens) / best,
        latency=tuple(latency),
        cold_start=cold_start,
        memory=memory,
        peak=_peak(seconds),
        reached=_reached(tagger, name, seconds),
    )


def show(measured: Measured) -> None:
    """Print the figures as a table."""
    table = Table(box=None, show_header=False, title=machine(), title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("articles a second", f"{measured.articles:.1f}")
    table.add_row("tokens a second", f"{measured.tokens:,.0f}")
    for one in measured.latency:
        table.add_row(f"one article of {one.words:,} words: p50, p95", f"{1000 * one.p50:.0f}, {1000 * one.p95:.0f} ms")
    table.add_row("cold start, a new process to its first spans", f"{measured.cold_start:.2f} s")
    table.add_row("peak memory of that process", f"{measured.memory:.0f} MB")
    table.add_row("int8 matrix product, this machine's peak", f"{measured.peak:,.0f} GOPS")
    table.add_row("the encoder's products over its whole time", f"{measured.reached:,.0f} GOPS")
    table.add_row("share of the peak", f"{measured.reached / measured.peak:.0%}")
    Console().print(table)


def operations(graph: onnx.GraphProto) -> int:
    """Multiplications and additions that a graph's products with weights take for one token; attention is left out."""
    sizes = {one.name: int(np.prod(one.dims)) for one in graph.initializer if len(one.dims) == 2}
    products = [node for node in graph.node if node.op_type in ("MatMul", "MatMulInteger", "Gemm")]
    return 2 * sum(sizes.get(node.input[1], 0) for node in products)


def _reached(tagger: Tagger, name: str, seconds: float) -> float:
    """10^9 operations a second in the encoder's products on full windows, one for each thread at a time."""
    each = operations(onnx.load(locate(name) / "encoder.onnx").graph)
    random = np.random.default_rng(0)
    window = np.concatenate(
        (tagger.tokenizer.prefix, random.integers(1000, 20_000, tagger.settings.window), tagger.tokenizer.suffix)
    ).astype(np.int64)
    full = [window] * 32
    fastest = float(np.median(_times(lambda: list(tagger.session.encode(full)), seconds)))
    return each * len(full) * len(window) / fastest / 1e9


def _peak(seconds: float, size: int = 2048) -> float:
    """10^9 int8 operations a second in one large square matrix product under the same runtime."""
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "peak",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [size, size])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [size, size])],
        [helper.make_tensor("b", TensorProto.INT8, [size, size], np.ones(size * size, np.int8).tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    left = np.ones((size, size), np.uint8)
    return 2 * size**3 / float(np.median(_times(lambda: session.run(None, {"a": left}), seconds))) / 1e9


def _cold_start(name: str, text: str) -> tuple[float, float]:
    """Seconds and MB of ``attackspan predict`` on one article, as a process."""
    code = (
        "import resource, subprocess, sys, time; began = time.perf_counter();"
        "subprocess.run([sys.executable, '-m', 'attackspan', 'predict', '-', '--model', sys.argv[1]],"
        " stdout=subprocess.DEVNULL, check=True);"
        "print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    runs = []
    for _ in range(3):
        command = [sys.executable, "-c", code, name]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        runs.append([float(figure) for figure in done.stdout.split()])
    seconds, memory = np.median(runs, axis=0)
    return float(seconds), float(memory) / (1024**2 if sys.platform == "darwin" else 1024)


def _times(run: Callable[[], object], seconds: float) -> list[float]:
    """Seconds of each run, over about so many seconds and three runs at least; one run to warm up."""
    run()
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return times
