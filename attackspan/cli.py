"""The command line: build, train, predict, bench, evaluate, score, report, suggest, agreement."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attackspan import __version__, formats
from attackspan.errors import AttackspanError
from attackspan.schema import Label, Schema, default_schema
from attackspan.textfiles import replacing

if TYPE_CHECKING:
    from attackspan.eval.metrics import Scores

_PATHS = click.Path(path_type=Path)


def main() -> None:
    """Run the command line; an error of the user's is one line on stderr and exit status 2."""
    try:
        status = cli.main(prog_name="attackspan", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, head say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except click.ClickException as error:
        _fail(error.format_message())
    except (AttackspanError, OSError) as error:
        _fail(str(error))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Labelled spans from news about attacks: who did it, who says so, who condemned what."""


@cli.command()
@click.argument("inputs", nargs=-1, type=_PATHS)
@click.option("-o", "--output", type=_PATHS, required=True, help="Folder to write; it must not exist yet.")
@click.option("--train", multiple=True, type=_PATHS, help="Documents for training, where the splits are given.")
@click.option("--validation", multiple=True, type=_PATHS, help="Documents to choose the model on.")
@click.option("--test", multiple=True, type=_PATHS, help="Documents for the final figures.")
@click.option(
    "--schema", type=_PATHS, help="A schema.json. Default: the labels of CoNLL files, else attacks in the news."
)
@click.option("--encoder", default="packaged", show_default=True, help="Whose tokens the spans have to fall on.")
@click.option("--shares", type=(float, float), default=(0.1, 0.1), show_default=True, help="For validation and test.")
@click.option("--seed", type=int, default=13, show_default=True, help="Of the split.")
@click.option("--snap", is_flag=True, help="Widen spans that end inside a token; the card lists them.")
def build(
    inputs: tuple[Path, ...],
    output: Path,
    train: tuple[Path, ...],
    validation: tuple[Path, ...],
    test: tuple[Path, ...],
    schema: Path | None,
    encoder: str,
    shares: tuple[float, float],
    seed: int,
    snap: bool,
) -> None:
    """Make a dataset of annotated documents: files and folders of XML, JSONL or CoNLL.

    INPUTS are split by document, near-duplicates together; or give the splits with --train, --validation and --test.
    """
    given = {"train": train, "validation": validation, "test": test}
    if bool(inputs) == any(given.values()):
        raise AttackspanError(
            "give either documents to split, or --train with --validation and --test as you have them"
        )
    if min(shares) < 0 or sum(shares) >= 1:
        raise AttackspanError(f"--shares {shares[0]} {shares[1]}: each at least 0, both together less than 1")
    paths = {"all": inputs} if inputs else {name: one for name, one in given.items() if one}
    with _extra("train"):
        from attackspan.training.build import build as build_dataset
        from attackspan.training.encoder import load_tokenizer
    built = build_dataset(
        paths, output, _schema_of(paths, schema), load_tokenizer(encoder), shares=shares, seed=seed, snap=snap
    )
    for a, b in built.straddling:
        click.echo(f"attackspan: warning: {a} and {b} are near-duplicates in two of the given splits", err=True)
    counts = ", ".join(f"{name} {len(documents)}" for name, documents in built.splits.items())
    click.echo(f"{output}: {counts} documents; {len(built.snapped)} spans widened; see {output / 'README.md'}")


@cli.command(context_settings={"ignore_unknown_options": True})
@click.option("--config", type=_PATHS, required=True, help="A YAML file such as configs/default.yaml.")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]…")
def train(config: Path, overrides: tuple[str, ...]) -> None:
    """Fine-tune an encoder on a dataset; writes a checkpoint folder with its model card and int8 export."""
    from attackspan.training.memory import restart_with_huge_pages

    restart_with_huge_pages()
    with _extra("train"):
        from attackspan.training.train import main as train_main
    train_main([str(config), *overrides])


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=_PATHS)
@click.option("--model", help="A checkpoint folder or hub id. Default: the model that ships with attackspan.")
@click.option(
    "--from", "ending", type=click.Choice(["txt", "jsonl", "xml"]), default="txt", help="What - (stdin) holds."
)
@click.option("--to", type=click.Choice(["view", "jsonl"]), help="Default: view on a terminal, jsonl elsewhere.")
@click.option("-o", "--output", type=_PATHS, help="Write a .jsonl file, or a folder of XML files, instead.")
def predict(paths: tuple[Path, ...], model: str | None, ending: str, to: str | None, output: Path | None) -> None:
    """Label documents: files or folders of text, JSONL or XML, or - for standard input."""
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    with _stdin_as_file(paths, ending) as files:
        found = formats.files(files)  # a wrong path is said before the model is opened
        tagger = load(model or DEFAULT)
        documents = tagger.predict(formats.read(found, tagger.schema))
        if output:
            formats.write(documents, output)
        elif to == "view" or (to is None and sys.stdout.isatty()):
            from rich.console import Console

            from attackspan.view import show

            console = Console()
            for document in documents:
                show(document, console)
        else:
            for document in documents:
                sys.stdout.buffer.write(f"{formats.to_jsonl(document)}\n".encode())


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=_PATHS)
@click.option("--model", help="A checkpoint folder or hub id. Default: the model that ships with attackspan.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each figure is measured.")
def bench(paths: tuple[Path, ...], model: str | None, seconds: float) -> None:
    """Measure a model on this machine, on documents of yours: speed, memory, its share of the int8 peak."""
    from attackspan import load
    from attackspan.model.checkpoint import DEFAULT

    with _extra("train"):
        from attackspan.eval.bench import installed
    texts = [document.text for document in formats.read(paths) if document.text.strip()]
    if not texts:
        raise AttackspanError(f"{paths[0]}: no text in it")
    name = model or str(DEFAULT)
    installed.show(installed.bench(load(name), name, texts, seconds))


@cli.command()
@click.argument("model")
@click.argument("data", nargs=-1, required=True, type=_PATHS)
@click.option("--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True,
              help="Which split, where DATA is a dataset folder.")  # fmt: skip
@click.option("-o", "--output", type=_PATHS, default="scores.json", show_default=True, help="The figures as JSON.")
def evaluate(model: str, data: tuple[Path, ...], split: str, output: Path) -> None:
    """Score MODEL on the annotated documents in DATA: files, folders, or a dataset that `build` wrote."""
    from attackspan import load
    from attackspan.eval.evaluate import show
    from attackspan.eval.metrics import score

    tagger = load(model)
    if len(data) == 1 and (data[0] / "dataset_dict.json").is_file():
        with _extra("train"):
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


@cli.command(name="score")
@click.argument("gold", type=_PATHS)
@click.argument("predicted", metavar="PRED", type=_PATHS)
@click.option(
    "--schema", type=_PATHS, help="A schema.json. Default: the labels of CoNLL files, else attacks in the news."
)
@click.option("-o", "--output", type=_PATHS, help="The figures as JSON too, in the form of `evaluate`.")
def score_command(gold: Path, predicted: Path, schema: Path | None, output: Path | None) -> None:
    """Score PRED, anyone's predictions, against GOLD: files or folders in any of our formats. Needs no model.

    Documents are paired by their ids: both sides must hold the same ones, with the same texts. The ids of CoNLL
    documents come from their file's name, so give the files of both sides the same names. A document without spans is
    scored like any other; a file without a document is an error. A label that only one side's CoNLL files use counts as
    missed or as spurious.
    """
    from attackspan.eval.evaluate import show
    from attackspan.eval.metrics import score

    labels = _schema_of({"gold": (gold,), "predicted": (predicted,)}, schema)
    scores = score(list(formats.read([gold], labels)), list(formats.read([predicted], labels)), labels)
    if output:
        _write_scores(scores, output)
    show(scores)
    click.echo(f"{scores.documents} documents")


@cli.command()
@click.argument("models", metavar="MODEL…", nargs=-1, required=True)
@click.argument("data", type=_PATHS)
@click.option("-o", "--output", type=_PATHS, default="report", show_default=True, help="Folder to write.")
@click.option("--second", type=_PATHS, help="Another marking of the same documents: the ceiling.")
@click.option("--train", type=_PATHS, help="The training documents: tells new actors from known ones.")
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

    with _extra("report"):
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


@cli.command()
@click.argument("first", type=_PATHS)
@click.argument("second", type=_PATHS)
@click.option("-o", "--output", type=_PATHS, help="The figures as JSON too.")
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


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=_PATHS)
@click.option("-o", "--output", type=_PATHS, required=True, help="A folder to write XML files to.")
@click.option("--model", help="A checkpoint whose proposals to take instead of the rules'.")
def suggest(paths: tuple[Path, ...], output: Path, model: str | None) -> None:
    """Propose spans for unmarked documents, as XML for an annotator to mend.

    With --model the documents that it is least sure of are listed first: they teach it most.
    """
    from attackspan.training import suggest as rules

    found = formats.files(paths)
    if model:
        from attackspan import load

        tagger = load(model)
        proposals = list(tagger.predict(formats.read(found, tagger.schema)))
        proposals.sort(key=rules.sureness)
    else:
        proposals = [rules.suggest(document) for document in formats.read(found)]
    formats.write(proposals, output)
    for document in proposals:
        click.echo(f"{rules.sureness(document):.3f}\t{document.id}" if model else document.id)


def _write_scores(scores: Scores, path: Path) -> None:
    from attackspan.eval.evaluate import to_json

    with replacing(path) as file:
        file.write(f"{json.dumps(to_json(scores), indent=2)}\n".encode())


def _schema_of(paths: dict[str, tuple[Path, ...]], schema: Path | None) -> Schema:
    if schema:
        return Schema.load(schema)
    files = [file for one in paths.values() for file in formats.files(one)]
    if files and all(file.suffix == ".conll" for file in files):
        from attackspan.formats.conll import labels

        return Schema(tuple(Label(name) for name in sorted({name for file in files for name in labels(file)})))
    return default_schema()


@contextmanager
def _stdin_as_file(paths: tuple[Path, ...], ending: str) -> Iterator[list[Path]]:
    """The paths, with - replaced by a file that holds standard input."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / f"stdin.{ending}"
        if Path("-") in paths:
            with spool.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield [spool if path == Path("-") else path for path in paths]


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """Imports of what only the extra of this name brings."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise AttackspanError(f"needs {error.name}, which an extra brings: pip install 'attackspan[{name}]'") from error


def _fail(message: str) -> None:
    click.echo("attackspan: error: " + " ".join(message.split("\n")), err=True)
    sys.exit(2)
