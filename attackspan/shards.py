"""Predictions as a folder of Parquet shards, each whole or not there, so that a run that was killed can go on.

The folder holds ``manifest.json`` (what the run reads and by which model), ``shard-00000.parquet`` and so on, and
``errors.jsonl``: a line for each record that is no document. A shard's metadata says how far the input is read when it
is whole, and how long ``errors.jsonl`` is then; a run that goes on starts there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from attackspan import __version__
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats.folder import sources
from attackspan.model.checkpoint import MANIFEST, locate, read_json, sha256
from attackspan.model.predictor import Tagger
from attackspan.records import Columns, Record
from attackspan.textfiles import is_scratch, problem, replacing, utf8

ERRORS = "errors.jsonl"
ROW_GROUP = 1024
"""Documents that are written, and so held in memory, at once."""
_KEY = b"attackspan"  # of a shard's metadata


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the input is read when a shard is whole.

    Attributes:
        file: ``file`` of the last record.
        number: ``number`` of the last record.
        errors: the length of ``errors.jsonl`` in bytes.
    """

    file: int = 0
    number: int = 0
    errors: int = 0


def run_of(files: Sequence[Path], columns: Columns, model: str | Path, size: int) -> dict[str, Any]:
    """What a run is made of, for its manifest: two runs that agree in it write the same bytes."""
    digest = hashlib.sha256()
    total = 0
    for file in (source for one in files for source in sources(one)):
        status = file.stat()
        total += status.st_size
        digest.update(os.fsencode(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n"))
    return {
        "attackspan": __version__,
        "model": sha256(locate(model) / MANIFEST),
        "inputs": {"files": len(files), "bytes": total, "paths_sizes_and_times_sha256": digest.hexdigest()},
        "columns": asdict(columns),
        "shard_size": size,
    }


def claim(folder: Path, run: Mapping[str, Any], resume: bool) -> Reached:
    """Take a folder for a run, or for going on with it.

    Args:
        folder: made where it is missing.
        run: as ``run_of`` gives it.
        resume: go on with the run that the folder holds, if it holds one.

    Returns:
        How far the folder's shards have come.

    Raises:
        AttackspanError: the folder holds something else, another run, or this run and ``resume`` was not asked for.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = list(folder.iterdir())
    except OSError as error:
        raise problem(folder, None, error.strerror) from error
    scraps = [path for path in found if is_scratch(path)]  # what a killed run was writing
    if folder / MANIFEST in found:
        before = read_json(folder / MANIFEST)
        if not resume:
            raise problem(folder, None, "holds a run; go on with it by --resume, or choose another folder")
        if differing := [name for name in run if before.get(name) != run[name]]:
            what = ", ".join(differing)
            raise problem(folder, None, f"holds a run that differs in {what}; choose another folder")
    elif len(found) > len(scraps):
        raise problem(folder, None, "not empty, and no run of predict; choose another folder")
    else:
        with replacing(folder / MANIFEST) as file:
            file.write(f"{json.dumps(run, indent=2)}\n".encode())
    for scrap in scraps:
        scrap.unlink()
    shards = _shards(folder)
    reached = _reached(shards[-1]) if shards else Reached()
    if reached.errors and (folder / ERRORS).stat().st_size < reached.errors:
        raise problem(folder / ERRORS, None, "cut short since the last shard was written; choose another folder")
    return reached


def write(folder: Path, tagger: Tagger, records: Iterable[Record], size: int) -> int:
    """Label records and write the shards that a folder does not hold yet.

    Args:
        folder: as ``claim`` left it.
        tagger: what labels them.
        records: those behind the last one that ``claim`` found.
        size: documents of a shard; the last one holds what is left.

    Returns:
        How many records of the whole run are no documents, and so in ``errors.jsonl``.

    Raises:
        AttackspanError: a file cannot be written.
    """
    first = len(_shards(folder))
    with (folder / ERRORS).open("ab") as errors:
        errors.seek(errors.truncate(_reached(_shards(folder)[-1]).errors if first else 0))
        good = Good(records, errors)
        for number in count(first):
            begun = errors.tell()
            head = list(islice(good, 1))
            if not head and errors.tell() == begun and number:
                break
            with (
                replacing(folder / f"shard-{number:05}.parquet") as file,
                pq.ParquetWriter(file, schema(), compression="zstd") as writer,
            ):
                documents = tagger.predict(islice(chain(head, good), size))
                while group := list(islice(documents, ROW_GROUP)):
                    writer.write_table(table(group))
                errors.flush()  # before the shard that says how long the file is
                reached = Reached(good.file, good.number, errors.tell())
                writer.add_key_value_metadata({_KEY: json.dumps(asdict(reached))})
    with (folder / ERRORS).open("rb") as errors:
        return sum(1 for _ in errors)


@cache
def schema() -> pa.Schema:
    """A row of a shard is a document, in the form of ``Document.to_dict``."""
    text, score = pa.string(), pa.float64()
    span = {"id": text, "label": text, "start": pa.int64(), "end": pa.int64(), "text": text, "score": score}
    link = {"role": text, "head": text, "tail": text, "score": score}
    spans = pa.list_(pa.struct({**span, "attributes": pa.map_(text, text)}))
    head = dict.fromkeys(("id", "text", "title", "source", "date"), text)
    return pa.schema({**head, "spans": spans, "links": pa.list_(pa.struct(link))})


def table(documents: Sequence[Document]) -> pa.Table:
    """Documents as the rows of a shard."""
    return pa.Table.from_pylist([document.to_dict() for document in documents], schema=schema())


class Good:
    """The documents of records, one at a time; what is none goes to a file of errors.

    Attributes:
        file, number: of the last record that was taken.
    """

    def __init__(self, records: Iterable[Record], errors: BinaryIO) -> None:
        self.file = self.number = 0
        self._records = iter(records)
        self._errors = errors

    def __iter__(self) -> Iterator[Document]:
        return self

    def __next__(self) -> Document:
        for record in self._records:
            self.file, self.number = record.file, record.number
            try:
                return _storable(record)
            except AttackspanError as error:
                row = {"file": str(record.path), "record": record.number, "error": str(error)}
                self._errors.write(f"{json.dumps(row)}\n".encode())
        raise StopIteration


def _storable(record: Record) -> Document:
    if isinstance(record.content, AttackspanError):
        raise record.content
    for text in (getattr(record.content, name) for name in ("id", "text", "title", "source", "date")):
        utf8(record.path, record.content.id, text)
    return record.content


def _shards(folder: Path) -> list[Path]:
    """The shards of a folder, in order."""
    found = sorted(folder.glob("shard-*.parquet"), key=lambda path: (len(path.name), path.name))
    for number, path in enumerate(found):
        if path.name != f"shard-{number:05}.parquet":
            raise problem(
                folder / f"shard-{number:05}.parquet", None, "missing, but later ones are there; remove those"
            )
    return found


def _reached(shard: Path) -> Reached:
    try:
        return Reached(**json.loads(pq.read_metadata(shard).metadata[_KEY]))
    except (OSError, pa.ArrowException, KeyError, TypeError) as error:
        raise problem(shard, None, "no shard that predict wrote; remove it, and --resume writes it") from error
