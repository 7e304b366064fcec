"""Plots as SVG to stand inside a page: no style attributes, for the page's policy forbids them, and its own colours."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from attackspan.eval.calibration import Calibration
from attackspan.schema import Schema

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SVG = "{http://www.w3.org/2000/svg}"
_FONT_SIZE = re.compile(r"([\d.]+)px")
_INK, _LABEL = "#000001", "#0000f{:x}"
"""Colours that matplotlib draws in, each to be replaced by one of the page's: that of text, and the labels' in turn."""
LABEL_COLOURS = 8
"""How many colours the page has for labels; they repeat."""


def reliability(calibration: Calibration) -> str:
    """Accuracy over score by bin, above the number of spans in each."""
    figure, (above, below) = _figure(2, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=(0, (4, 4)))
    bins = calibration.bins
    above.plot([one.confidence for one in bins], [one.accuracy for one in bins], "o-", color=_LABEL.format(0))
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is right")
    below.bar([one.low for one in bins], [one.spans for one in bins], 0.097, align="edge", color=_LABEL.format(0))
    below.set(xlim=(0, 1), xlabel="score", ylabel="spans")
    points = "; ".join(f"score {one.confidence:.2f}: {one.accuracy:.0%} of {one.spans} right" for one in bins)
    return _svg(figure, "reliability", "Reliability diagram", f"Dashed: scores that mean what they say. {points}.")


def precision_recall(calibration: Calibration, schema: Schema) -> str:
    """Precision over recall, a curve for each label."""
    figure, (axes,) = _figure(1)
    for curve in calibration.curves:
        colour = _LABEL.format(schema.names.index(curve.label) % LABEL_COLOURS)
        axes.step([0, *curve.recall], [*curve.precision[:1], *curve.precision], where="pre", color=colour)
        if curve.recall:
            axes.annotate(
                curve.label, (curve.recall[-1], curve.precision[-1]), (4, -2), textcoords="offset points", color=_INK
            )
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    ends = "; ".join(f"{one.label}: average precision {one.average:.2f}" for one in calibration.curves)
    return _svg(figure, "precision-recall", "Precision and recall by label", f"{ends}.")


def _figure(rows: int, height_ratios: tuple[int, ...] | None = None) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.4), layout="constrained", facecolor="none")
    found = figure.subplots(rows, squeeze=False, sharex=True, height_ratios=height_ratios)[:, 0].tolist()
    for axes in found:
        axes.set_facecolor("none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_INK)
        axes.tick_params(colors=_INK)
        axes.grid(color=_INK, alpha=0.12)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_color(_INK)
    return figure, found


def _svg(figure: Figure, name: str, title: str, description: str) -> str:
    """The figure as one element, named for those who do not see it. ``name`` keeps its ids apart from other plots'."""
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), StringIO() as file:
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        drawn = ElementTree.fromstring(file.getvalue())
    root = ElementTree.Element("svg", {"viewBox": drawn.get("viewBox", ""), "class": "plot", "role": "img"})
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for tag, text in (("title", title), ("desc", description)):
        ElementTree.SubElement(root, tag, {"id": f"{name}-{'title' if tag == 'title' else 'description'}"}).text = text
    root.extend(child for child in drawn if child.tag not in (f"{_SVG}metadata", f"{_SVG}title"))
    for parent in root.iter():
        parent.tag = parent.tag.removeprefix(_SVG)
        for child in [child for child in parent if child.tag == f"{_SVG}style"]:
            parent.remove(child)
        for key in [key for key in parent.attrib if key == "style" or "}" in key]:
            value = parent.attrib.pop(key)
            if key == "style":
                parent.attrib.update(_presentation(value))
            else:
                parent.set(key.partition("}")[2], value)  # SVG 2 links by a plain href
        if identifier := parent.get("id"):
            parent.set("id", identifier if identifier.startswith(name) else f"{name}-{identifier}")
        for key, value in parent.attrib.items():
            if key != "viewBox":
                parent.set(key, _reference(_colours(value), name))
    return ElementTree.tostring(root, "unicode")


def _presentation(style: str) -> dict[str, str]:
    """A style attribute as attributes of their own. The font is the page's; its size stays."""
    found = dict(part.strip().split(": ", 1) for part in style.split(";") if part.strip())
    if size := _FONT_SIZE.search(found.pop("font", "")):
        found["font-size"] = size[1]
    return found


def _colours(value: str) -> str:
    """The page's colours in place of those that matplotlib drew in."""
    value = value.replace(_INK, "currentColor")
    for index in range(LABEL_COLOURS):
        value = value.replace(_LABEL.format(index), f"var(--c{index})")
    return value


def _reference(value: str, name: str) -> str:
    """References to ids, which bear the plot's name."""
    return re.sub(r"^#|(?<=url\(#)", lambda match: f"{match[0]}{name}-", value)
