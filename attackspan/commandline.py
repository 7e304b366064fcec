"""How every command of the project ends: in its output, or in one line that says what is wrong."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import NoReturn

import click

from attackspan.errors import AttackspanError


def run_command(command: click.Command, name: str | None = None) -> NoReturn:
    """Run a command and leave with its status; an error of the user's is one line on stderr and exit status 2.

    Args:
        command: what to run, on the arguments of this process.
        name: as which it calls itself; by default as the process was started.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that has no é gets an escape, and no traceback
    try:
        status = command.main(prog_name=name, standalone_mode=False)
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


def _fail(message: str) -> NoReturn:
    # One line, and nothing in it that a terminal obeys: names and labels come from files.
    click.echo("attackspan: error: " + re.sub("[\x00-\x1f\x7f-\x9f]", " ", message), err=True)
    sys.exit(2)
