"""Commands that make a model: suggest, build, train."""

from __future__ import annotations

from pathlib import Path

import click

from attackspan import formats
from attackspan.cli.support import PATHS, extra, schema_of
from attackspan.errors import AttackspanError


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@click.option("-o", "--output", type=PATHS, required=True, help="A folder to write XML files to.")
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


@click.command()
@click.argument("inputs", nargs=-1, type=PATHS)
@click.option("-o", "--output", type=PATHS, required=True, help="Folder to write; it must not exist yet.")
@click.option("--train", multiple=True, type=PATHS, help="Documents for training, where the splits are given.")
@click.option("--validation", multiple=True, type=PATHS, help="Documents to choose the model on.")
@click.option("--test", multiple=True, type=PATHS, help="Documents for the final figures.")
@click.option(
    "--schema", type=PATHS, help="A schema.json. Default: the labels of CoNLL files, else attacks in the news."
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
    with extra("train"):
        from attackspan.training.build import build as build_dataset
        from attackspan.training.encoder import load_tokenizer
    built = build_dataset(
        paths, output, schema_of(paths, schema), load_tokenizer(encoder), shares=shares, seed=seed, snap=snap
    )
    for a, b in built.straddling:
        click.echo(f"attackspan: warning: {a} and {b} are near-duplicates in two of the given splits", err=True)
    counts = ", ".join(f"{name} {len(documents)}" for name, documents in built.splits.items())
    click.echo(f"{output}: {counts} documents; {len(built.snapped)} spans widened; see {output / 'README.md'}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--config", type=PATHS, required=True, help="A YAML file such as configs/default.yaml.")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]…")
def train(config: Path, overrides: tuple[str, ...]) -> None:
    """Fine-tune an encoder on a dataset; writes a checkpoint folder with its model card and int8 export."""
    from attackspan.training.memory import restart_with_huge_pages

    restart_with_huge_pages()
    with extra("train"):
        from attackspan.training.train import main as train_main
    train_main([str(config), *overrides])
