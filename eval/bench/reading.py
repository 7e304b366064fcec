"""Seconds of one core for each step between a packed file and a shard: what bounds a run at scale.

    python -m attackspan.eval.bench.reading [MODEL] [--articles 100] [--copies 20]

Processor time, not the clock's, so that other work on the machine does not count.
"""

from __future__ import annotations

import csv
import gzip
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq

import attackspan
from attackspan.commandline import run_command
from attackspan.document import Document
from attackspan.eval.bench.compare import articles, machine
from attackspan.model.checkpoint import DEFAULT
from attackspan.records import Columns, documents, read
from attackspan.shards import table


def rate(run: Callable[[], object], count: int) -> float:
    """Articles a second of processor time."""
    began = time.process_time()
    run()
    return count / (time.process_time() - began)


def inputs(folder: Path, texts: list[str]) -> list[Path]:
    """The same articles in every kind of file."""
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    lines = "\n".join(map(json.dumps, rows)).encode()
    sheet = StringIO(newline="")
    csv.writer(sheet).writerows([("id", "text"), *(row.values() for row in rows)])
    files = {
        "a.jsonl": lines,
        "a.jsonl.gz": gzip.compress(lines),
        "a.jsonl.zst": pa.compress(lines, codec="zstd", asbytes=True),
        "a.csv": sheet.getvalue().encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet", compression="zstd")
    return [*(folder / name for name in files), folder / "a.parquet"]


def read_all(path: Path) -> None:
    """Take every document of a file, and keep none."""
    for _ in documents(read([path], Columns("text"))):
        pass


@click.command()
@click.argument("model", default=str(DEFAULT))
@click.option("--articles", "count", default=100, show_default=True, help="Articles to label.")
@click.option("--copies", default=20, show_default=True, help="How often each is read and written.")
def main(model: str, count: int, copies: int) -> None:
    """Measure and print a Markdown table."""
    texts = articles(count)
    tagger = attackspan.load(model, threads=1)
    labelled: list[Document] = []
    predicting = rate(lambda: labelled.extend(tagger.predict(texts)), count)
    characters = sum(map(len, texts)) / count
    click.echo(f"{machine()}; {count} articles of {characters:,.0f} characters on average\n")
    click.echo("| step | articles a second of one core | times predicting |\n|---|---:|---:|")
    click.echo(f"| predict | {predicting:.1f} | 1 |")
    with tempfile.TemporaryDirectory() as folder:
        for path in inputs(Path(folder), texts * copies):
            reading = rate(partial(read_all, path), count * copies)
            click.echo(f"| read {path.name.removeprefix('a')} | {reading:,.0f} | {reading / predicting:,.0f} |")
        rows = labelled * copies
        writing = rate(lambda: pq.write_table(table(rows), BytesIO(), compression="zstd"), len(rows))
        click.echo(f"| write .parquet | {writing:,.0f} | {writing / predicting:,.0f} |")


if __name__ == "__main__":
    run_command(main)
