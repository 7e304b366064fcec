"""The command that takes documents from one format to another: convert."""

from __future__ import annotations

from pathlib import Path

import click

from attackspan import formats
from attackspan.cli.support import PATHS, schema_of, write


@click.command()
@click.argument("inputs", metavar="IN…", nargs=-1, required=True, type=PATHS)
@click.argument("output", metavar="OUT", type=PATHS)
@click.option("--from", "source", type=click.Choice(formats.READABLE), help="What IN holds. Default: by its ending.")
@click.option("--to", "target", type=click.Choice(formats.WRITABLE), help="What to write. Default: by OUT's ending.")
@click.option(
    "--schema", type=PATHS, help="A schema.json. Default: the labels of CoNLL files, else attacks in the news."
)
def convert(
    inputs: tuple[Path, ...], output: Path, source: str | None, target: str | None, schema: Path | None
) -> None:
    """Convert the documents in IN, files or folders, to OUT: a file, or a folder of XML or brat files.

    doccano and Prodigy write JSON lines, as attackspan does: name them with --from or --to. What the new format cannot
    hold is counted in one warning. Tables (parquet, csv) are written only: OUT gets a row for each span, and
    OUT.statements a row for each attribution and condemnation.
    """
    labels = schema_of({"in": inputs}, schema, source)
    write(formats.read(inputs, labels, source), output, target)
