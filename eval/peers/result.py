"""A peer's run on one training and one test set: its cost and what it predicted, kept in files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from attackspan import formats
from attackspan.document import Document
from attackspan.eval.bench.compare import machine
from attackspan.eval.peers.environment import python_of, run
from attackspan.eval.peers.found import blank
from attackspan.eval.peers.ours import PARTS
from attackspan.eval.peers.roster import OURS, Peer
from attackspan.model.checkpoint import sha256


@dataclass(frozen=True, slots=True)
class Task:
    """What every peer is given: the folder of the runs with the data as files, our checkpoint, seed, cores."""

    folder: Path
    model: Path
    seed: int
    cores: int
    epochs: float | None
    hashes: Mapping[str, str] = field(hash=False)

    @classmethod
    def prepare(
        cls,
        folder: Path,
        data: Mapping[str, list[Document]],
        model: Path,
        seed: int,
        cores: int,
        epochs: float | None,
    ) -> Task:
        """Write the data: ``train`` as it is, ``test`` without its spans, so that no peer sees what it is scored by."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, documents in data.items():
            formats.write(documents, folder / f"{name}.jsonl")
        hashes = {f"{name}_sha256": sha256(folder / f"{name}.jsonl") for name in data}
        formats.write(map(blank, data["test"]), folder / "blank.jsonl")
        return cls(folder, model, seed, cores, epochs, hashes)


@dataclass(frozen=True, slots=True)
class Result:
    """What a peer cost (the adapter's report) and what it predicted."""

    peer: Peer
    report: Mapping[str, Any] = field(hash=False)
    predicted: tuple[Document, ...]

    @property
    def rate(self) -> float:
        """Documents a second."""
        return float(len(self.predicted) / self.report["predict_seconds"])


def measured(peer: Peer, task: Task, *, run_it: bool, again: bool = False) -> Result | None:
    """The peer's result: the kept one, or that of a run now, or None where it has none and is not to run.

    With ``again`` a kept one predicts anew with the model that it trained; its training's cost stays as it was.

    Raises:
        click.ClickException: the kept result is of other data, seed, epochs or model, or the run fails.
    """
    report, predicted = task.folder / f"{peer.name}.json", task.folder / f"{peer.name}.jsonl"
    inputs = dict(task.hashes)
    if peer.name == OURS:
        inputs |= {name: sha256(task.model / name) for name in PARTS}
    if peer.trains:
        inputs |= {"seed": str(task.seed)}
    if fresh := not report.exists():
        if not run_it:
            return None
        found = _run(peer, task, predicted)
        report.write_text(json.dumps({**found, "machine": machine(), "inputs": inputs}, indent=1) + "\n")
    kept = json.loads(report.read_text())
    wrong = [name for name, value in inputs.items() if kept["inputs"].get(name) != value]
    if peer.trains and task.epochs is not None and kept["epochs"] != task.epochs:
        wrong.append("epochs")
    if wrong:
        raise click.ClickException(
            f"{report} was made with another {', '.join(wrong)}; delete it to run {peer.name} again"
        )
    if again and run_it and not fresh:
        found = _run(peer, task, predicted, trained=True)
        kept |= {name: value for name, value in found.items() if value is not None} | {"machine": machine()}
        report.write_text(json.dumps(kept, indent=1) + "\n")
    return Result(peer, kept, tuple(formats.read([predicted])))


def _run(peer: Peer, task: Task, output: Path, *, trained: bool = False) -> dict[str, Any]:
    """Run the adapter on the task's cores."""
    model = task.model if peer.name == OURS else task.folder / f"model-{peer.name}"
    command = [
        str(python_of(peer.environment, task.folder)),
        *("-m", f"{__package__}.{peer.module}"),
        *(str(task.folder / "train.jsonl"), str(task.folder / "blank.jsonl"), str(output)),
        *("--model", str(model), "--seed", str(task.seed)),
    ]
    if peer.trains:
        from attackspan.training.encoder import packaged_encoder  # and torch with it, only where one may need it

        command += ["--encoder", str(packaged_encoder())]
    if trained:
        command.append("--trained")
    if task.epochs is not None and peer.trains:
        command += ["--epochs", f"{task.epochs:g}"]
    threads = os.environ.get("OMP_NUM_THREADS", str(task.cores))
    settings = {"OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    click.echo(f"{peer.name}: running", err=True)
    found: dict[str, Any] = json.loads(run(command, {**os.environ, **settings}).splitlines()[-1])
    minutes = f", trained in {found['train_seconds'] / 60:.1f} min" if found["train_seconds"] else ""
    click.echo(f"{peer.name}: done{minutes}, predicted in {found['predict_seconds']:.1f} s", err=True)
    return found
