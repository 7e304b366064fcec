"""Everything that a report of one or more models says, gathered: figures, bounds, errors, slices, calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from attackspan import __version__, formats
from attackspan.document import Document, data_hash
from attackspan.errors import AttackspanError
from attackspan.eval.bench.compare import machine
from attackspan.eval.bootstrap import RESAMPLES
from attackspan.eval.calibration import Calibration, calibration
from attackspan.eval.comparison import STRICT, Comparison, compare
from attackspan.eval.errors import Error, errors
from attackspan.eval.evaluate import to_json as scores_to_json
from attackspan.eval.matching import match, pair
from attackspan.eval.metrics import VERSION, Scores, score, scores, tally
from attackspan.eval.slices import Slice, slices
from attackspan.model.checkpoint import DEFAULT, MANIFEST, locate, sha256
from attackspan.model.predictor import Tagger
from attackspan.model.tokens import Tokenizer
from attackspan.schema import Schema


@dataclass(frozen=True, slots=True)
class Run:
    """A model's answer to the gold documents.

    Attributes:
        name: as the user gave it.
        sha256: of the checkpoint's manifest, which lists the sha256 of each of its files; or of the predictions' file.
        documents: as the model labelled them.
        related: the gold spans with the attributes and links that the model gives them; none without a checkpoint.
    """

    name: str
    sha256: str
    documents: Sequence[Document]
    related: Sequence[Document] = ()

    @classmethod
    def of_model(cls, name: str, tagger: Tagger, gold: Sequence[Document]) -> Run:
        """Run a tagger that was loaded by this name."""
        related = [tagger.relate(document) for document in gold]
        return cls(name, sha256(locate(name) / MANIFEST), list(tagger.predict(gold)), related)

    @classmethod
    def of_file(cls, path: Path, schema: Schema) -> Run:
        """Read anyone's predictions.

        Raises:
            AttackspanError: what ``formats.read`` raises.
        """
        return cls(str(path), sha256(path), list(formats.read([path], schema)))


@dataclass(frozen=True, slots=True)
class Model:
    """A run's figures. ``on_gold``: of its attributes and links where the gold spans are given; none of a file."""

    name: str
    sha256: str
    scores: Scores
    on_gold: Scores | None


@dataclass(frozen=True, slots=True)
class Bound:
    """What to hold a model's figures against: another marking, rules, nothing.

    Attributes:
        name: what it is.
        scores: its figures, with the gold data as gold.
        whole: how many documents it has entirely right: each span, none too many.
    """

    name: str
    scores: Scores
    whole: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a gold value (rows) got a predicted value (columns), over strictly matched spans.

    ``counts`` has shape (values, values), in the order of ``values``: those that occur on either side.
    """

    attribute: str
    values: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report. The first model is the one whose errors, slices and calibration it shows.

    Attributes:
        data: the gold data's path.
        data_sha256: of the gold documents with their markings, in any order.
        created: the day, in ISO form.
        machine: what it was made on.
        version: attackspan's, and the scorer's behind it.
        seed: of every bootstrap.
        resamples: of every bootstrap.
        schema: the labels.
        pairs: the (gold, predicted) documents of the first model, in the order of their ids.
        models: every model's figures.
        bounds: on the documents of the second marking, where there is one, else on all: it, the models, the floors.
        confusions: of each attribute.
        errors: of the first model, by document.
        slices: of the first model.
        calibration: of the first model; none where its spans have no scores.
        comparisons: the first model with each of the others.
    """

    data: str
    data_sha256: str
    created: str
    machine: str
    version: str
    seed: int
    resamples: int
    schema: Schema
    pairs: Sequence[tuple[Document, Document]]
    models: tuple[Model, ...]
    bounds: tuple[Bound, ...]
    confusions: tuple[Confusion, ...]
    errors: Mapping[str, Sequence[Error]] = field(hash=False)
    slices: tuple[Slice, ...]
    calibration: Calibration | None
    comparisons: tuple[Comparison, ...]


def gather(
    data: str,
    gold: Sequence[Document],
    runs: Sequence[Run],
    schema: Schema,
    *,
    second: Sequence[Document] = (),
    floors: Mapping[str, Sequence[Document]],
    train: Sequence[Document] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Report:
    """Measure everything.

    Args:
        data: the gold data's path, to name it by.
        gold: the documents as they should be.
        runs: one or more models' answers.
        schema: the labels.
        second: another marking of all or some of the documents: the agreement that a model can hope for.
        floors: answers that any model should beat, by their names, each of all documents.
        train: the documents that the first model learned from, to tell new actors from known ones.
        seed: of every bootstrap.
        resamples: of every bootstrap.

    Raises:
        AttackspanError: a model is given twice, or a side's documents are not the gold ones; the message names it.
    """
    sides = {run.name: run.documents for run in runs}
    if len(sides) < len(runs):
        raise AttackspanError("a model is given twice; name each once")
    paired = {name: _paired(name, gold, documents, schema) for name, documents in sides.items()}
    pairs = paired[runs[0].name]
    tallies = {name: tally(one, schema) for name, one in paired.items()}
    marked = {document.id for document in second or gold}
    shared = [document for document in gold if document.id in marked]
    bounds = {"second marking": second} if second else {}
    for name, documents in {**sides, **floors}.items():
        bounds[name] = [document for document in documents if document.id in marked]
    return Report(
        data=data,
        data_sha256=data_hash(gold),
        created=date.today().isoformat(),
        machine=machine(),
        version=f"attackspan {__version__}, scorer {VERSION}",
        seed=seed,
        resamples=resamples,
        schema=schema,
        pairs=pairs,
        models=tuple(
            Model(
                run.name,
                run.sha256,
                scores(tallies[run.name], schema, seed=seed, resamples=resamples),
                score(gold, run.related, schema, seed=seed, resamples=resamples) if run.related else None,
            )
            for run in runs
        ),
        bounds=tuple(_bound(name, shared, documents, schema, seed, resamples) for name, documents in bounds.items()),
        confusions=_confusions(pairs, schema),
        errors={truth.id: errors(truth, guess, schema) for truth, guess in pairs},
        slices=tuple(slices(pairs, schema, Tokenizer.load(DEFAULT / "tokenizer.json"), train, seed, resamples)),
        calibration=calibration(pairs, schema),
        comparisons=tuple(
            compare((runs[0].name, run.name), tallies[runs[0].name], tallies[run.name], schema, seed, resamples)
            for run in runs[1:]
        ),
    )


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain dicts, ready for JSON; a model's figures have the form of ``evaluate.to_json``."""
    return {
        "data": report.data,
        "data_sha256": report.data_sha256,
        "created": report.created,
        "machine": report.machine,
        "version": report.version,
        "seed": report.seed,
        "resamples": report.resamples,
        "models": [
            {
                "name": model.name,
                "sha256": model.sha256,
                "scores": scores_to_json(model.scores),
                "on_gold_spans": model.on_gold and _on_gold(scores_to_json(model.on_gold)),
            }
            for model in report.models
        ],
        "bounds": [
            {"name": bound.name, "documents_entirely_right": bound.whole, "scores": scores_to_json(bound.scores)}
            for bound in report.bounds
        ],
        "confusions": [asdict(confusion) for confusion in report.confusions],
        "slices": [asdict(one) for one in report.slices],
        "calibration": report.calibration and asdict(report.calibration),
        "comparisons": [asdict(comparison) for comparison in report.comparisons],
        "errors": [error.to_dict() for found in report.errors.values() for error in found],
    }


def _on_gold(scores: dict[str, Any]) -> dict[str, Any]:
    """What is not given away with the spans."""
    return {name: scores[name] for name in ("links", "statements", "attributes")}


def _paired(
    name: str, gold: Sequence[Document], documents: Sequence[Document], schema: Schema
) -> list[tuple[Document, Document]]:
    try:
        return pair(gold, documents, schema)
    except AttackspanError as error:
        raise AttackspanError(f"{name}: {error}") from error


def _bound(
    name: str, gold: Sequence[Document], documents: Sequence[Document], schema: Schema, seed: int, resamples: int
) -> Bound:
    found = tally(_paired(name, gold, documents, schema), schema)
    counts = found.labels[:, STRICT].sum(axis=1)
    correct, predicted, truths = np.moveaxis(counts, -1, 0)
    whole = int(((correct == predicted) & (correct == truths)).sum())
    return Bound(name, scores(found, schema, seed=seed, resamples=resamples), whole)


def _confusions(pairs: Sequence[tuple[Document, Document]], schema: Schema) -> tuple[Confusion, ...]:
    found: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for gold, predicted in pairs:
        for truth, guess in match(gold, predicted, schema).strict:
            for name, value in truth.attributes.items():
                found.setdefault((truth.label, name), Counter())[value, guess.attributes[name]] += 1
    made = []
    for label, attribute in schema.attributes:
        counts = found.get((label.name, attribute.name), Counter())
        occurring = {value for both in counts for value in both}
        values = tuple(value for value in attribute.names if value in occurring)
        table = tuple(tuple(counts[row, column] for column in values) for row in values)
        made.append(Confusion(f"{label.name}.{attribute.name}", values, table))
    return tuple(one for one in made if one.values)
