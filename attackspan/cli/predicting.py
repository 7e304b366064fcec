"""Commands that run a model: predict, bench."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from attackspan import formats
from attackspan.cli.support import PATHS, extra, stdin_as_file
from attackspan.errors import AttackspanError


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@click.option("--model", help="A checkpoint folder or hub id. Default: the model that ships with attackspan.")
@click.option(
    "--from", "ending", type=click.Choice(["txt", "jsonl", "xml"]), default="txt", help="What - (stdin) holds."
)
@click.option("--to", type=click.Choice(["view", "jsonl"]), help="Default: view on a terminal, jsonl elsewhere.")
@click.option("-o", "--output", type=PATHS, help="Write a .jsonl file, or a folder of XML files, instead.")
def predict(paths: tuple[Path, ...], model: str | None, ending: str, to: str | None, output: Path | None) -> None:
    """Label documents: files or folders of text, JSONL or XML, or - for standard input."""
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    with stdin_as_file(paths, ending) as files:
        found = formats.files(files)  # a wrong path is said before the model is opened
        tagger = load(model or DEFAULT)
        documents = tagger.predict(formats.read(found, tagger.schema))
        if output:
            formats.write(documents, output)
        elif to == "view" or (to is None and sys.stdout.isatty()):
            from rich.console import Console

            from attackspan.view import show

            console = Console()
            for document in documents:
                show(document, console)
        else:
            for document in documents:
                sys.stdout.buffer.write(f"{formats.to_jsonl(document)}\n".encode())


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
