"""Folders of files: those to read below one, and those to write where a format has a file for each document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attackspan.document import Document
from attackspan.textfiles import problem

# Not hidden, no folder in it, and a name on every common system.
_SAFE_NAME = re.compile(r'[^\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|.][^\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]*')


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path.

    Raises:
        AttackspanError: the system refuses to say.
    """
    try:
        return path.is_dir()
    except OSError as error:
        raise problem(path, None, error.strerror) from error


def walk(folder: Path) -> Iterator[Path]:
    """The files below a folder, sorted; hidden ones are passed over.

    Raises:
        AttackspanError: the folder cannot be read.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise problem(folder, None, error.strerror) from error
    for entry in entries:
        if not is_folder(entry):
            yield entry
        elif not entry.is_symlink():  # a link to a folder is passed over: it may lead back up
            yield from walk(entry)


def unpaired(files: Sequence[Path]) -> list[Path]:
    """The files, less each .txt file that holds the text of an .ann file among them."""
    marked = {file.with_suffix("") for file in files if file.suffix.lower() == ".ann"}
    return [file for file in files if file.suffix.lower() != ".txt" or file.with_suffix("") not in marked]


def sources(file: Path) -> tuple[Path, ...]:
    """The files that are read where a file is: itself, and beside an .ann file the .txt that holds its text."""
    text = file.with_suffix(".txt")
    return (file, text) if file.suffix.lower() == ".ann" and text.is_file() else (file,)


def places(documents: Iterable[Document], path: Path, ending: str) -> Iterator[tuple[Document, Path]]:
    """Each document with the file to write it to.

    Args:
        documents: taken one at a time, unless ``path`` is a file.
        path: a file with the ending, for exactly one document; else a folder, made where it is missing, in which a
            document's file is ``<id><ending>``.
        ending: of the files, with its dot.

    Raises:
        AttackspanError: a file is given for another number of documents than one, the folder cannot be made, or an id
            cannot be a file's name.
    """
    if path.suffix.lower() == ending and not is_folder(path):
        found = list(documents)
        if len(found) != 1:
            raise problem(path, None, f"a file ending in {ending} holds one document, not {len(found)}; give a folder")
        yield found[0], path
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise problem(path, None, error.strerror) from error
    for document in documents:
        if not _SAFE_NAME.fullmatch(document.id):
            raise problem(path, None, f"the id {document.id!r} cannot be a file's name; write JSON lines instead")
        yield document, path / f"{document.id}{ending}"
