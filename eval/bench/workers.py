"""Two Ray workers of one thread against one.

python -m attackspan.eval.bench.workers [MODEL] [--articles 60] [--rounds 5]
"""

from __future__ import annotations

import logging
from typing import Any

import click
import ray

import attackspan
from attackspan.eval.bench.compare import articles, compare, machine
from attackspan.model.checkpoint import DEFAULT


class Worker:
    """A process that holds the model."""

    def __init__(self, model: str) -> None:
        self.tagger = attackspan.load(model, threads=1)

    def predict(self, texts: list[str]) -> int:
        """Label the texts; how many spans there are."""
        return sum(len(document.spans) for document in self.tagger.predict(texts))


@click.command()
@click.argument("model", default=str(DEFAULT))
@click.option("--articles", "count", default=60, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(model: str, count: int, rounds: int) -> None:
    """Measure and print one line of Markdown."""
    texts = articles(count)
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)
    remote: Any = ray.remote(num_cpus=1)(Worker)
    workers = [remote.remote(model) for _ in range(2)]

    def run(some: list[Any]) -> None:
        ray.get([worker.predict.remote(texts[at :: len(some)]) for at, worker in enumerate(some)])

    ratio = compare(lambda: run(workers), lambda: run(workers[:1]), rounds)
    click.echo(f"{machine()}; {count} articles, {rounds} rounds in turn\n")
    click.echo("| articles a second | two workers | one worker | ratio |\n|---|---:|---:|---:|")
    click.echo(f"| Ray, one thread each | {count / ratio.ours:.1f} | {count / ratio.theirs:.1f} | {ratio} |")


if __name__ == "__main__":
    main()
