"""Markings without their texts, for texts that may not be passed on; put back onto them where they are at hand.

    python -m attackspan.training.standoff take marked/ -o seeds/news.standoff
    python -m attackspan.training.standoff put seeds/news.standoff ../shared/unlabelled/news.jsonl.gz -o out.jsonl

A line holds a document's id, the sha256 of its text, its spans as [label, start, end, attributes] and its links as
[role, number of the head, number of the tail].
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from attackspan import formats, records
from attackspan.commandline import run_command
from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.textfiles import lines, problem, replacing

PATHS = click.Path(path_type=Path)


def take(document: Document) -> dict[str, Any]:
    """What ``put`` needs to mark the document's bare text again; scores are left out."""
    number = {span.id: index for index, span in enumerate(document.spans)}
    return {
        "id": document.id,
        "sha256": _hash(document),
        "spans": [[span.label, span.start, span.end, dict(span.attributes)] for span in document.spans],
        "links": [[link.role, number[link.head], number[link.tail]] for link in document.links],
    }


def put(marking: Mapping[str, Any], document: Document) -> Document:
    """The document with the spans and links of a marking in place of its own.

    Raises:
        AttackspanError: its text is not the one that was marked.
    """
    if _hash(document) != marking["sha256"]:
        raise AttackspanError(f"document {document.id!r}: its text is not the one that was marked")
    spans = tuple(
        Span(f"{label}{index}", label, start, end, document.text[start:end], None, attributes)
        for index, (label, start, end, attributes) in enumerate(marking["spans"], 1)
    )
    links = tuple(Link(role, spans[head].id, spans[tail].id) for role, head, tail in marking["links"])
    return replace(document, spans=spans, links=links)


def put_all(markings: Path, texts: Iterable[Document]) -> Iterator[Document]:
    """The marked documents among the texts, in the order of these.

    Raises:
        AttackspanError: no markings, a line that is none, a text that is not the one that was marked, or texts missing.
    """
    wanted: dict[str, Mapping[str, Any]] = {}
    for number, line in lines(markings):
        try:
            marking = json.loads(line)
            wanted[marking["id"]] = marking
        except (ValueError, KeyError, TypeError) as error:
            raise problem(markings, number, f"no marking: {error}") from error
    if not wanted:
        raise AttackspanError(f"{markings}: no markings in it")
    for document in texts:
        if marking := wanted.pop(document.id, None):
            yield put(marking, document)
    if wanted:
        raise AttackspanError(f"{markings}: {len(wanted)} texts are missing, {next(iter(wanted))!r} first")


@click.group()
def main() -> None:
    """Markings without their texts."""


@main.command(name="take")
@click.argument("marked", nargs=-1, required=True, type=PATHS)
@click.option("-o", "--output", required=True, type=PATHS, help="The file to write.")
def take_command(marked: tuple[Path, ...], output: Path) -> None:
    """Write the markings of MARKED documents."""
    found = sorted(formats.read(marked), key=lambda document: document.id)
    with replacing(output) as file:
        file.writelines(f"{json.dumps(take(document))}\n".encode() for document in found)
    click.echo(f"{output}: {len(found)} documents")


@main.command(name="put")
@click.argument("markings", type=PATHS)
@click.argument("texts", nargs=-1, required=True, type=PATHS)
@click.option("-o", "--output", required=True, type=PATHS, help="A .jsonl file to write.")
def put_command(markings: Path, texts: tuple[Path, ...], output: Path) -> None:
    """Mark those of the TEXTS that MARKINGS are of."""
    found = records.documents(records.read(records.files(texts), records.Columns()))
    formats.write(put_all(markings, found), output)
    click.echo(f"{output}: written")


def _hash(document: Document) -> str:
    return hashlib.sha256(document.text.encode()).hexdigest()


if __name__ == "__main__":
    run_command(main)
