"""Commands that measure: evaluate, score, report, agreement."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attackspan import formats
from attackspan.cli.support import PATHS, extra, schema_of
from attackspan.errors import AttackspanError
from attackspan.schema import default_schema
from attackspan.textfiles import replacing

if TYPE_CHECKING:
    from attackspan.eval.metrics import Scores


@click.command()
@click.argument("model")
@click.argument("data", nargs=-1, required=True, type=PATHS)
@click.option("--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True,
              help="Which split, where DATA is a dataset folder.")  # fmt: skip
@click.option("-o", "--output", type=PATHS, default="scores.json", show_default=True, help="The figures as JSON.")
def evaluate(model: str, data: tuple[Path, ...], split: str, output: Path) -> None:
    """Score MODEL on the annotated documents in DATA: files, folders, or a dataset that `build` wrote."""
    from attackspan import load
    from attackspan.eval.evaluate import show
    from attackspan.eval.metrics import score

    tagger = load(model)
    if len(data) == 1 and (data[0] / "dataset_dict.json").is_file():
        with extra("train"):
            from attackspan.training.dataset import load_dataset
        gold = load_dataset(data[0])[0][split]
    else:
        gold = list(formats.read(data, tagger.schema))
    if not gold:
        raise AttackspanError(f"{data[0]}: no documents in the split {split!r}")
    scores = score(gold, list(tagger.predict(gold)), tagger.schema)
    _write_scores(scores, output)
    show(scores)
    click.echo(f"{scores.documents} documents; figures also in {output}")


@click.command(name="score")
@click.argument("gold", type=PATHS)
@click.argument("predicted", metavar="PRED", type=PATHS)
@click.option(
    "--schema", type=PATHS, help="A schema.json. Default: the labels of CoNLL files, else attacks in the news."
)
@click.option("-o", "--output", type=PATHS, help="The figures as JSON too, in the form of `evaluate`.")
def score_command(gold: Path, predicted: Path, schema: Path | None, output: Path | None) -> None:
    """Score PRED, anyone's predictions, against GOLD: files or folders in any of our formats. Needs no model.

    Documents are paired by their ids: both sides must hold the same ones, with the same texts. The ids of CoNLL
    documents come from their file's name, so give the files of both sides the same names. A document without spans is
    scored like any other; a file without a document is an error. A label that only one side's CoNLL files use counts as
    missed or as spurious.
    """
    from attackspan.eval.evaluate import show
    from attackspan.eval.metrics import score

    labels = schema_of({"gold": (gold,), "predicted": (predicted,)}, schema)
    scores = score(list(formats.read([gold], labels)), list(formats.read([predicted], labels)), labels)
    if output:
        _write_scores(scores, output)
    show(scores)
    click.echo(f"{scores.documents} documents")


@click.command()
@click.argument("models", metavar="MODEL…", nargs=-1, required=True)
@click.argument("data", type=PATHS)
@click.option("-o", "--output", type=PATHS, default="report", show_default=True, help="Folder to write.")
@click.option("--second", type=PATHS, help="Another marking of the same documents: the ceiling.")
@click.option("--train", type=PATHS, help="The training documents: tells new actors from known ones.")
@click.option("--seed", default=0, show_default=True, help="Of the bootstrap.")
def report(
    models: tuple[str, ...], data: Path, output: Path, second: Path | None, train: Path | None, seed: int
) -> None:
    """Report on MODEL with the documents in DATA: figures, errors in their sentences, slices, calibration.

    A MODEL is a checkpoint folder, a hub id, or a .jsonl file of predictions for the same documents. The report shows
    the first in full and compares the others with it. It writes index.html (one page that needs no network),
    report.md and report.json.
    """
    from attackspan import load
    from attackspan.training.suggest import suggest as by_rules

    with extra("report"):
        from attackspan.eval import page
        from attackspan.eval.report import Run, gather

    taggers = {name: load(name) for name in models if not name.endswith(".jsonl")}
    schema = next((tagger.schema for tagger in taggers.values()), default_schema())
    gold = list(formats.read([data], schema))
    floors = {"nothing": [replace(document, spans=(), links=()) for document in gold]}
    if schema == default_schema():
        floors = {"rules (attackspan suggest)": [by_rules(document) for document in gold], **floors}
    runs = [
        Run.of_model(name, taggers[name], gold) if name in taggers else Run.of_file(Path(name), schema)
        for name in models
    ]
    found = gather(
        str(data),
        gold,
        runs,
        schema,
        second=list(formats.read([second], schema)) if second else [],
        floors=floors,
        train=list(formats.read([train], schema)) if train else [],
        seed=seed,
    )
    page.write(found, output)
    strict = found.models[0].scores.labels.strict.micro.counts.f1
    click.echo(f"{output / 'index.html'}: {len(gold)} documents, {100 * strict:.1f} strict micro F1")


@click.command()
@click.argument("first", type=PATHS)
@click.argument("second", type=PATHS)
@click.option("-o", "--output", type=PATHS, help="The figures as JSON too.")
def agreement(first: Path, second: Path, output: Path | None) -> None:
    """How far two annotators agree: strict and overlap F1 by label and link, for FIRST and SECOND, two markings of the
    same documents."""
    from attackspan.eval.evaluate import show_agreement
    from attackspan.eval.metrics import score

    scores = score(list(formats.read([first])), list(formats.read([second])), default_schema())
    if output:
        _write_scores(scores, output)
    show_agreement(scores)
    click.echo(f"{scores.documents} documents")


def _write_scores(scores: Scores, path: Path) -> None:
    from attackspan.eval.evaluate import to_json

    with replacing(path) as file:
        file.write(f"{json.dumps(to_json(scores), indent=2)}\n".encode())
