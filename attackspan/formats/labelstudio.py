"""Label Studio's JSON: a list of tasks, each a text with annotations of persons or predictions of models.

Offsets count characters (code points): Label Studio's editor converts them from the UTF-16 units of the browser, and
counts a carriage return and a newline as one each. In the ``text`` of a region it writes line breaks as ``\\n``, in two
characters, and leaves out white space that the page does not show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.formats.objects import dump, name_of, parse, take
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import problem, replacing, whole

_LABEL, _TEXT = "label", "text"
"""The names of the tags that mark and that show the text."""

_BLANK = re.compile(r"\\n|\s")
_COLOURS = ("#4c78a8", "#e45756", "#f2a900", "#54a24b", "#b279a2", "#72b7b2", "#9d755d", "#8c8c8c")


def read_labelstudio(path: Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of an export in the format "JSON", or of a file of tasks to import, one after the other.

    Of a task's annotations the one starred as ground truth counts, else the newest; spans then have no scores. Where
    there is no annotation the newest prediction counts, with its scores. A task that its annotator skipped is passed
    over. A document is taken from ``data``: its ``text``, ``id``, ``title``, ``source`` and ``date``; one without an id
    gets ``<file name without ending>-<number from 1>``.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or not JSON, or holds no document; or a task is not of
            this form, was annotated by several persons of whom none is starred, has a result that a document has no
            place for, is no valid document or has the id of one before it. The message names the task by its number.
    """
    path, schema = Path(path), schema or default_schema()
    tasks = parse(path, whole(path))
    if not isinstance(tasks, list):
        raise problem(path, None, f"not a list of tasks but {tasks!r:.40}; export from Label Studio as JSON")
    first: dict[str, int] = {}
    for number, task in enumerate(tasks, 1):
        try:
            document = _document(task, f"{path.stem}-{number}", schema)
        except AttackspanError as error:
            raise problem(path, None, f"task {number}: {error}") from error
        if document is None:
            continue
        if document.id in first:
            raise problem(path, None, f"task {number}: the id {document.id!r} has task {first[document.id]} already")
        first[document.id] = number
        yield document
    if not first:
        raise problem(path, None, "no task in it that was not skipped")


def write_labelstudio(documents: Iterable[Document], path: Path, model: str | None = None) -> Counter[str]:
    """Write documents as tasks to import, in their order.

    Args:
        documents: taken one at a time.
        path: replaced as a whole when it is complete.
        model: whose proposals they are. They become predictions, for an annotator to mend. By default so do those with
            scores; those without are a person's, and become annotations.

    Returns:
        What Label Studio cannot hold: nothing.

    Raises:
        AttackspanError: the file cannot be written, or JSON cannot hold a document.
    """
    path = Path(path)
    with replacing(path) as file:
        before = b"[\n"
        for document in documents:
            file.write(before + dump(path, document.id, _task(document, model)))
            before = b",\n"
        file.write(b"\n]\n" if before == b",\n" else b"[]\n")
    return Counter()


def labeling_config(schema: Schema) -> str:
    """The labelling interface of a project whose tasks ``write_labelstudio`` wrote, as XML."""
    roles = dict.fromkeys(role.name for _, role in schema.roles)
    rows = ["<View>"]
    if roles:
        rows += ["  <Relations>", *(f'    <Relation value="{name}"/>' for name in roles), "  </Relations>"]
    rows.append(f'  <Labels name="{_LABEL}" toName="{_TEXT}">')
    rows += [
        f'    <Label value="{name}" background="{_COLOURS[number % len(_COLOURS)]}"/>'
        for number, name in enumerate(schema.names)
    ]
    rows += [
        "  </Labels>",
        '  <Header value="$title"/>',
        "  <Style>.htx-richtext {white-space: pre-wrap}</Style>",
        f'  <Text name="{_TEXT}" value="$text"/>',
    ]
    for label, attribute in schema.attributes:
        rows += [
            f'  <Choices name="{label.name}-{attribute.name}" toName="{_TEXT}" perRegion="true" required="true"',
            f'           visibleWhen="region-selected" whenTagName="{_LABEL}" whenLabelValue="{label.name}">',
            *(f'    <Choice value="{value}"/>' for value in attribute.names),
            "  </Choices>",
        ]
    return "\n".join([*rows, "</View>", ""])


def _document(task: Any, name: str, schema: Schema) -> Document | None:
    data = take(task, "data", dict)
    text = take(data, "text", str)
    annotations = take(task, "annotations", list, [])
    if annotations:
        kept = [one for one in annotations if not take(one, "was_cancelled", bool, False)]
        if not kept:
            return None
        marking, scored = take(_chosen(kept), "result", list), False
    else:
        predictions = take(task, "predictions", list, [])
        if any(isinstance(one, int) for one in predictions):
            raise AttackspanError("its prediction is only a number: export with predictions, or annotated tasks only")
        marking, scored = take(_newest(predictions), "result", list) if predictions else [], True
    spans, links = _marking(marking, text, schema, scored)
    about = {key: take(data, key, str, "") for key in ("title", "source", "date")}
    return Document(name_of(data, name), text, spans, links, schema=schema, **about)


def _chosen(annotations: list[Any]) -> Any:
    """The annotation that counts."""
    kept = [one for one in annotations if take(one, "ground_truth", bool, False)] or annotations
    people = {_person(one.get("completed_by")) for one in kept}
    if len(people) > 1:
        who = ", ".join(sorted(people))
        raise AttackspanError(f"annotated by {len(people)} persons, {who}; star one annotation as ground truth")
    return _newest(kept)


def _person(completed_by: Any) -> str:
    """A snapshot may give the person instead of their number."""
    return str(completed_by.get("email") if isinstance(completed_by, dict) else completed_by)


def _newest(versions: list[Any]) -> Any:
    return max(versions, key=lambda one: take(one, "updated_at", str, take(one, "created_at", str, "")))


def _marking(results: list[Any], text: str, schema: Schema, scored: bool) -> tuple[tuple[Span, ...], tuple[Link, ...]]:
    """The spans and links of an annotation. Results with one id make a span: its label, and its attributes."""
    regions: dict[str, tuple[str, int, int, float | None]] = {}
    attributes: dict[str, dict[str, str]] = {}
    links: list[Link] = []
    for one in results:
        kind, score = take(one, "type", str), _score(one) if scored else None
        if kind == "labels":
            name = take(one, "id", str)
            if name in regions:
                raise AttackspanError(f"two regions have the id {name!r}")
            regions[name] = (*_region(one, text), score)
        elif kind in ("choices", "taxonomy"):
            values = attributes.setdefault(take(one, "id", str), {})
            # Ours are named <label>-<attribute>, others perhaps only <attribute>.
            values[take(one, "from_name", str).rpartition("-")[2]] = _value(one, kind)
        elif kind == "relation":
            head, tail = _ends(one)
            links += [Link(role, head, tail, score) for role in _some(one, "labels")]
        else:
            raise AttackspanError(f"a document has no place for a result of the type {kind!r}; delete it")
    if strays := sorted(attributes.keys() - regions.keys()):
        raise AttackspanError(f"choice {attributes[strays[0]]} belongs to {strays[0]!r}, which is no region")
    spans = (
        Span(name, label, start, end, text[start:end], score, attributes.get(name, {}))
        for name, (label, start, end, score) in regions.items()
    )
    return tuple(spans), tuple(links)


def _region(result: Any, text: str) -> tuple[str, int, int]:
    """Label, start and end of a region, whose text has to be the text there."""
    value = take(result, "value", dict)
    start, end, names = take(value, "start", int), take(value, "end", int), _some(value, "labels")
    there = text[max(0, start) : max(0, end)]
    said = take(value, "text", str, there)
    if _BLANK.sub("", said) != _BLANK.sub("", there):
        raise AttackspanError(
            f"region {result['id']!r} [{start}:{end}] says {said[:40]!r}, but the text there is {there[:40]!r}; an old "
            "Label Studio counts UTF-16 units and not characters: export from a new one"
        )
    if len(names) > 1:
        raise AttackspanError(f"region {result['id']!r} has the labels {', '.join(names)}; a span has one")
    return names[0], start, end


def _value(result: Any, kind: str) -> str:
    """The one value of a choice; of a taxonomy, whose values are paths, the end of the path."""
    chosen = take(take(result, "value", dict), kind, list)
    match chosen:
        case [str(name)] | [[*_, str(name)]]:
            return name
    raise AttackspanError(f"region {result['id']!r} has the {kind} {chosen!r:.60}; an attribute has one value")


def _ends(relation: Any) -> tuple[str, str]:
    """The ids that a relation leads from and to."""
    ends = take(relation, "from_id", str), take(relation, "to_id", str)
    match take(relation, "direction", str, "right"):
        case "right":
            return ends
        case "left":
            return ends[1], ends[0]
    raise AttackspanError(f"the relation from {ends[0]!r} to {ends[1]!r} has to lead one way, from the statement")


def _some(data: Any, key: str) -> list[str]:
    """A list of one name or more."""
    names = take(data, key, list, [])
    if not names or not all(isinstance(name, str) for name in names):
        raise AttackspanError(f"no {key!r} in {data!r:.60}")
    return names


def _score(result: Any) -> float | None:
    score = result.get("score")
    return score if score is None or isinstance(score, int) else take(result, "score", float)


def _task(document: Document, model: str | None) -> dict[str, Any]:
    data = {key: getattr(document, key) for key in ("id", "text", "title", "source", "date")}
    if model is None and not any(_scored(span) for span in document.spans) and not any(map(_scored, document.links)):
        return {"data": data, **({"annotations": [{"result": _results(document)}]} if document.spans else {})}
    prediction: dict[str, Any] = {"model_version": model or "attackspan", "result": _results(document)}
    if scores := [span.score for span in document.spans if span.score is not None]:
        prediction["score"] = fmean(scores)
    return {"data": data, "predictions": [prediction]}


def _results(document: Document) -> list[dict[str, Any]]:
    """What Label Studio keeps of an annotation: a result for each region, attribute and link."""
    results: list[dict[str, Any]] = []
    for span in document.spans:
        place = {"start": span.start, "end": span.end, "text": span.text}
        region = {"id": span.id, "to_name": _TEXT}
        label = {**region, "from_name": _LABEL, "type": "labels", "value": {**place, "labels": [span.label]}}
        results.append(label | _scored(span))
        results += [
            {**region, "from_name": f"{span.label}-{name}", "type": "choices", "value": {**place, "choices": [value]}}
            for name, value in span.attributes.items()
        ]
    for link in document.links:
        tie = {"type": "relation", "from_id": link.head, "to_id": link.tail, "direction": "right"}
        results.append({**tie, "labels": [link.role]} | _scored(link))
    return results


def _scored(piece: Span | Link) -> dict[str, float]:
    return {} if piece.score is None else {"score": piece.score}
