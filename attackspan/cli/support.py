"""What the commands share: paths, extras, schemas, standard input."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from attackspan import formats
from attackspan.document import Document
from attackspan.errors import extra as extra
from attackspan.schema import Label, Schema, default_schema

PATHS = click.Path(path_type=Path)


def schema_of(paths: dict[str, tuple[Path, ...]], schema: Path | None, form: str | None = None) -> Schema:
    """The schema of a file; else the labels of CoNLL files, where all are such; else attacks in the news."""
    if schema:
        return Schema.load(schema)
    files = [file for one in paths.values() for file in formats.files(one, form)]
    if files and all((form or formats.format_of(file)) == "conll" for file in files):
        from attackspan.formats.conll import labels

        return Schema(tuple(Label(name) for name in sorted({name for file in files for name in labels(file)})))
    return default_schema()


def write(documents: Iterable[Document], path: Path, form: str | None = None) -> None:
    """Write documents, and say on standard error what the format could not hold."""
    if lost := formats.write(documents, path, form):
        counts = ", ".join(f"{count} {what}" for what, count in lost.items())
        click.echo(f"attackspan: warning: {path} cannot hold {counts}", err=True)


@contextmanager
def stdin_as_file(paths: tuple[Path, ...], ending: str) -> Iterator[list[Path]]:
    """The paths, with - replaced by a file that holds standard input."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / f"stdin.{ending}"
        if Path("-") in paths:
            with spool.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield [spool if path == Path("-") else path for path in paths]
