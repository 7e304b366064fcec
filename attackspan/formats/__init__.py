"""Documents from files and into files, one at a time. A file's ending says its format, unless the format is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats.conll import read_conll, write_conll
from attackspan.formats.folder import is_folder, places, unpaired, walk
from attackspan.formats.jsonl import read_jsonl, to_jsonl
from attackspan.formats.loss import losses
from attackspan.formats.objects import dump
from attackspan.formats.text import read_text
from attackspan.formats.xml import read_xml, to_xml
from attackspan.schema import Schema
from attackspan.textfiles import problem, replacing

__all__ = ["files", "format_of", "read", "read_conll", "read_jsonl", "read_text", "read_xml", "to_jsonl", "to_xml",
           "write"]  # fmt: skip

_ENDINGS = {
    ".xml": "xml",
    ".jsonl": "jsonl",
    ".conll": "conll",
    ".bio": "conll",
    ".ann": "brat",
    ".json": "labelstudio",
    ".spacy": "spacy",
    ".txt": "txt",
}
_TABLES = {".parquet": "parquet", ".csv": "csv"}
# JSON lines of other tools, which no ending tells from ours.
_NAMED = ("doccano", "prodigy")
READABLE = (*dict.fromkeys(_ENDINGS.values()), *_NAMED)
WRITABLE = (*(name for name in READABLE if name != "txt"), *_TABLES.values())


def read(paths: Iterable[str | Path], schema: Schema | None = None, form: str | None = None) -> Iterator[Document]:
    """Read the documents of files and folders.

    Folders are walked recursively in sorted order; hidden files and those of other endings are passed over, and a .txt
    file beside its .ann file is part of that. Paths are checked at once, files are read as the documents are asked for.

    Args:
        paths: files ending in .xml, .jsonl, .conll, .bio, .ann, .json, .spacy or .txt, and folders.
        schema: what the files label; by default attacks in the news.
        form: the format of all the files, one of ``READABLE``, whatever their endings; by default each file's ending
            says it.

    Raises:
        AttackspanError: a path does not exist, has an unknown ending or is a folder without a file to read, or a file
            cannot be read, is empty or is not valid. The message is one line and starts with ``path:line: ``, or with
            ``path: `` where no line is to blame.
    """
    found = files(paths, form)
    return (document for file in found for document in _documents(file, form or format_of(file), schema))


def files(paths: Iterable[str | Path], form: str | None = None) -> list[Path]:
    """The files that ``read`` would read, in its order; it raises what ``read`` raises for paths."""
    return unpaired([file for path in paths for file in _expand(Path(path), form)])


def format_of(file: Path) -> str:
    """The name of the format that a file's ending says.

    Raises:
        AttackspanError: the ending is unknown.
    """
    if name := _ENDINGS.get(file.suffix.lower()):
        return name
    raise problem(file, None, f"unknown file ending {file.suffix!r}; known are {', '.join(_ENDINGS)}")


def write(documents: Iterable[Document], path: str | Path, form: str | None = None) -> Counter[str]:
    """Write documents.

    Each file is replaced as a whole when it is complete: where an error stops the writing, the files of before stand.

    Args:
        documents: taken one at a time, so they may be read from the very file that is written.
        path: a file, whose ending says the format; or a folder, made where it is missing, which gets a file
            ``<id>.xml`` for each document. XML and brat have a file for each document: one file holds exactly one.
        form: the format, one of ``WRITABLE``, whatever the ending.

    Returns:
        What the format could not hold: how often, by what it is in the plural (``{"links": 12}``).

    Raises:
        AttackspanError: the ending is unknown, a file cannot be written, two documents have one id, an id cannot be a
            file's name, or the format cannot hold a document at all.
    """
    path = Path(path)
    form = form or _format_to_write(path)
    documents = _distinct(documents, path)
    match form:
        case "xml":
            return _write_xml(documents, path)
        case "jsonl":
            return _write_jsonl(documents, path)
        case "conll":
            return write_conll(documents, path)
        case "brat":
            from attackspan.formats.brat import write_brat

            return write_brat(documents, path)
        case "labelstudio":
            from attackspan.formats.labelstudio import write_labelstudio

            return write_labelstudio(documents, path)
        case "doccano":
            from attackspan.formats.doccano import write_doccano

            return write_doccano(documents, path)
        case "prodigy":
            from attackspan.formats.prodigy import write_prodigy

            return write_prodigy(documents, path)
        case "spacy":
            from attackspan.formats.docbin import write_docbin

            return write_docbin(documents, path)
        case "parquet":
            from attackspan.formats.tables import write_parquet

            return write_parquet(documents, path)
        case "csv":
            from attackspan.formats.tables import write_csv

            return write_csv(documents, path)
    raise problem(path, None, f"cannot write the format {form!r}; known are {', '.join(WRITABLE)}")


def _expand(path: Path, form: str | None) -> list[Path]:
    """The files to read at a path."""
    if form and form not in READABLE:
        raise problem(path, None, f"cannot read the format {form!r}; known are {', '.join(READABLE)}")
    if is_folder(path):
        usual = "jsonl" if form in _NAMED else form
        endings = [ending for ending, name in _ENDINGS.items() if usual in (None, name)]
        files = [file for file in walk(path) if file.suffix.lower() in endings]
        if not files:
            raise problem(path, None, f"no file to read in this folder; known endings are {', '.join(endings)}")
        return files
    if not path.exists():
        raise problem(path, None, "no such file or folder")
    if not form:
        format_of(path)
    return [path]


def _documents(file: Path, form: str, schema: Schema | None) -> Iterator[Document]:
    match form:
        case "xml":
            yield read_xml(file, schema)
        case "jsonl":
            yield from read_jsonl(file, schema)
        case "conll":
            yield from read_conll(file, schema)
        case "brat":
            from attackspan.formats.brat import read_brat

            yield from read_brat(file, schema)
        case "labelstudio":
            from attackspan.formats.labelstudio import read_labelstudio

            yield from read_labelstudio(file, schema)
        case "doccano":
            from attackspan.formats.doccano import read_doccano

            yield from read_doccano(file, schema)
        case "prodigy":
            from attackspan.formats.prodigy import read_prodigy

            yield from read_prodigy(file, schema)
        case "spacy":
            from attackspan.formats.docbin import read_docbin

            yield from read_docbin(file, schema)
        case _:
            yield read_text(file, schema)


def _format_to_write(path: Path) -> str:
    ending = path.suffix.lower()
    if not ending or is_folder(path):
        return "xml"
    known = {ending: name for ending, name in (_ENDINGS | _TABLES).items() if name in WRITABLE}
    if ending in known:
        return known[ending]
    raise problem(path, None, f"cannot write {path.suffix!r}; give a folder or a file ending in {', '.join(known)}")


def _write_xml(documents: Iterable[Document], path: Path) -> Counter[str]:
    lost: Counter[str] = Counter()
    for document, place in places(documents, path, ".xml"):
        try:
            text = to_xml(document)
        except AttackspanError as error:
            raise problem(path, None, error) from error
        with replacing(place) as file:
            file.write(text.encode())
        lost += losses(document, "scores")
    return lost


def _write_jsonl(documents: Iterable[Document], path: Path) -> Counter[str]:
    with replacing(path) as file:
        for document in documents:
            file.write(dump(path, document.id, document.to_dict()) + b"\n")
    return Counter()


def _distinct(documents: Iterable[Document], path: Path) -> Iterator[Document]:
    """The documents, as long as each has an id of its own."""
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise problem(path, None, f"two documents have the id {document.id!r}")
        seen.add(document.id)
        yield document
