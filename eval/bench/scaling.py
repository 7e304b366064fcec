"""Seconds and memory by the length of a document and by the number of documents.

    python -m attackspan.eval.bench.scaling [MODEL] [--longest 1000000] [--most 100000] [--plot docs/scaling.png]

Each point is a process of its own, so that its peak memory is its own. Long documents are real articles one behind the
other; many documents are single paragraphs of them, streamed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import click
import numpy as np

from attackspan.commandline import run_command
from attackspan.eval.bench.compare import articles, machine
from attackspan.model.checkpoint import DEFAULT

_POINT = """
import json, resource, sys, time
import attackspan
from attackspan.eval.bench.scaling import long_document, paragraphs
model, kind, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
tagger = attackspan.load(model)
tagger.predict("The army shelled the town.")
texts = [long_document(size)] if kind == "characters" else paragraphs(size)
began = time.perf_counter()
for document in tagger.predict(texts):
    pass
seconds = time.perf_counter() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def long_document(characters: int) -> str:
    """Real articles in a row, cut at so many characters."""
    pieces, size = [], 0
    for text in cycle(articles(500)):
        if size >= characters:
            break
        pieces.append(text)
        size += len(text) + 2
    return "\n\n".join(pieces)[:characters]


def paragraphs(count: int) -> islice[str]:
    """So many paragraphs of real articles, one after another, never all in memory."""
    every = [line for text in articles(500) for line in text.split("\n") if line.strip()]
    return islice(cycle(every), count)


@click.command()
@click.argument("model", default=str(DEFAULT))
@click.option("--longest", default=1_000_000, show_default=True, help="Characters of the longest document.")
@click.option("--most", default=100_000, show_default=True, help="The largest number of documents.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw it, into this file (needs matplotlib).")
def main(model: str, longest: int, most: int, plot: Path | None) -> None:
    """Measure and print a Markdown table."""
    points: dict[str, list[tuple[int, float, float]]] = {}
    click.echo(f"{machine()}\n\n| | size | seconds | peak memory, MB |\n|---|---:|---:|---:|")
    for kind, largest in (("characters", longest), ("documents", most)):
        for size in np.geomspace(largest / 1000, largest, 7).round().astype(int).tolist():
            command = [sys.executable, "-c", _POINT, model, kind, str(size)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, memory = json.loads(done.stdout)
            points.setdefault(kind, []).append((size, seconds, memory))
            click.echo(f"| {kind} | {size:,} | {seconds:.2f} | {memory:.0f} |")
    for kind, measured in points.items():
        size, seconds, _ = np.array(measured[2:]).T
        slope = np.polyfit(np.log(size), np.log(seconds), 1)[0]
        click.echo(f"\n{kind}: seconds grow as size to the power of {slope:.2f} (1 is linear)")
    if plot:
        draw(points, plot)


def draw(points: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Seconds and memory over size, one column for each kind, on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots(2, len(points), sharex="col", sharey="row", squeeze=False)
    for column, (kind, measured) in enumerate(points.items()):
        size, seconds, memory = np.array(measured).T
        above, below = axes[:, column]
        above.loglog(size, seconds, "o-", color="#1f5a7a")
        above.loglog(size, seconds[-1] * size / size[-1], "--", color="#999999", label="linear")
        above.set_title("one document" if kind == "characters" else "many documents, streamed", loc="left")
        below.plot(size, memory, "o-", color="#b5482a")
        below.set_ylim(bottom=0)
        below.set_xlabel(kind)
        for axis in (above, below):
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(alpha=0.25)
    axes[0][0].set_ylabel("seconds")
    axes[1][0].set_ylabel("peak memory, MB")
    axes[0][0].legend(frameon=False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    run_command(main)
