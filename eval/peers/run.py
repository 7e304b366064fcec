"""Train and measure the peers, one after the other on the same cores, and write the page about them.

    python -m attackspan.eval.peers.run --train ../shared/corpus/train --test ../shared/corpus/dev -o runs/peers

A peer whose result file is in the output folder is not run again. On 2 cores the whole takes about an hour.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from attackspan import formats
from attackspan.commandline import run_command
from attackspan.eval.bench.compare import ROOT
from attackspan.eval.peers import page
from attackspan.eval.peers.result import Task, measured
from attackspan.eval.peers.roster import OURS, PEERS
from attackspan.model.checkpoint import DEFAULT
from attackspan.schema import default_schema

FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--train", multiple=True, required=True, type=FOLDER, help="Annotated documents to train on.")
@click.option("--test", multiple=True, required=True, type=FOLDER, help="Annotated documents to score on.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Environments, models and results go here.")
@click.option("--model", default=DEFAULT, type=FOLDER, help="Our checkpoint. [default: the shipped one]")
@click.option("--only", multiple=True, type=click.Choice([peer.name for peer in PEERS]), help="Run only these.")
@click.option("--again", is_flag=True, help="Predict and time anew, all on a machine at rest, with what was trained.")
@click.option("--epochs", type=float, help="Instead of each peer's own number.")
@click.option("--seed", default=13, show_default=True)
@click.option("--cores", default=2, show_default=True)
@click.option("--page", "target", default=ROOT / "docs" / "peers.md", type=FOLDER, help="[default: docs/peers.md]")
def main(
    train: tuple[Path, ...],
    test: tuple[Path, ...],
    output: Path,
    model: Path,
    only: tuple[str, ...],
    again: bool,
    epochs: float | None,
    seed: int,
    cores: int,
    target: Path,
) -> None:
    """Run what has not been run, then write the page; it has those peers that have a result."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    data = {"train": list(formats.read(train)), "test": list(formats.read(test))}
    task = Task.prepare(output, data, model, seed, cores, epochs)
    found = {peer.name: measured(peer, task, run_it=not only or peer.name in only, again=again) for peer in PEERS}
    results = [result for result in found.values() if result]
    if not found[OURS]:
        raise click.ClickException(f"no page yet: it compares with {OURS}; run that too")
    if missing := [name for name, result in found.items() if not result]:
        click.echo(f"not in the page, not run yet: {', '.join(missing)}", err=True)
    schema = default_schema()
    table = page.rows(results, data["test"], schema, seed)
    words = {name: sum(len(document.text.split()) for document in documents) for name, documents in data.items()}
    facts = [
        f"Command: `python -m attackspan.eval.peers.run {shlex.join(sys.argv[1:])}`",
        *(
            f"{name.capitalize()}: {' '.join(map(str, paths))}, {len(data[name])} documents, {words[name]:,} words, "
            f"sha256 `{task.hashes[f'{name}_sha256']}` as JSON lines"
            for name, paths in (("train", train), ("test", test))
        ),
        f"Seed {seed}, {cores} cores: {'; '.join(sorted({result.report['machine'] for result in results}))}",
        *([f"Not run yet: {', '.join(missing)}"] if missing else []),
    ]
    target.write_text(page.markdown(table, schema, facts, model / "README.md", f"{target.stem}.png"), "utf-8")
    page.draw(table, target.with_suffix(".png"))
    click.echo(page.verdict(table))


if __name__ == "__main__":
    run_command(main)
