"""Kills ``attackspan predict --to parquet`` at random moments and resumes it: its bytes are those of a run left alone.

    python -m attackspan.eval.bench.kills [--kills 20] [--copies 5]

The input is the seeds of seeds/test, some of them broken, as packed JSON lines, CSV and Parquet.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq

from attackspan import formats
from attackspan.commandline import run_command
from attackspan.eval.bench.compare import ROOT

SHARD = 7


def write_inputs(folder: Path, copies: int) -> None:
    """Three files of records, with a few that are no documents: no JSON, no text, no id, a damaged end."""
    folder.mkdir()
    seeds = [document for document in formats.read([ROOT / "seeds" / "test"]) for _ in range(copies)]
    rows = [{"url": f"{document.id}-{at}", "body": document.text[:400]} for at, document in enumerate(seeds)]
    lines = ["{", *map(json.dumps, rows[::3]), '{"url": "none"}']
    (folder / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode())[:-9])
    with (folder / "b.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerows([("url", "body"), ("alone",), *(tuple(row.values()) for row in rows[1::3])])
    broken = {"url": None, "body": "Rebels attacked."}
    pq.write_table(pa.Table.from_pylist([*rows[2::3], broken]), folder / "c.parquet", row_group_size=5)


def start(inputs: Path, output: Path) -> subprocess.Popen[bytes]:
    """A run that goes on with what is in the output folder."""
    options = ["--text-column", "body", "--id-column", "url", "--shard-size", str(SHARD), "--resume"]
    command = [sys.executable, "-m", "attackspan", "predict", str(inputs), "--to", "parquet", "-o", str(output)]
    return subprocess.Popen([*command, *options], stderr=subprocess.PIPE)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kill_and_compare(folder: Path, kills: int, copies: int, seed: int) -> list[int]:
    """Kill runs, each at a random moment of a whole run's time, and resume them until they end.

    A run that ends before its moment is compared, and the next one begins from nothing, until there were so many kills.

    Returns:
        The shards that were there at each kill.

    Raises:
        AssertionError: a run that was killed and resumed wrote other bytes than the one left alone.
    """
    inputs, alone, killed = folder / "inputs", folder / "alone", folder / "killed-0"
    write_inputs(inputs, copies)
    began = time.monotonic()
    status = start(inputs, alone).wait()
    seconds = time.monotonic() - began
    expected = bytes_of(alone)
    draw = random.Random(seed)
    found: list[int] = []
    while True:
        run = start(inputs, killed)
        try:
            if len(found) < kills:
                run.wait(draw.uniform(0, seconds))
            ended = run.wait()
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            found.append(len(list(killed.glob("shard-*.parquet"))))
            continue
        assert ended == status == 1, f"exit status {ended}"
        assert bytes_of(killed) == expected, f"{killed} is not {alone}"
        if len(found) == kills:
            return found
        killed = folder / f"killed-{len(found)}"


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option("--copies", default=5, show_default=True, help="How often each seed is in the input.")
@click.option("--seed", default=1, show_default=True)
def main(kills: int, copies: int, seed: int) -> None:
    """Print how far each killed run had come."""
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_compare(Path(folder), kills, copies, seed)
        shards = len(list(Path(folder, "alone").glob("shard-*.parquet")))
        errors = len(Path(folder, "alone", "errors.jsonl").read_text("utf-8").splitlines())
    click.echo(
        f"{len(found)} kills, at {', '.join(map(str, found))} of {shards} shards; {errors} records in errors.jsonl"
    )
    click.echo("every run that was killed and resumed wrote the bytes of the run left alone")


if __name__ == "__main__":
    run_command(main)
