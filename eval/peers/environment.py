"""The virtual environment of a peer, made once from the requirements file beside its adapter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from attackspan.eval.bench.compare import ROOT

HERE = Path(__file__).parent


def python_of(name: str, folder: Path) -> Path:
    """The interpreter of the environment of this name under a folder; this one for our own code, which has no name.

    The environment is made where it is missing or its requirements have changed. It gets this checkout too, without
    what the checkout depends on.
    """
    if not name:
        return Path(sys.executable)
    environment = folder / f"env-{name}"
    python = environment / "bin" / "python"
    requirements = (HERE / f"{name}.txt").read_text()
    done = environment / "requirements.txt"
    if not (done.is_file() and done.read_text() == requirements):
        click.echo(f"{environment}: installing", err=True)
        constraints = str(ROOT / "constraints.txt")
        install = [str(python), "-m", "pip", "install", "--quiet", "-c", constraints]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(environment)],
            [*install, "-r", str(HERE / f"{name}.txt")],
            [*install, "--no-deps", "-e", str(ROOT)],
        ):
            run(command)
        done.write_text(requirements)
    return python.absolute()


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a command, its errors shown as they come, and return what it printed.

    Raises:
        click.ClickException: it failed.
    """
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise click.ClickException(f"exit status {done.returncode} from: {' '.join(command)}")
    return done.stdout
