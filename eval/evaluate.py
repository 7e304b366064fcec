"""Scores for people and programs: as JSON, as tables for a terminal, and as Markdown for a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from attackspan.eval.metrics import CONFIDENCE, Score, Scores, View, Views


def to_json(scores: Scores) -> dict[str, Any]:
    """The scores as plain dicts, ready for JSON; figures are shares in [0, 1] and intervals ``[low, high]``.

    Keys: ``documents``, ``confidence``; ``labels`` and ``links``, each ``strict`` and ``overlap``, each ``micro`` and
    ``by_name``; ``attributes`` by name.
    """
    return {
        "documents": scores.documents,
        "confidence": CONFIDENCE,
        "labels": _views_json(scores.labels),
        "links": _views_json(scores.links),
        "attributes": {
            name: {"accuracy": accuracy.value, "correct": accuracy.correct, "support": accuracy.support}
            for name, accuracy in scores.attributes.items()
        },
    }


def tables(scores: Scores) -> list[Table]:
    """The scores as tables for a terminal, in per cent: labels, attributes, links; one with no rows is left out."""
    return [_rich(grid) for grid in _grids(scores)]


def show(scores: Scores) -> None:
    """Print the tables; on a narrow terminal lines run on, for a column that breaks inside a figure cannot be read."""
    _print(tables(scores))


def show_agreement(scores: Scores) -> None:
    """Print how far two markings of the same documents agree; neither is the gold one, so there is F1 and no recall."""
    _print([_rich(grid) for grid in (_agreement_grid("label", scores.labels), _agreement_grid("link", scores.links))])


def to_markdown(scores: Scores) -> str:
    """The same tables in GitHub's Markdown, one after the other with an empty line between."""
    return "\n".join(_markdown(grid) for grid in _grids(scores))


@dataclass(frozen=True, slots=True)
class _Grid:
    """A table of text: its first column names the row, the others hold figures. ``micro``: the last row sums up."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    micro: bool


def _grids(scores: Scores) -> list[_Grid]:
    attributes = tuple(
        (name, str(accuracy.support), _percent(accuracy.value)) for name, accuracy in scores.attributes.items()
    )
    grids = [
        _span_grid("label", scores.labels),
        _Grid(("attribute", "support", "accuracy"), attributes, micro=False),
        _span_grid("link", scores.links),
    ]
    return [grid for grid in grids if len(grid.rows) > grid.micro]


def _span_grid(what: str, views: Views) -> _Grid:
    interval = f"[{CONFIDENCE:.0%}]".replace("%", " %")
    figures = tuple(f"{view} {figure}" for view in ("strict", "overlap") for figure in ("P", "R", f"F1 {interval}"))
    each = [(name, strict, views.overlap.by_name[name]) for name, strict in views.strict.by_name.items()]
    rows = tuple(
        (name, str(strict.counts.gold), *_figures(strict), *_figures(overlap))
        for name, strict, overlap in (*each, ("micro", views.strict.micro, views.overlap.micro))
    )
    return _Grid((what, "support", *figures), rows, micro=True)


def _agreement_grid(what: str, views: Views) -> _Grid:
    rows = []
    for name, strict in (*views.strict.by_name.items(), ("micro", views.strict.micro)):
        overlap = views.overlap.micro if name == "micro" else views.overlap.by_name[name]
        counts = (str(strict.counts.gold), str(strict.counts.predicted))
        rows.append((name, *counts, _figures(strict)[2], _figures(overlap)[2]))
    interval = f"F1 [{CONFIDENCE:.0%}]".replace("%", " %")
    return _Grid((what, "first", "second", f"strict {interval}", f"overlap {interval}"), tuple(rows), micro=True)


def _figures(score: Score) -> tuple[str, str, str]:
    """Precision, recall, and F1 with its interval."""
    counts, interval = score.counts, score.interval
    f1 = f"{_percent(counts.f1)} [{_percent(interval.low)}, {_percent(interval.high)}]"
    return _percent(counts.precision), _percent(counts.recall), f1


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _print(tables: Sequence[Table]) -> None:
    Console(width=max(Console().width, 126)).print(*tables)


def _rich(grid: _Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, title in enumerate(grid.header):
        table.add_column(title, justify="right" if index else "left", overflow="fold")
    for index, row in enumerate(grid.rows, start=1):
        table.add_row(*row, end_section=grid.micro and index == len(grid.rows) - 1)
    return table


def _markdown(grid: _Grid) -> str:
    rule = ("---", *("---:" for _ in grid.header[1:]))
    return "".join(f"| {' | '.join(row)} |\n" for row in (grid.header, rule, *grid.rows))


def _views_json(views: Views) -> dict[str, Any]:
    return {"strict": _view_json(views.strict), "overlap": _view_json(views.overlap)}


def _view_json(view: View) -> dict[str, Any]:
    return {"micro": _score_json(view.micro), "by_name": _scores_json(view.by_name)}


def _scores_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: _score_json(score) for name, score in scores.items()}


def _score_json(score: Score) -> dict[str, Any]:
    counts, interval = score.counts, score.interval
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "f1_interval": [interval.low, interval.high],
        "correct": counts.correct,
        "predicted": counts.predicted,
        "gold": counts.gold,
    }
