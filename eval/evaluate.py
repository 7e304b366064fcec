"""Scores for people and programs: as JSON, as tables for a terminal, and as Markdown for a model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from attackspan.eval.bootstrap import CONFIDENCE, Interval
from attackspan.eval.metrics import VERSION, Average, Score, Scores, SpanViews, View, Views


def to_json(scores: Scores) -> dict[str, Any]:
    """The scores as plain dicts, ready for JSON; figures are shares in [0, 1] and intervals ``[low, high]``.

    Keys: ``scorer``, the version of the figures' definitions; ``documents``, ``confidence``; ``labels``, under
    ``strict``, ``boundary``, ``overlap`` and ``type``; ``links``, under ``strict`` and ``overlap``; ``statements``;
    each has ``micro``, ``macro`` and ``by_name``; ``attributes`` by name.
    """
    return {
        "scorer": VERSION,
        "documents": scores.documents,
        "confidence": CONFIDENCE,
        "labels": {name: _view_json(view) for name, view in span_views(scores.labels).items()},
        "links": {"strict": _view_json(scores.links.strict), "overlap": _view_json(scores.links.overlap)},
        "statements": _view_json(scores.statements),
        "attributes": {
            name: {"accuracy": accuracy.value, "correct": accuracy.correct, "support": accuracy.support}
            for name, accuracy in scores.attributes.items()
        },
    }


def span_views(views: SpanViews) -> dict[str, View]:
    """The four criteria by name, the strictest first."""
    return {"strict": views.strict, "boundary": views.boundary, "overlap": views.overlap, "type": views.type}


def tables(scores: Scores) -> list[Table]:
    """The scores as tables for a terminal, in per cent: labels, views, attributes, links, statements; no empty one."""
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
    """A table of text: its first column names the row, the others hold figures; the last ``sums`` rows sum up."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sums: int = 0


def _grids(scores: Scores) -> list[_Grid]:
    attributes = tuple(
        (name, str(accuracy.support), _percent(accuracy.value)) for name, accuracy in scores.attributes.items()
    )
    views = tuple((name, *_figures(view.micro)) for name, view in span_views(scores.labels).items())
    statements = tuple((name, str(one.counts.gold), *_figures(one)) for name, one in _rows(scores.statements))
    grids = [
        _span_grid("label", scores.labels),
        _Grid(("view (micro)", "P", "R", _F1), views),
        _Grid(("attribute", "support", "accuracy"), attributes),
        _span_grid("link", scores.links),
        _Grid(("statement, end to end", "support", "P", "R", _F1), statements, sums=1),
    ]
    return [grid for grid in grids if len(grid.rows) > grid.sums]


_F1 = f"F1 [{100 * CONFIDENCE:.0f} %]"


def _span_grid(what: str, views: SpanViews | Views) -> _Grid:
    figures = tuple(f"{name} {figure}" for name in ("strict", "overlap") for figure in ("P", "R", _F1))
    rows = [
        (name, str(strict.counts.gold), *_figures(strict), *_figures(overlap))
        for (name, strict), (_, overlap) in zip(_rows(views.strict), _rows(views.overlap), strict=True)
    ]
    macro = ("macro", "", *_figures(views.strict.macro), *_figures(views.overlap.macro))
    return _Grid((what, "support", *figures), (*rows, macro) if rows[1:] else (), sums=2)


def _rows(view: View) -> list[tuple[str, Score]]:
    """The scores of each name, then that of all together."""
    return [*view.by_name.items(), ("micro", view.micro)]


def _agreement_grid(what: str, views: SpanViews | Views) -> _Grid:
    rows = tuple(
        (name, str(strict.counts.gold), str(strict.counts.predicted), _figures(strict)[2], _figures(overlap)[2])
        for (name, strict), (_, overlap) in zip(_rows(views.strict), _rows(views.overlap), strict=True)
    )
    return _Grid((what, "first", "second", f"strict {_F1}", f"overlap {_F1}"), rows, sums=1)


def _figures(score: Score | Average) -> tuple[str, str, str]:
    """Precision, recall, and F1 with its interval."""
    figures = score if isinstance(score, Average) else score.counts
    return _percent(figures.precision), _percent(figures.recall), f1_and_interval(score)


def f1_and_interval(score: Score | Average) -> str:
    """F1 and its interval in per cent, as ``76.0 [73.4, 78.5]``."""
    figures, interval = score if isinstance(score, Average) else score.counts, score.interval
    return f"{_percent(figures.f1)} [{_percent(interval.low)}, {_percent(interval.high)}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _print(tables: Sequence[Table]) -> None:
    Console(width=max(Console().width, 126)).print(*tables)


def _rich(grid: _Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, title in enumerate(grid.header):
        table.add_column(title, justify="right" if index else "left", overflow="fold")
    for index, row in enumerate(grid.rows, start=1):
        table.add_row(*row, end_section=index == len(grid.rows) - grid.sums)
    return table


def _markdown(grid: _Grid) -> str:
    rule = ("---", *("---:" for _ in grid.header[1:]))
    return "".join(f"| {' | '.join(row)} |\n" for row in (grid.header, rule, *grid.rows))


def _view_json(view: View) -> dict[str, Any]:
    macro = view.macro
    return {
        "micro": _score_json(view.micro),
        "macro": {
            "precision": macro.precision,
            "recall": macro.recall,
            "f1": macro.f1,
            "f1_interval": _interval_json(macro.interval),
        },
        "by_name": {name: _score_json(score) for name, score in view.by_name.items()},
    }


def _score_json(score: Score) -> dict[str, Any]:
    counts = score.counts
    return {
        "precision": counts.precision,
        "precision_interval": _interval_json(score.precision_interval),
        "recall": counts.recall,
        "recall_interval": _interval_json(score.recall_interval),
        "f1": counts.f1,
        "f1_interval": _interval_json(score.interval),
        "correct": counts.correct,
        "predicted": counts.predicted,
        "gold": counts.gold,
    }


def _interval_json(interval: Interval) -> list[float]:
    return [interval.low, interval.high]
