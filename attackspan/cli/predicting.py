"""Commands that run a model: predict, bench."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import click

from attackspan import formats, records
from attackspan.cli.support import PATHS, extra, stdin_as_file, write
from attackspan.errors import AttackspanError
from attackspan.records import Columns, Record


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--model", help="A checkpoint folder or hub id. Default: the model that ships with attackspan.")
@click.option(
    "--from", "ending", type=click.Choice(["txt", "jsonl", "xml"]), default="txt", help="What - (stdin) holds."
)
@click.option("--to", type=click.Choice(["view", "jsonl", "parquet"]),
              help="Default: view on a terminal, jsonl elsewhere. parquet: a folder of shards, see -o.")  # fmt: skip
@click.option("-o", "--output", help="Write a file or a folder instead; an ending says the format.")
@click.option("--text-column", help="The column or JSON key that holds the text. Default: text.")
@click.option("--id-column", help="The one that holds the id. Default: id, where there is one.")
@click.option("--shard-size", default=10_000, show_default=True, type=click.IntRange(1), help="Documents of a shard.")
@click.option("--resume", is_flag=True, help="Go on with the shards that a killed run wrote.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
              help="ray: on a Ray cluster (RAY_ADDRESS, or here), from and to any fsspec address.")  # fmt: skip
def predict(
    paths: tuple[str, ...],
    model: str | None,
    ending: str,
    to: str | None,
    output: str | None,
    text_column: str | None,
    id_column: str | None,
    shard_size: int,
    resume: bool,
    engine: str,
) -> int:
    """Label documents: files or folders of text, JSONL, CSV, Parquet or XML, or - for standard input.

    JSONL and CSV may be packed (.gz, .zst). With --to parquet a record that is no document goes to errors.jsonl in the
    output folder, the run goes on, and the exit status is 1; else the first one ends it.
    """
    columns = Columns(text_column, id_column)
    if to == "parquet" and not output:
        raise AttackspanError("--to parquet writes a folder; name it with -o")
    if to != "parquet" and (resume or engine == "ray"):
        raise AttackspanError(f"{'--resume' if resume else '--engine ray'} needs --to parquet and -o with a folder")
    if engine == "ray":
        if resume:
            raise AttackspanError("--resume goes on with a run of one machine; --engine ray starts anew")
        with extra("ray"):
            from attackspan.model.ray import predict as predict_on_ray
        return _rejected(predict_on_ray(paths, str(output), model, columns), str(output))
    with stdin_as_file(tuple(map(Path, paths)), ending) as named:
        found = records.files(named)  # a wrong path is said before the model is opened
        if to == "parquet":
            return _to_shards(found, columns, model, Path(str(output)), shard_size, resume)
        _to_documents(found, columns, model, to, Path(output) if output else None)
    return 0


def _to_shards(
    files: Sequence[Path], columns: Columns, model: str | None, folder: Path, size: int, resume: bool
) -> int:
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    with extra("tables"):
        from attackspan import shards
    tagger = load(model or DEFAULT)
    reached = shards.claim(folder, shards.run_of(files, columns, model or DEFAULT, size), resume)
    stream = records.read(files, columns, tagger.schema, (reached.file, reached.number))
    return _rejected(shards.write(folder, tagger, _watched(stream, files), size), str(folder))


def _to_documents(
    files: Sequence[Path], columns: Columns, model: str | None, to: str | None, output: Path | None
) -> None:
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    tagger = load(model or DEFAULT)
    stream = records.read(files, columns, tagger.schema)
    documents = tagger.predict(records.documents(_watched(stream, files) if output else stream))
    if output:
        write(documents, output, to if to == "jsonl" else None)
    elif to == "view" or (to is None and sys.stdout.isatty()):
        from rich.console import Console

        from attackspan.view import show

        console = Console()
        for document in documents:
            show(document, console)
    else:
        for document in documents:
            sys.stdout.buffer.write(f"{formats.to_jsonl(document)}\n".encode())


def _rejected(count: int, folder: str) -> int:
    """Say how many records are no documents; the exit status."""
    if count:
        click.echo(f"attackspan: warning: {count} records are no documents; see the errors in {folder}", err=True)
    return int(count > 0)


def _watched(stream: Iterable[Record], files: Sequence[Path]) -> Iterator[Record]:
    """The records, with a progress bar where standard error is a terminal: by bytes read, and documents a second."""
    if not sys.stderr.isatty():
        yield from stream
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    *starts, total = accumulate((file.stat().st_size for file in files), initial=0)
    speed = TextColumn("{task.fields[count]:,} documents, {task.fields[rate]:.1f} a second")
    bar = Progress(BarColumn(), TaskProgressColumn(), speed, TimeRemainingColumn(), console=Console(stderr=True))
    with bar:
        task = bar.add_task("", total=total, count=0, rate=0.0)
        for count, record in enumerate(stream, 1):
            seconds = bar.tasks[0].elapsed or 0.0
            done = starts[record.file] + record.read
            bar.update(task, completed=done, count=count, rate=count / seconds if seconds else 0.0)
            yield record
        bar.update(task, completed=total)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@click.option("--model", help="A checkpoint folder or hub id. Default: the model that ships with attackspan.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each figure is measured.")
def bench(paths: tuple[Path, ...], model: str | None, seconds: float) -> None:
    """Measure a model on this machine, on documents of yours: speed, memory, its share of the int8 peak."""
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    with extra("train"):
        from attackspan.eval.bench import installed
    texts = [document.text for document in formats.read(paths) if document.text.strip()]
    if not texts:
        raise AttackspanError(f"{paths[0]}: no text in it")
    name = model or str(DEFAULT)
    installed.show(installed.bench(load(name), name, texts, seconds))
