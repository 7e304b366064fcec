"""The command line. Each module holds a few commands; none imports what only one of its commands needs."""

from __future__ import annotations

import click

from attackspan import __version__
from attackspan.cli import converting, predicting, scoring, serving, training
from attackspan.commandline import run_command


def main() -> None:
    """Run the command line."""
    run_command(cli, "attackspan")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Labelled spans from news about attacks: who did it, who says so, who condemned what."""


for _command in (
    predicting.predict,
    predicting.bench,
    serving.serve,
    converting.convert,
    training.suggest,
    training.build,
    training.distil,
    training.train,
    scoring.evaluate,
    scoring.score_command,
    scoring.report,
    scoring.agreement,
):
    cli.add_command(_command)
