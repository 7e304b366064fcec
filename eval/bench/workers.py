"""Two Ray workers of one thread against one: the workers of ``attackspan predict --engine ray``.

python -m attackspan.eval.bench.workers [MODEL] [--articles 60] [--rounds 5]
"""

from __future__ import annotations

import logging
from typing import Any

import click
import ray

from attackspan.commandline import run_command
from attackspan.document import Document
from attackspan.eval.bench.compare import articles, compare, machine
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.ray import Worker
from attackspan.shards import table


@click.command()
@click.argument("model", default=str(DEFAULT))
@click.option("--articles", "count", default=60, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(model: str, count: int, rounds: int) -> None:
    """Measure and print one line of Markdown."""
    documents = [Document(str(number), text) for number, text in enumerate(articles(count))]
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)
    remote: Any = ray.remote(num_cpus=1)(Worker)
    workers = [remote.remote(model) for _ in range(2)]

    def run(some: list[Any]) -> None:
        ray.get([worker.__call__.remote(table(documents[at :: len(some)])) for at, worker in enumerate(some)])

    ratio = compare(lambda: run(workers), lambda: run(workers[:1]), rounds)
    click.echo(f"{machine()}; {count} articles, {rounds} rounds in turn\n")
    click.echo("| articles a second | two workers | one worker | ratio |\n|---|---:|---:|---:|")
    click.echo(f"| Ray, one thread each | {count / ratio.ours:.1f} | {count / ratio.theirs:.1f} | {ratio} |")


if __name__ == "__main__":
    run_command(main)
