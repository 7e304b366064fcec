"""A report as files: one self-contained HTML page, the same figures in Markdown and in JSON."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from attackspan.document import Document
from attackspan.eval.errors import KINDS, Error
from attackspan.eval.evaluate import span_views
from attackspan.eval.passages import Passage, passage, sentences, surroundings
from attackspan.eval.plots import LABEL_COLOURS, precision_recall, reliability
from attackspan.eval.report import Report, to_json
from attackspan.eval.slices import Slice
from attackspan.textfiles import problem, replacing

TEMPLATES = Path(__file__).with_name("templates")
EXAMPLES = 6
"""Errors shown of each kind and label, of different documents, the surest first; report.json holds all."""
DOCUMENTS = 200
"""Whole documents on the page, the worst first; the more would make it slow."""

LANES = 6
"""Lanes of bars that the style knows on either side of a text; labels that nest more deeply share the last."""


def write(report: Report, folder: Path) -> None:
    """Write index.html, report.md and report.json into a folder, made where it is missing.

    Raises:
        AttackspanError: the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise problem(folder, None, error.strerror) from error
    contents = {
        "index.html": html(report),
        "report.md": markdown(report),
        "report.json": json.dumps(to_json(report), indent=2) + "\n",
    }
    for name, content in contents.items():
        with replacing(folder / name) as file:
            file.write(content.encode("utf-8", "replace"))  # a lone surrogate has no UTF-8


def html(report: Report) -> str:
    """The page. It loads nothing: its policy allows only its own style and script, by their sha256."""
    environment = _environment(report)
    style = environment.get_template("report.css.jinja").render(
        lanes=LANES,
        slots=[f"{side}{lane}" for side in "gp" for lane in range(LANES)],
        colours=LABEL_COLOURS,
    )
    script = (TEMPLATES / "report.js").read_text("utf-8")
    worst = sorted(report.pairs, key=lambda pair: (-len(report.errors[pair[0].id]), pair[0].id))[:DOCUMENTS]
    every = [error for found in report.errors.values() for error in found]
    views = [span_views(model.scores.labels) for model in report.models]
    calibration = report.calibration
    return environment.get_template("report.html.jinja").render(
        report=report,
        first=report.models[0],
        views=views,
        kinds=KINDS,
        counts=Counter((error.kind, error.label) for error in every),
        total=len(every),
        examples=_examples(report, every),
        anchors={gold.id: f"d{number}" for number, (gold, _) in enumerate(worst)},
        worst=[(gold, predicted, _whole(gold, predicted)) for gold, predicted in worst],
        slices=_by_dimension(report),
        plots=[Markup(plot) for plot in (reliability(calibration), precision_recall(calibration, report.schema))]
        if calibration
        else [],
        style=Markup(style),
        script=Markup(script),
        style_hash=_sha256(style),
        script_hash=_sha256(script),
    )


def markdown(report: Report) -> str:
    """The figures as tables in GitHub's Markdown, without the texts."""
    return (
        _environment(report)
        .get_template("report.md.jinja")
        .render(
            report=report,
            first=report.models[0],
            views=[span_views(model.scores.labels) for model in report.models],
            kinds=KINDS,
            counts=Counter((error.kind, error.label) for found in report.errors.values() for error in found),
        )
    )


def _environment(report: Report) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html.jinja")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    colours = {label: f"c{index % LABEL_COLOURS}" for index, label in enumerate(report.schema.names)}
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.1f}",
        "points": lambda share: f"{100 * share:+.1f}".replace("-", "−"),
        "colour": colours.__getitem__,
        "cell": lambda text: re.sub(r"([\\|`*_<>\[\]])", r"\\\1", " ".join(str(text).split())),
    }
    return environment


def _examples(report: Report, every: Iterable[Error]) -> list[tuple[Error, Passage]]:
    """Errors of each kind and label, each with its sentence; by kind, then by label."""
    ranked: dict[tuple[str, str], list[tuple[int, Error]]] = {}
    taken: Counter[tuple[str, str, str]] = Counter()
    for error in sorted(every, key=lambda one: -one.score):  # a document's second example comes after all firsts
        ranked.setdefault((error.kind, error.label), []).append((taken[error.kind, error.label, error.document], error))
        taken[error.kind, error.label, error.document] += 1
    pairs = {gold.id: (gold, predicted) for gold, predicted in report.pairs}
    chosen = [
        error
        for kind in KINDS
        for label in report.schema.names
        for _, error in sorted(ranked.get((kind, label), ()), key=lambda one: one[0])[:EXAMPLES]
    ]
    bounds = {name: sentences(pairs[name][0].text) for name in {error.document for error in chosen}}
    found = []
    for error in chosen:
        gold, predicted = pairs[error.document]
        start, end = surroundings(bounds[error.document], *error.bounds)
        found.append((error, passage(gold.text, gold.spans, predicted.spans, start, end)))
    return found


def _by_dimension(report: Report) -> dict[str, list[Slice]]:
    """The slices of each dimension, in order."""
    found: dict[str, list[Slice]] = {}
    for one in report.slices:
        found.setdefault(one.dimension, []).append(one)
    return found


def _whole(gold: Document, predicted: Document) -> Passage:
    return passage(gold.text, gold.spans, predicted.spans, 0, len(gold.text))


def _sha256(text: str) -> str:
    """A hash as a content security policy takes it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
