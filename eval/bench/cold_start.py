"""From a new process to the first article's spans: time and peak memory, against transformers' pipeline.

python -m attackspan.eval.bench.cold_start [--rounds 7]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from attackspan.commandline import run_command
from attackspan.eval.bench.compare import articles, compare, machine
from attackspan.eval.bench.flat_model import save_flat_model

_PIPELINE = """
import sys
from transformers import pipeline
tagger = pipeline("token-classification", sys.argv[1], stride=64, aggregation_strategy="simple", device="cpu")
print(tagger(open(sys.argv[2], encoding="utf-8").read()))
"""
_PEAK = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);\
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


def peak_memory(command: list[str]) -> float:
    """Most memory that a command ever holds, in MB."""
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, text=True)
    kilobytes = int(done.stdout) / (1 if sys.platform != "darwin" else 1024)
    return kilobytes / 1024


@click.command()
@click.option("--rounds", default=7, show_default=True)
def main(rounds: int) -> None:
    """Measure and print one line of Markdown."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        article = folder / "article.txt"
        article.write_text(articles(1)[0], "utf-8")
        save_flat_model(folder / "model")
        ours = [str(Path(sys.executable).with_name("attackspan")), "predict", str(article)]
        theirs = [sys.executable, "-c", _PIPELINE, str(folder / "model"), str(article)]

        def run(command: list[str]) -> None:
            subprocess.run(command, check=True, capture_output=True)

        ratio = compare(lambda: run(ours), lambda: run(theirs), rounds)
        click.echo(f"{machine()}; one article, {rounds} rounds in turn\n")
        click.echo("| cold start | attackspan predict | transformers pipeline | ratio |\n|---|---:|---:|---:|")
        click.echo(f"| seconds | {ratio.ours:.2f} | {ratio.theirs:.2f} | {ratio} |")
        click.echo(f"| peak memory, MB | {peak_memory(ours):.0f} | {peak_memory(theirs):.0f} | |")


if __name__ == "__main__":
    run_command(main)
