"""Documents from files and into files, one at a time. A file's ending says its format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats.conll import read_conll
from attackspan.formats.jsonl import read_jsonl, to_jsonl
from attackspan.formats.text import read_text
from attackspan.formats.xml import read_xml, to_xml
from attackspan.schema import Schema
from attackspan.textfiles import problem, replacing

__all__ = ["files", "read", "read_conll", "read_jsonl", "read_text", "read_xml", "to_jsonl", "to_xml", "write"]

_ENDINGS = (".xml", ".jsonl", ".conll", ".txt")
# Not hidden, no folder in it, and a name on every common system.
_SAFE_NAME = re.compile(r'[^\x00-\x1f\x7f/\\:*?"<>|.][^\x00-\x1f\x7f/\\:*?"<>|]*')


def read(paths: Iterable[str | Path], schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of files and folders.

    Folders are walked recursively in sorted order; hidden files and those of other endings are passed over. Paths are
    checked at once, files are read as the documents are asked for.

    Args:
        paths: files ending in .xml, .jsonl, .conll or .txt, and folders.
        schema: what the files label; by default attacks in the news.

    Raises:
        AttackspanError: a path does not exist, has an unknown ending or is a folder without a file to read, or a file
            cannot be read, is empty or is not valid. The message is one line and starts with ``path:line: ``, or with
            ``path: `` where no line is to blame.
    """
    found = files(paths)
    return (document for file in found for document in _documents(file, schema))


def files(paths: Iterable[str | Path]) -> list[Path]:
    """The files that ``read`` would read, in its order; it raises what ``read`` raises for paths."""
    return [file for path in paths for file in _expand(Path(path))]


def write(documents: Iterable[Document], path: str | Path) -> None:
    """Write documents: to one file of JSON lines, or as XML.

    Each file is replaced as a whole when it is complete: where an error stops the writing, the files of before stand.

    Args:
        documents: taken one at a time, so they may be read from the very file that is written.
        path: a file ending in .jsonl; a file ending in .xml, for exactly one document; or a folder, made where it is
            missing, which gets a file ``<id>.xml`` for each document.

    Raises:
        AttackspanError: the ending is unknown, a file cannot be written, two documents have one id, an id cannot be a
            file's name, or the format cannot hold a document.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if not ending or _is_folder(path):
        _write_folder(documents, path)
    elif ending == ".jsonl":
        with replacing(path) as file:
            for document in _distinct(documents, path):
                file.write(f"{_rendered(document, ending, path)}\n".encode())
    elif ending == ".xml":
        found = list(_distinct(documents, path))
        if len(found) != 1:
            raise problem(path, None, f"an XML file holds one document, not {len(found)}; give a folder")
        with replacing(path) as file:
            file.write(_rendered(found[0], ending, path).encode())
    else:
        raise problem(path, None, f"cannot write {path.suffix!r}; give a file ending in .jsonl or .xml, or a folder")


def _expand(path: Path) -> list[Path]:
    """The files to read at a path."""
    if _is_folder(path):
        files = [file for file in _walk(path) if file.suffix.lower() in _ENDINGS]
        if not files:
            raise problem(path, None, f"no file to read in this folder; known endings are {', '.join(_ENDINGS)}")
        return files
    if not path.exists():
        raise problem(path, None, "no such file or folder")
    if path.suffix.lower() not in _ENDINGS:
        raise problem(path, None, f"unknown file ending {path.suffix!r}; known are {', '.join(_ENDINGS)}")
    return [path]


def _walk(folder: Path) -> Iterator[Path]:
    """The files below a folder, sorted."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise problem(folder, None, error.strerror) from error
    for entry in entries:
        if not _is_folder(entry):
            yield entry
        elif not entry.is_symlink():  # a link to a folder is passed over: it may lead back up
            yield from _walk(entry)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise problem(path, None, error.strerror) from error


def _documents(file: Path, schema: Schema | None) -> Iterator[Document]:
    match file.suffix.lower():
        case ".xml":
            yield read_xml(file, schema)
        case ".jsonl":
            yield from read_jsonl(file, schema)
        case ".conll":
            yield from read_conll(file, schema)
        case _:
            yield read_text(file, schema)


def _write_folder(documents: Iterable[Document], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise problem(folder, None, error.strerror) from error
    for document in _distinct(documents, folder):
        if not _SAFE_NAME.fullmatch(document.id):
            raise problem(folder, None, f"the id {document.id!r} cannot be a file's name; write JSON lines instead")
        text = _rendered(document, ".xml", folder)
        with replacing(folder / f"{document.id}.xml") as file:
            file.write(text.encode())


def _distinct(documents: Iterable[Document], path: Path) -> Iterator[Document]:
    """The documents, as long as each has an id of its own."""
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise problem(path, None, f"two documents have the id {document.id!r}")
        seen.add(document.id)
        yield document


def _rendered(document: Document, ending: str, path: Path) -> str:
    try:
        return to_xml(document) if ending == ".xml" else to_jsonl(document)
    except AttackspanError as error:
        raise problem(path, None, error) from error
