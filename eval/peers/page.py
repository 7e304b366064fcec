"""The page about the peers: what each reaches and costs, in Markdown, and F1 against speed as a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from attackspan.document import Document
from attackspan.eval.bootstrap import RESAMPLES, Difference
from attackspan.eval.comparison import Comparison, compare
from attackspan.eval.evaluate import f1_and_interval
from attackspan.eval.matching import pair
from attackspan.eval.metrics import Scores, View, scores, tally
from attackspan.eval.peers.result import Result
from attackspan.eval.peers.roster import LEFT_OUT, OURS
from attackspan.schema import Schema

VIEWS = ("strict", "overlap")
NEAR = 0.10  # peers within so much F1 of ours are those whose speed matters


@dataclass(frozen=True, slots=True)
class Row:
    """A result with its scores and with how far ours is ahead of it."""

    result: Result
    scores: Scores
    ahead: Comparison

    @property
    def name(self) -> str:
        """The peer's name."""
        return self.result.peer.name

    def view(self, name: str) -> View:
        """The scores under one criterion."""
        return self.scores.labels.strict if name == "strict" else self.scores.labels.overlap

    def lead(self, view: str) -> Difference:
        """How far ours is ahead in micro F1, by a paired bootstrap over documents."""
        return (self.ahead.strict if view == "strict" else self.ahead.overlap)["micro"]

    @property
    def f1(self) -> float:
        """Strict micro F1."""
        return self.scores.labels.strict.micro.counts.f1


def rows(results: Sequence[Result], gold: Sequence[Document], schema: Schema, seed: int) -> list[Row]:
    """A row a result. Ours must be among them."""
    tallies = {result.peer.name: tally(pair(gold, result.predicted, schema), schema) for result in results}
    found = []
    for result in results:
        names = (OURS, result.peer.name)
        ahead = compare(names, tallies[OURS], tallies[result.peer.name], schema, seed, RESAMPLES)
        found.append(Row(result, scores(tallies[result.peer.name], schema, seed=seed), ahead))
    return found


def markdown(table: Sequence[Row], schema: Schema, facts: Sequence[str], card: Path, picture: str) -> str:
    """The whole page.

    Args:
        table: the rows.
        schema: the labels.
        facts: lines on the command, the data and the seed.
        card: our checkpoint's model card, which says how long it trained and on what.
        picture: the file name of the plot.
    """
    names = schema.names
    parts = [
        "# Peers\n\nOther ways to find the same spans, each trained on the same documents and scored by "
        "`attackspan.eval.metrics` on the same test documents, one after the other on the same cores.",
        "\n".join(f"- {fact}" for fact in facts),
        f"![F1 against documents a second]({picture})",
        verdict(table),
    ]
    for view in VIEWS:
        header = ("", *names, "micro", "ours less it, micro")
        body = [
            (
                row.name,
                *(f1_and_interval(row.view(view).by_name[name]) for name in names),
                f1_and_interval(row.view(view).micro),
                _lead(row, view),
            )
            for row in table
        ]
        parts.append(f"## {view.capitalize()} F1 [95 %]\n\n{_table(header, body)}")
    parts.append(
        "Intervals are of a bootstrap over documents; the last column's is paired: both sides are scored on the same "
        "draws. Overlap asks for an intersection over union of at least one half."
    )
    data = _card(card, r"^(\d+ training documents.*?);") or "no card"
    header = ("", "epochs", "training, min", "documents/s", "model, MB", "peak, MB", "peak in training, MB")
    parts.append(f"## Cost\n\n{_table(header, [_cost(row, card) for row in table])}")
    parts.append(
        "Documents a second: the median pass over the test documents, after a warm-up. Peak: the most memory the "
        "predicting process held. The trained peers learn from the documents named above; ours, as its card says: "
        f"{data}. Ours chose its epoch on its validation split (see its card), which favours it where that is the test "
        "set here; no peer chose anything on these documents, and none was tuned beyond what is said below. Peers find "
        "no attributes or links: their spans carry the first value of the schema, which no figure here looks at."
    )
    notes = [f"- **{row.name}**: {row.result.peer.note}." for row in table]
    left_out = [f"- **{name}**: {why}." for name, why in LEFT_OUT.items()]
    parts += ["## What was chosen\n\n" + "\n".join(notes), "## Left out\n\n" + "\n".join(left_out)]
    return "\n\n".join(parts) + "\n"


def verdict(table: Sequence[Row]) -> str:
    """Whether ours leads, and where it does not."""
    ours = next(row for row in table if row.name == OURS)
    others = [row for row in table if row.name != OURS]
    behind = [f"{row.name} ({view})" for row in others for view in VIEWS if row.lead(view).interval.low <= 0]
    faster = [row.name for row in others if row.f1 >= ours.f1 - NEAR and row.result.rate >= ours.result.rate]
    leads = f"does not lead clearly, its interval reaching zero: {', '.join(behind)}" if behind else "leads every peer"
    speed = f"not the fastest of them: {', '.join(faster)}" if faster else "the fastest of them"
    near = [row.name for row in others if row.f1 >= ours.f1 - NEAR]
    return (
        f"In micro F1, strict and overlap, {OURS} {leads}. Within {100 * NEAR:.0f} points of its strict F1: "
        f"{', '.join(near) or 'no peer'}{f'; it is {speed}' if near else ''}."
    )


def draw(table: Sequence[Row], path: Path) -> None:
    """Strict micro F1 over documents a second."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    best_first = sorted(table, key=lambda row: -row.f1)
    for row, marker in zip(best_first, cycle("osD^vP*X"), strict=False):
        color = "#b5482a" if row.name == OURS else "#1f5a7a"
        interval = row.view("strict").micro.interval
        error = [[100 * max(0.0, row.f1 - interval.low)], [100 * max(0.0, interval.high - row.f1)]]
        place = (row.result.rate, 100 * row.f1)
        axis.errorbar(*place, yerr=error, fmt=marker, color=color, elinewidth=1, capsize=2, label=row.name)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axis.set_xscale("log")
    axis.set_xlabel("documents a second")
    axis.set_ylabel("strict micro F1 [95 %]")
    axis.margins(x=0.15)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    figure.savefig(path, dpi=130)


def _cost(row: Row, card: Path) -> tuple[str, ...]:
    report = row.result.report
    minutes = "-"
    if report["train_seconds"] is not None:
        minutes = f"{report['train_seconds'] / 60:.1f}"
    elif row.name == OURS:
        minutes = _card(card, r"^On .*?, ([\d.]+) minutes on") or "-"
    return (
        row.name,
        "-" if report["epochs"] is None else f"{report['epochs']:g}",
        minutes,
        f"{row.result.rate:.1f}",
        f"{report['model_mb']:.1f}" if report["model_mb"] else "-",
        f"{report['peak_mb']:.0f}",
        "-" if report["train_peak_mb"] is None else f"{report['train_peak_mb']:.0f}",
    )


def _card(card: Path, pattern: str) -> str:
    """What the pattern's group finds in a model card; nothing where there is no card or no such line."""
    found = re.search(pattern, card.read_text("utf-8"), re.M) if card.is_file() else None
    return found.group(1) if found else ""


def _lead(row: Row, view: str) -> str:
    if row.name == OURS:
        return "-"
    one = row.lead(view)
    return f"{100 * one.value:+.1f} [{100 * one.interval.low:+.1f}, {100 * one.interval.high:+.1f}]"


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rule = ("---", *("---:" for _ in header[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *body))
