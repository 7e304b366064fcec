"""Articles a second, against transformers' token-classification pipeline on the same encoder in fp32, and spaCy's ner.

    python -m attackspan.eval.bench.throughput [MODEL] [--articles 120] [--rounds 5]

The pipeline runs with windows and overlap like ours, at the best of several batch sizes, tried first.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
from transformers import pipeline

import attackspan
from attackspan import formats
from attackspan.commandline import run_command
from attackspan.eval.bench.compare import ROOT, articles, compare, machine
from attackspan.eval.bench.flat_model import save_flat_model, trained_spacy
from attackspan.model.checkpoint import DEFAULT

BATCH_SIZES = (1, 2, 4, 8, 16)


def best_batch_size(tagger: Any, texts: list[str]) -> int:
    """The batch size that takes the pipeline the least time on a few texts."""

    def seconds(size: int) -> float:
        return compare(lambda: None, lambda: tagger(texts, batch_size=size), rounds=1).theirs

    return min(BATCH_SIZES, key=seconds)


@click.command()
@click.argument("model", default=str(DEFAULT))
@click.option("--articles", "count", default=120, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(model: str, count: int, rounds: int) -> None:
    """Measure and print a Markdown table."""
    texts = articles(count)
    ours = attackspan.load(model)
    with tempfile.TemporaryDirectory() as folder:
        save_flat_model(Path(folder))
        theirs = pipeline("token-classification", folder, stride=64, aggregation_strategy="simple", device="cpu")
        size = best_batch_size(theirs, texts[: max(8, count // 8)])
        against_pipeline = compare(lambda: list(ours.predict(texts)), lambda: theirs(texts, batch_size=size), rounds)
    flat = trained_spacy(list(formats.read([ROOT / "seeds" / "dev"])))
    against_spacy = compare(lambda: list(ours.predict(texts)), lambda: list(flat.pipe(texts)), rounds)
    words = sum(len(text.split()) for text in texts)
    click.echo(f"{machine()}; {count} articles, {words:,} words, {rounds} rounds in turn\n")
    click.echo("| articles a second | attackspan | other | ratio |\n|---|---:|---:|---:|")
    sides = {f"transformers pipeline, batch size {size}": against_pipeline, "spaCy ner": against_spacy}
    for name, ratio in sides.items():
        click.echo(f"| {name} | {count / ratio.ours:.1f} | {count / ratio.theirs:.1f} | {ratio} |")


if __name__ == "__main__":
    run_command(main)
