"""How hard each head's loss pulls at the encoder: its size and its gradient's norm, on marked and on silver batches.

    python -m attackspan.eval.bench.gradients MODEL DATASET [--silver FILE] [--batches 8] [--batch-size 8]

MODEL is a folder that ``attackspan train`` wrote, DATASET one of ``attackspan build``, whose training documents are
read, FILE one of ``attackspan distil``. A loss whose gradient is many times another's leaves that one little of each
step: the gradient is clipped, and Adam divides by its size.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor

from attackspan.commandline import run_command
from attackspan.model.network import IGNORED, AttackspanModel
from attackspan.model.torch_session import TorchSession
from attackspan.training.dataset import load_dataset
from attackspan.training.distil import read_silver
from attackspan.training.encoder import load_tokenizer
from attackspan.training.examples import Collator, Example, examples

DOCUMENTS = 200
"""Documents of each kind that the batches are drawn from."""
HEADS = ("tags", "attributes", "links")


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--silver", type=click.Path(path_type=Path))
@click.option("--batches", default=8, show_default=True)
@click.option("--batch-size", default=8, show_default=True)
@click.option("--seed", default=13, show_default=True, help="Of the documents and the batches.")
def main(model: Path, data: Path, silver: Path | None, batches: int, batch_size: int, seed: int) -> None:
    """Measure and print a Markdown table."""
    network = TorchSession.load(model, "cpu").model
    tokenizer, config = load_tokenizer(str(model)), network.config
    splits, schema = load_dataset(data)
    draw = random.Random(seed)
    marked = draw.sample(splits["train"], min(DOCUMENTS, len(splits["train"])))
    kinds: dict[str, list[Example]] = {
        "gold": [
            one for document in marked for one in examples(document, tokenizer, schema, config.window, config.overlap)
        ]
    }
    if silver is not None:
        kinds["silver"] = [
            one
            for read in islice(read_silver(silver, schema), DOCUMENTS)
            for one in examples(read.document, tokenizer, schema, config.window, config.overlap, read.tags)
        ]
    collator = Collator(tokenizer.pad_id, config.window + len(tokenizer.prefix) + len(tokenizer.suffix))
    click.echo(f"{model}, {batches} batches of {batch_size} windows, seed {seed}\n")
    click.echo(f"| | {' | '.join(f'{head}: loss, gradient' for head in HEADS)} |\n|---|{'---:|' * len(HEADS)}")
    for kind, windows in kinds.items():
        drawn = [collator(draw.sample(windows, min(batch_size, len(windows)))) for _ in range(batches)]
        figures = np.mean([_pulls(network, batch) for batch in drawn], 0)
        click.echo(f"| {kind} | {' | '.join(f'{loss:.3f}, {norm:.2f}' for loss, norm in figures)} |")


def _pulls(network: AttackspanModel, batch: dict[str, Tensor]) -> list[tuple[float, float]]:
    """Each head's loss, as it counts in training, and the norm of its gradient on the encoder's weights."""
    without = {name: {**batch, name: torch.full_like(batch[name], IGNORED)} for name in ("attributes", "links")}
    tags = network(batch["input_ids"], batch["attention_mask"], batch["tags"])["loss"]
    losses = (tags, network(**without["links"])["loss"] - tags, network(**without["attributes"])["loss"] - tags)
    weights = list(network.encoder.parameters())
    return [
        (float(loss.detach()), _norm(torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)))
        for loss in losses
    ]


def _norm(gradients: Sequence[Tensor | None]) -> float:
    return float(torch.cat([one.flatten() for one in gradients if one is not None]).norm())


if __name__ == "__main__":
    run_command(main)
