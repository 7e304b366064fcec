"""The command line. Each module holds a few commands; none imports what only one of its commands needs."""

from __future__ import annotations

import io
import os
import re
import sys

import click

from attackspan import __version__
from attackspan.cli import converting, predicting, scoring, serving, training
from attackspan.errors import AttackspanError


def main() -> None:
    """Run the command line; an error of the user's is one line on stderr and exit status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that has no é gets an escape, and no traceback
    try:
        status = cli.main(prog_name="attackspan", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, head say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except click.ClickException as error:
        _fail(error.format_message())
    except (AttackspanError, OSError) as error:
        _fail(str(error))


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


def _fail(message: str) -> None:
    # One line, and nothing in it that a terminal obeys: names and labels come from files.
    click.echo("attackspan: error: " + re.sub("[\x00-\x1f\x7f-\x9f]", " ", message), err=True)
    sys.exit(2)
