"""Commands that make a model: suggest, build, distil, train."""

from __future__ import annotations

import random
from pathlib import Path

import click

from attackspan import formats, records
from attackspan.cli.support import PATHS, extra, schema_of, write
from attackspan.errors import AttackspanError
from attackspan.schema import default_schema
from attackspan.textfiles import replacing


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@click.option("-o", "--output", type=PATHS, required=True, help="A folder to write XML files to, or a .json file.")
@click.option("--model", help="A checkpoint whose proposals to take instead of the rules'.")
@click.option("--to", "target", type=click.Choice(["xml", "labelstudio"]), help="Default: by OUTPUT's ending.")
def suggest(paths: tuple[Path, ...], output: Path, model: str | None, target: str | None) -> None:
    """Propose spans for unmarked documents, for an annotator to mend: as XML, or as tasks for Label Studio.

    With --model the documents that it is least sure of come first: they teach it most. Beside the tasks stands
    OUTPUT.config.xml, the labelling interface of a project for them; what Label Studio exports (JSON) can be built.
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
    if target == "labelstudio" or (target is None and output.suffix.lower() == ".json"):
        from attackspan.formats.labelstudio import labeling_config, write_labelstudio

        write_labelstudio(proposals, output, model or "rules")
        with replacing(output.with_suffix(".config.xml")) as file:
            file.write(labeling_config(tagger.schema if model else default_schema()).encode())
    else:
        write(proposals, output, target)
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


@click.command()
@click.argument("texts", nargs=-1, required=True, type=PATHS)
@click.option("--teacher", "teachers", multiple=True, required=True,
              help="A checkpoint; of several, the mean counts; one given twice counts twice.")  # fmt: skip
@click.option("-o", "--output", type=PATHS, required=True, help="A .parquet file to write.")
@click.option("--attacks", default=0, show_default=True,
              help="Leave out texts in which the rules of `attackspan suggest` find fewer.")  # fmt: skip
@click.option("--sample", type=int, help="Read so many of the texts, drawn at random.  [default: all]")
@click.option("--seed", default=13, show_default=True, help="Of the sample.")
@click.option("--device", default="cpu", show_default=True, help="cuda for a GPU.")
def distil(
    texts: tuple[Path, ...],
    teachers: tuple[str, ...],
    output: Path,
    attacks: int,
    sample: int | None,
    seed: int,
    device: str,
) -> None:
    """Have models read TEXTS, marked or not, for another to learn from: attackspan train … silver=OUTPUT."""
    from attackspan import load
    from attackspan.document import data_hash
    from attackspan.model.checkpoint import MANIFEST, locate, sha256
    from attackspan.training.suggest import suggest as by_rules

    with extra("train"):
        from attackspan.training.distil import distil as distil_texts
    if output.suffix != ".parquet":
        raise AttackspanError(f"{output}: has to end in .parquet")
    files = records.files(texts)
    opened = {name: load(name, device=device) for name in teachers}  # a wrong one is said before anything is read
    documents = list(records.documents(records.read(files, records.Columns())))
    if attacks:
        documents = [one for one in documents if sum(span.label == "attack" for span in by_rules(one).spans) >= attacks]
    if sample is not None and sample < len(documents):
        documents = random.Random(seed).sample(documents, sample)
    facts = {
        "teachers": {name: sha256(locate(name) / MANIFEST) for name in opened},
        "counts": {name: teachers.count(name) for name in opened},
        "documents": len(documents),
        "words": sum(len(document.text.split()) for document in documents),
        "texts_sha256": data_hash(documents),
    }
    count = distil_texts([opened[name] for name in teachers], documents, output, facts)
    left = f"; {len(documents) - count} left out: empty, or other tokens" if count < len(documents) else ""
    click.echo(f"{output}: {count} documents{left}")
