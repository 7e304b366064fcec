"""Time to the same F1 on validation, against transformers' Trainer as it comes: fp32, batches of random windows.

    python -m attackspan.eval.bench.training DATASET [--epochs 8] [--plot docs/training.png] [key=value ...]

Both sides train the same network from the packaged encoder with the same rates, batch size and seed; they differ in
precision, in which windows share a batch, and in how memory is kept (``training/memory.py``). Each side is a process;
they run an epoch in turn, so that whatever else the machine does falls on both, and only the time of an epoch, its
evaluation included, counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback

from attackspan.commandline import run_command
from attackspan.eval.bench.compare import ROOT, machine
from attackspan.training import train
from attackspan.training.config import load_config
from attackspan.training.examples import Example
from attackspan.training.memory import TUNABLES

SIDES = {"attackspan": (), "Trainer as it comes": ("precision=fp32",)}
ENVIRONMENTS = {"attackspan": {"GLIBC_TUNABLES": TUNABLES}, "Trainer as it comes": {}}
Curve = list[tuple[float, float]]  # seconds of training so far, F1


class _Turns(TrainerCallback):
    """Waits for its turn before each epoch, and says after it how long it took and what it reached."""

    def on_epoch_begin(self, *args: Any, **kwargs: Any) -> None:
        if not sys.stdin.readline():
            raise SystemExit(0)
        self.began = time.perf_counter()

    def on_evaluate(self, *args: Any, **kwargs: Any) -> None:
        seconds = time.perf_counter() - self.began
        click.echo(json.dumps([seconds, kwargs["metrics"]["eval_f1"]]), file=sys.__stdout__)
        sys.__stdout__.flush()  # type: ignore[union-attr]


class _Clocked(train.SpanTrainer):
    """The trainer, taking turns; with transformers' batches where its side is plain."""

    def __init__(self, *args: Any, plain: bool, **kwargs: Any) -> None:
        kwargs["args"].disable_tqdm = True
        super().__init__(*args, **kwargs)
        self.plain = plain
        self.add_callback(_Turns())

    def get_train_dataloader(self) -> DataLoader[Example]:
        return Trainer.get_train_dataloader(self) if self.plain else super().get_train_dataloader()


def run_side(name: str, overrides: list[str]) -> None:
    """Train one side in this process."""
    train.SpanTrainer = lambda *args, **kwargs: _Clocked(*args, plain=bool(SIDES[name]), **kwargs)  # type: ignore
    with contextlib.redirect_stdout(sys.stderr):  # what the Trainer prints; ours goes past it
        train.train(load_config(ROOT / "configs" / "default.yaml", [*overrides, *SIDES[name]]))


def curves(overrides: list[str], epochs: int) -> dict[str, Curve]:
    """Both sides' training seconds and F1 after each epoch."""
    found: dict[str, Curve] = {name: [(0.0, 0.0)] for name in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        sides = {}
        for name in SIDES:
            settings = [*overrides, f"epochs={epochs}", f"patience={epochs}", f"output={folder}/{name.split()[0]}"]
            command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--side", name, *settings]
            sides[name] = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=os.environ | ENVIRONMENTS[name],
            )
        for _ in range(epochs):
            for name, side in sides.items():
                assert side.stdin and side.stdout
                side.stdin.write("go\n")
                side.stdin.flush()
                line = side.stdout.readline()
                if not line:
                    raise click.ClickException(f"{name}: training stopped with exit status {side.wait()}")
                seconds, f1 = json.loads(line)
                found[name].append((found[name][-1][0] + seconds, f1))
                click.echo(f"{name}: {found[name][-1][0]:.0f} s, {100 * f1:.1f}", err=True)
        for side in sides.values():
            side.kill()
            side.wait()
    return found


def time_to(curve: Curve, f1: float) -> float:
    """Seconds until the F1 is reached, on the straight line between two epochs."""
    for (before, low), (after, high) in pairwise(curve):
        if high >= f1:
            return before + (after - before) * (f1 - low) / (high - low)
    raise click.ClickException(f"F1 {100 * f1:.1f} is not reached in these epochs")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("dataset")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]…")
@click.option("--epochs", default=8, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw it, into this file (needs matplotlib).")
def main(dataset: str, overrides: tuple[str, ...], epochs: int, plot: Path | None) -> None:
    """Measure and print a Markdown table: the time to shares of the F1 that both sides reach."""
    ours, theirs = curves([f"data={dataset}", *overrides], epochs).values()
    common = min(max(f1 for _, f1 in curve) for curve in (ours, theirs))
    click.echo(f"{machine()}; {dataset}, {epochs} epochs in turn, seed as in configs/default.yaml\n")
    click.echo("| strict F1 | attackspan, s | Trainer as it comes, s | ratio |\n|---:|---:|---:|---:|")
    for share in (0.9, 0.95, 1.0):
        pair = (time_to(ours, share * common), time_to(theirs, share * common))
        click.echo(f"| {100 * share * common:.1f} | {pair[0]:.0f} | {pair[1]:.0f} | {pair[1] / pair[0]:.1f}x |")
    click.echo(
        f"| all {epochs} epochs | {ours[-1][0]:.0f} | {theirs[-1][0]:.0f} | {theirs[-1][0] / ours[-1][0]:.1f}x |"
    )
    if plot:
        draw(dict(zip(SIDES, (ours, theirs), strict=True)), plot)


def draw(found: dict[str, Curve], path: Path) -> None:
    """F1 over the seconds of training."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    for (name, curve), color in zip(found.items(), ("#1f5a7a", "#b5482a"), strict=True):
        axis.plot([s for s, _ in curve], [100 * f1 for _, f1 in curve], "o-", color=color, label=name)
    axis.set_xlabel("seconds of training, evaluation included")
    axis.set_ylabel("strict micro F1 on validation")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    axis.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        run_side(sys.argv[2], sys.argv[3:])
    else:
        run_command(main)
