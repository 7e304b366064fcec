"""The steps that a recipe took, measured on the same documents: one table, each step against the one before.

    python -m attackspan.eval.accuracy ../shared/corpus/dev "first=runs/a,runs/b" "second=runs/c" -o docs/accuracy.md

A step is a name and its checkpoints, one a seed. Counts of the seeds are pooled, so a figure is about their mean; the
paired bootstrap draws documents, with all their seeds. The table replaces what stands between the page's two marks.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

import attackspan
from attackspan import formats
from attackspan.commandline import run_command
from attackspan.document import Document, data_hash
from attackspan.errors import AttackspanError
from attackspan.eval.bench.compare import machine
from attackspan.eval.bootstrap import RESAMPLES, Difference
from attackspan.eval.calibration import calibration
from attackspan.eval.comparison import OVERLAP, STRICT, compare
from attackspan.eval.matching import pair
from attackspan.eval.metrics import Counts, Tally, tally
from attackspan.eval.slices import POSITION, slices
from attackspan.model.predictor import Tagger
from attackspan.schema import Schema
from attackspan.textfiles import replacing, whole

BEGIN, END = "<!-- the table: made by attackspan.eval.accuracy -->", "<!-- end of the table -->"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step reaches, over its seeds.

    Attributes:
        name: what was done.
        seeds: how many checkpoints there are.
        found: counts on the documents as they are, pooled over the seeds.
        on_gold: the same with attributes and links read on the gold spans.
        capitals: the same as ``found`` on upper-case copies.
        error: expected calibration error of the span scores, the mean of the seeds.
        early: recall of the spans that begin within the first 512 tokens, in [0, 1].
        late: recall of those behind.
    """

    name: str
    seeds: int
    found: Tally
    on_gold: Tally
    capitals: Tally
    error: float
    early: float
    late: float


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("steps", nargs=-1, required=True, metavar="NAME=RUN[,RUN…]…")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A page with the two marks.")
def main(data: Path, steps: tuple[str, ...], output: Path) -> None:
    """Write the table of STEPS on the documents in DATA into a page."""
    page = whole(output)
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise click.ClickException(f"{output}: needs the lines {BEGIN!r} and {END!r}, between which the table goes")
    runs = dict(step.partition("=")[::2] for step in steps)
    measured = [measure(name, folders.split(","), data) for name, folders in runs.items()]
    schema = attackspan.load(next(iter(runs.values())).split(",")[0]).schema
    command = f"python -m attackspan.eval.accuracy {shlex.join(sys.argv[1:])}"
    facts = f"`{command}` on {machine()}; {data}, sha256 `{data_hash(formats.read([data], schema))}`."
    before, rest = page.split(BEGIN)
    table = "\n".join((BEGIN, "", *rows(measured, schema), "", facts, "", END))
    with replacing(output) as file:
        file.write((before + table + rest.split(END)[1]).encode())


def measure(name: str, folders: Sequence[str], data: Path) -> Step:
    """Run a step's checkpoints on the documents, and on upper-case copies of them.

    Raises:
        AttackspanError: a checkpoint or the documents cannot be read.
    """
    found, on_gold, capitals, errors, places = [], [], [], [], []
    for folder in folders:
        tagger = attackspan.load(folder)
        gold = list(formats.read([data], tagger.schema))
        pairs = list(pair(gold, list(tagger.predict(gold)), tagger.schema))
        found.append(tally(pairs, tagger.schema))
        on_gold.append(tally([(one, tagger.relate(one)) for one in gold], tagger.schema))
        capitals.append(_in_capitals(tagger, gold))
        scores = calibration(pairs, tagger.schema)
        errors.append(scores.error if scores else 0.0)
        places.append(
            {
                part.value: part.strict.counts
                for part in slices(pairs, tagger.schema, tagger.tokenizer, [], 0, 1)
                if part.dimension == "position"
            }
        )
    early, late = (
        float(np.mean([place[value].recall for place in places if value in place] or [0.0]))
        for value in (f"first {POSITION} tokens", f"past token {POSITION}")
    )
    return Step(
        name, len(folders), _pooled(found), _pooled(on_gold), _pooled(capitals), float(np.mean(errors)), early, late
    )


def rows(steps: Sequence[Step], schema: Schema) -> list[str]:
    """The table in Markdown, a line a step."""
    attributes = [f"{label.name}.{attribute.name}" for label, attribute in schema.attributes]
    head = [
        *("step", "seeds", *schema.names, "micro", "against the step before"),
        *(*attributes, "links on gold", "links end to end", "calibration error"),
        *("recall to / past token 512", "upper case"),
    ]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    before = None
    for step in steps:
        cells = [step.name, str(step.seeds)]
        counts = step.found.labels.sum(0)
        cells += [_both(counts[:, column]) for column in range(len(schema.names))]
        cells += [f"**{_both(counts.sum(1))}**", _gain(step, before, schema)]
        cells += [f"{100 * right / max(1, of):.1f}" for right, of in step.found.attributes.sum(0).tolist()]
        cells += [_f1(step.on_gold.links.sum((0, 2))[0]), _pair(step.found.links.sum((0, 2)))]
        cells += [f"{step.error:.3f}", f"{100 * step.early:.1f} / {100 * step.late:.1f}"]
        cells += [_both(step.capitals.labels.sum((0, 2)))]
        lines.append(f"| {' | '.join(cells)} |")
        before = step
    return lines


def _in_capitals(tagger: Tagger, gold: Sequence[Document]) -> Tally:
    """Counts on copies in capitals; a character whose capital is longer stays, so that offsets hold."""
    copies = []
    for document in gold:
        text = "".join(upper if len(upper := c.upper()) == 1 else c for c in document.text)
        spans = tuple(replace(span, text=text[span.start : span.end]) for span in document.spans)
        copies.append(replace(document, text=text, spans=spans))
    return tally(list(pair(copies, list(tagger.predict(copies)), tagger.schema)), tagger.schema)


def _pooled(tallies: Sequence[Tally]) -> Tally:
    first = tallies[0]
    if any(other.ids != first.ids for other in tallies):
        raise AttackspanError("the checkpoints of a step were run on other documents")
    return Tally(
        first.ids,
        *(
            np.sum([getattr(one, name) for one in tallies], axis=0)
            for name in ("labels", "links", "statements", "attributes")
        ),
    )


def _gain(step: Step, before: Step | None, schema: Schema) -> str:
    """Strict and overlap micro F1 against the step before, with interval and p."""
    if before is None:
        return ""
    # Pooling makes counts of unlike numbers of seeds; F1 does not mind.
    found = compare((step.name, before.name), step.found, before.found, schema, 0, RESAMPLES)
    return "; ".join(_difference(view["micro"]) for view in (found.strict, found.overlap))


def _difference(found: Difference) -> str:
    low, high = (f"{100 * end:+.1f}" for end in (found.interval.low, found.interval.high))
    return f"{100 * found.value:+.1f} [{low}, {high}] p={found.p:.2f}"


def _both(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> str:
    """Strict / overlap F1 in points, of counts (4 criteria, 3)."""
    return f"{_f1(counts[STRICT])} / {_f1(counts[OVERLAP])}"


def _pair(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> str:
    """Strict / overlap F1 in points, of counts (2 criteria, 3)."""
    return f"{_f1(counts[0])} / {_f1(counts[1])}"


def _f1(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> str:
    return f"{100 * Counts(*counts.tolist()).f1:.1f}"


if __name__ == "__main__":
    run_command(main)
