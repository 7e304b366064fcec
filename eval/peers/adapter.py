"""What every adapter shares: its command line, and how it is measured.

    python -m attackspan.eval.peers.ADAPTER TRAIN TEST OUTPUT --model FOLDER [--epochs N] [--encoder FOLDER] [--seed N]

TRAIN, TEST and OUTPUT are documents in JSON lines. An adapter writes the documents of TEST as it labels them into
OUTPUT and prints one line of JSON on standard output; its progress goes to standard error. It trains in a process of
its own, so the memory of predicting is not that of training; with --trained it takes the model that FOLDER holds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from attackspan.document import Document
from attackspan.eval.peers.found import blank
from attackspan.formats import read, write

WARM_UP = 8  # documents
ROUNDS, SECONDS = 5, 30.0  # at most so many passes over TEST, and no further one after so many seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train: ``epochs`` (iterations, for a CRF), the folder of the encoder, where there is one, and the seed."""

    epochs: float
    encoder: str
    seed: int


Train = Callable[[Sequence[Document], Path, Settings], None]
"""Trains on documents and writes what prediction needs into a folder."""
Predict = Callable[[Sequence[Document]], Iterable[Document]]
Load = Callable[[Path], Predict]
"""Opens what a ``Train`` wrote."""


def main(load: Load, train: Train | None = None, epochs: float = 0, parts: Sequence[str] = ("**/*",)) -> None:
    """Run an adapter.

    Args:
        load: opens a trained model.
        train: trains one; None where there is nothing to train.
        epochs: how long it trains unless told.
        parts: patterns of the files in the model's folder that predicting needs, for the size on disk.
    """
    parser = argparse.ArgumentParser()
    for name in ("train", "test", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=epochs)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--only-train", action="store_true")
    parser.add_argument("--trained", action="store_true")
    options = parser.parse_args()
    settings = Settings(options.epochs, options.encoder, options.seed)
    report = {"epochs": settings.epochs if train else None, "train_seconds": None, "train_peak_mb": None}
    with contextlib.redirect_stdout(sys.stderr):  # what libraries print is no part of the report
        if train and options.only_train:
            documents = list(read([options.train]))
            options.model.mkdir(parents=True, exist_ok=True)
            began = time.perf_counter()
            train(documents, options.model, settings)
            report = {"train_seconds": time.perf_counter() - began, "train_peak_mb": peak_mb()}
        else:
            if train and not options.trained:
                report |= _train_apart()
            report |= _measure(load(options.model), options.test, options.output)
            files = {file for part in parts for file in options.model.glob(part) if file.is_file()}
            report |= {"peak_mb": peak_mb(), "model_mb": sum(file.stat().st_size for file in files) / 2**20}
    print(json.dumps(report))


def say(message: str) -> None:
    """Print a line of progress."""
    print(message, file=sys.stderr, flush=True)


def peak_mb() -> float:
    """The most memory that this process ever held.

    Not ``ru_maxrss`` where Linux tells better: a new process inherits that from the one that started it.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found.group(1)) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def _train_apart() -> dict[str, float]:
    """Train in a process of its own: this same command, told only to train."""
    spec = sys.modules["__main__"].__spec__
    assert spec is not None, "an adapter is run by python -m"
    command = [sys.executable, "-m", spec.name, *sys.argv[1:], "--only-train"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    report: dict[str, float] = json.loads(done.stdout)
    return report


def _measure(predict: Predict, test: Path, output: Path) -> dict[str, float]:
    """Predict, once to warm up and then timed; the seconds are the median pass's."""
    documents = [blank(document) for document in read([test])]
    list(predict(documents[:WARM_UP]))
    predicted: list[Document] = []
    times: list[float] = []
    while len(times) < ROUNDS and sum(times) < SECONDS:
        began = time.perf_counter()
        predicted = list(predict(documents))
        times.append(time.perf_counter() - began)
        say(f"predicted {len(documents)} documents in {times[-1]:.2f} s")
    write(predicted, output)
    return {"predict_seconds": statistics.median(times), "passes": len(times)}
