"""What int8 costs in F1 and gives in speed: a checkpoint's export against its network in fp32, under torch.

    python -m attackspan.eval.bench.precision MODEL DATA... [--rounds 5]

MODEL is a folder that ``attackspan train`` wrote: it holds both. DATA are annotated documents.
"""

from __future__ import annotations

from pathlib import Path

import click

import attackspan
from attackspan import formats
from attackspan.commandline import run_command
from attackspan.eval.bench.compare import compare, machine
from attackspan.eval.metrics import score
from attackspan.model.predictor import Tagger
from attackspan.model.torch_session import TorchSession


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--rounds", default=5, show_default=True)
def main(model: Path, data: tuple[Path, ...], rounds: int) -> None:
    """Measure and print a Markdown table."""
    export = attackspan.load(model)
    network = Tagger(TorchSession.load(model, "cpu"), export.tokenizer, export.settings)
    gold = list(formats.read(data, export.schema))
    ratio = compare(lambda: list(export.predict(gold)), lambda: list(network.predict(gold)), rounds)
    click.echo(f"{machine()}; {len(gold)} documents of {', '.join(map(str, data))}, {rounds} rounds in turn\n")
    click.echo("| | strict F1 | overlap F1 | documents a second |\n|---|---:|---:|---:|")
    for name, tagger, seconds in (("int8", export, ratio.ours), ("fp32, torch", network, ratio.theirs)):
        views = score(gold, list(tagger.predict(gold)), tagger.schema).labels
        strict, overlap = (100 * view.micro.counts.f1 for view in (views.strict, views.overlap))
        click.echo(f"| {name} | {strict:.2f} | {overlap:.2f} | {len(gold) / seconds:.1f} |")
    click.echo(f"\nint8 is {ratio} as fast")


if __name__ == "__main__":
    run_command(main)
