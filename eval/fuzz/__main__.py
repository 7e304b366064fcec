"""Fuzz the doors: damage their seed inputs at random and see that each is read rightly or refused, within bounds.

    python -m attackspan.eval.fuzz                         # in the repository: 30 000 inputs for each door
    python -m attackspan.eval.fuzz xml jsonl -n 500 --seed 7

Exit status 1 where a promise broke; the input that did it is kept in the folder fuzz-findings/.
"""

from __future__ import annotations

import gc
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import click

from attackspan.commandline import run_command
from attackspan.eval.fuzz.doors import Case, Door, doors

SECONDS = 10
"""Most processor time that one input may take."""
MEMORY = 4 << 30
"""Most bytes of address space that the whole run may take."""
SLOW = ("config", "predict")
"""Doors that get a tenth of the inputs: what stands behind them takes far longer."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a door's inputs: how many were read and refused, the slowest, and each kind of failure's first."""

    inputs: int
    read: int
    slowest: float
    failures: dict[str, Case]


def fuzz(door: Door, inputs: int, seed: int, folder: Path) -> Result:
    """Let damaged inputs in at a door.

    Args:
        door: what to fuzz.
        inputs: how many.
        seed: of the damages; the same seed damages alike.
        folder: where their files are put.
    """
    draw = Random(seed)
    read, slowest = 0, 0.0
    failures: dict[str, Case] = {}
    for number in range(inputs):
        if number % 500 == 0:
            gc.collect()  # an error holds its frames, and their files open, until the collector comes
        case = door.case(draw)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            read += door.check(case, folder)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            failures.setdefault(_kind(error), case)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - began)
    return Result(inputs, read, slowest, failures)


def _kind(error: Exception) -> str:
    """Failures that come from the same place are of one kind."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {str(error)[:200]}"


def _stop(signum: int, frame: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


@click.command()
@click.argument("names", metavar="[DOOR]…", nargs=-1)
@click.option("-n", "--inputs", default=30_000, show_default=True, help="For each door.")
@click.option("--seed", default=0, show_default=True)
@click.option("--findings", type=click.Path(path_type=Path), default=Path("fuzz-findings"), show_default=True)
def main(names: tuple[str, ...], inputs: int, seed: int, findings: Path) -> None:
    """Fuzz the DOORs, by default all of them, and print a table in Markdown."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _stop)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        known = doors(Path(scratch))
        if unknown := set(names) - known.keys():
            raise click.BadParameter(f"{', '.join(sorted(unknown))}; known are {', '.join(known)}")
        click.echo("| door | inputs | read | refused | slowest, s | failures |\n|---|---:|---:|---:|---:|---:|")
        for name in names or known:
            count = inputs // 10 if name in SLOW else inputs
            found = fuzz(known[name], count, seed, Path(scratch))
            counts[name] = len(found.failures)
            refused = found.inputs - found.read
            row = (
                f"| {name} | {found.inputs} | {found.read} | {refused} | {found.slowest:.2f} | {len(found.failures)} |"
            )
            click.echo(row)
            for number, (kind, case) in enumerate(found.failures.items()):
                click.echo(f"{name}: {kind}", err=True)
                place = findings / f"{name}-{number}"
                place.mkdir(parents=True, exist_ok=True)
                for file, content in case.items():
                    (place / file).write_bytes(content)
    sys.exit(bool(counts.total()))


if __name__ == "__main__":
    run_command(main)
