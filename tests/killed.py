"""Trains in processes that are killed with SIGKILL: ``python tests/killed.py CONFIG KEY=VALUE…``, with runs on stdin.

Each line of stdin is a run: its seed, its output and its moments, parted by tabs. A moment is ``step N``, before the
N-th step of its process; ``state``, when a checkpoint is half written; ``export``, when the final weights are saved.
For each moment a process starts the run, or goes on with it, and dies then. All are forked from this one, which imports
torch once.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from transformers import Trainer

from attackspan.training import train
from attackspan.training.config import load_config


def die(*args: object, **kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(moment: str, config: Path, overrides: list[str]) -> None:
    """Train until the moment comes."""
    kind, _, number = moment.partition(" ")
    if kind == "step":
        left = int(number)
        step = train.SpanTrainer.training_step

        def counted(self: Trainer, *args: object, **kwargs: object) -> object:
            nonlocal left
            left -= 1
            return die() if left < 0 else step(self, *args, **kwargs)  # type: ignore[arg-type]

        train.SpanTrainer.training_step = counted  # type: ignore[assignment,method-assign]
    elif kind == "state":
        train.SpanTrainer._save_rng_state = die  # type: ignore[method-assign]
    else:
        train.export = die
    train.train(load_config(config, overrides))


def main() -> None:
    for line in sys.stdin.read().splitlines():
        seed, output, *moments = line.split("\t")
        for moment in moments:
            child = os.fork()
            if not child:
                run(moment, Path(sys.argv[1]), [*sys.argv[2:], f"seed={seed}", f"output={output}"])
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if (code := os.waitstatus_to_exitcode(status)) != -signal.SIGKILL:
                sys.exit(f"{line}: at {moment!r} not killed, but {code}")


if __name__ == "__main__":
    main()
