"""The licences of everything that attackspan brings: ``python -m attackspan.eval.licences > docs/licences.md``."""

from __future__ import annotations

from importlib import metadata

import click
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from attackspan.commandline import run_command

HEAD = """# Licences

What `pip install attackspan` brings, and what its extras add, each with the licence that its package names.
Made by `python -m attackspan.eval.licences > docs/licences.md` from what is installed; what is not has no version.

| package | version | licence | comes with |
|---|---|---|---|"""


@click.command()
def main() -> None:
    """Print the page."""
    extras = metadata.metadata("attackspan").get_all("Provides-Extra") or []
    found: dict[str, str] = {}
    for extra in ("", *extras):
        for name in sorted(needed("attackspan", extra)):
            found.setdefault(name, extra or "attackspan")
    click.echo(HEAD)
    for name, extra in sorted(found.items()):
        click.echo(f"| {name} | {' | '.join(about(name))} | {extra} |")


def needed(name: str, extra: str = "") -> set[str]:
    """The packages that a package and one of its extras need here, and what these need in turn."""
    found: set[str] = set()
    queue = [(name, extra)]
    seen = set(queue)
    while queue:
        package, part = queue.pop()
        try:
            lines = metadata.requires(package) or []
        except metadata.PackageNotFoundError:
            continue  # named, yet not installed
        for wanted in map(Requirement, lines):
            if wanted.marker and not wanted.marker.evaluate({"extra": part}):
                continue
            found.add(canonicalize_name(wanted.name))
            new = {(canonicalize_name(wanted.name), one) for one in ("", *wanted.extras)} - seen
            queue += new
            seen |= new
    return found - {name}


def about(name: str) -> tuple[str, str]:
    """A package's version and the licence that its metadata names."""
    try:
        data = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "", "not installed here"
    classes = [one.rpartition(" :: ")[2] for one in data.get_all("Classifier") or [] if one.startswith("License ::")]
    expression, named = ("".join(data.get_all(key) or []).strip() for key in ("License-Expression", "License"))
    licence = expression or (named if 0 < len(named) < 60 else "") or ", ".join(classes)
    return data["Version"], " ".join(licence.split()) or "not named"


if __name__ == "__main__":
    run_command(main)
