"""Prediction on a Ray cluster: files are read as streams, and each worker holds a model of its own, on one thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import ray
from pyarrow.fs import FSSpecHandler, PyFileSystem

import attackspan
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.model.checkpoint import DEFAULT, locate
from attackspan.records import ENDINGS, Columns, Record, contents, kind
from attackspan.shards import Good, table

BATCH = 64
"""Documents that go from a reader to a worker at once."""
_HEAD = ("id", "text", "title", "source", "date")


class Worker:
    """A model in a process of its own.

    Args:
        model: a checkpoint folder, which every machine has to have at this path, or a hub id; by default the model that
            ships with attackspan.
    """

    def __init__(self, model: str | None = None) -> None:
        self._tagger = attackspan.load(model or DEFAULT, threads=1)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Label the documents of a batch; both are tables in the form of ``shards.table``."""
        documents = [Document(**row) for row in batch.select(_HEAD).to_pylist()]
        return table(list(self._tagger.predict(documents)))


def predict(addresses: Sequence[str], output: str, model: str | None, columns: Columns) -> int:
    """Label the records of files with as many workers as the cluster has CPUs.

    Args:
        addresses: files and folders of JSON lines, CSV and Parquet, as fsspec names them (``s3://bucket/news``).
        output: an address that is empty or not there yet. It gets Parquet in the form of ``shards.table``, the rows in
            any order, and ``errors-<n>.jsonl`` for each file that has records which are no documents.
        model: see ``Worker``.
        columns: what holds text and id.

    Returns:
        How many records are no documents.

    Raises:
        AttackspanError: there is no such file or model, a file has another ending, or the output is not empty.
    """
    locate(model or DEFAULT)
    files = [file for address in addresses for file in _files(address)]
    target, folder = fsspec.core.url_to_fs(output)
    if target.exists(folder) and target.ls(folder):
        raise AttackspanError(f"{output}: not empty; choose another output")
    target.makedirs(folder, exist_ok=True)
    ray.init(ignore_reinit_error=True)  # takes RAY_ADDRESS
    workers = max(1, int(ray.cluster_resources()["CPU"]))
    place = target.unstrip_protocol(folder)  # whole, for a worker may be at home in another folder
    tasks = [{"address": file, "errors": f"{place}/errors-{n:05}.jsonl"} for n, file in enumerate(files)]
    (
        ray.data.from_items(tasks)
        # The workers take the CPUs; reading and writing are little beside them.
        .map_batches(lambda task: _read(task, columns), batch_size=1, num_cpus=0)
        .map_batches(
            Worker,
            batch_size=BATCH,
            batch_format="pyarrow",
            fn_constructor_args=(model,),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        .write_parquet(
            folder,
            filesystem=PyFileSystem(FSSpecHandler(target)),
            compression="zstd",
            ray_remote_args={"num_cpus": 0},
        )
    )
    return sum(len(target.cat(file).splitlines()) for file in target.glob(f"{folder}/errors-*.jsonl"))


def _files(address: str) -> list[str]:
    """The addresses of the files at an address."""
    system, path = fsspec.core.url_to_fs(address)
    if not system.exists(path):
        raise AttackspanError(f"{address}: no such file or folder")
    found = sorted(file for file in system.find(path) if kind(Path(file)))
    if not found:
        raise AttackspanError(f"{address}: no file to read; on Ray the known endings are {', '.join(ENDINGS)}")
    return [system.unstrip_protocol(file) for file in found]


def _read(task: Any, columns: Columns) -> Iterator[pa.Table]:
    """The documents of one file. Its errors are written when it is read to the end, and anew if Ray reads it anew."""
    system, path = fsspec.core.url_to_fs(str(task["address"][0]))
    errors = BytesIO()
    with system.open(path, "rb") as file:
        found = contents(Path(path), file, columns, None)
        documents = Good((Record(0, Path(path), number, content, 0) for number, content in found), errors)
        yield table([])  # so that a file without documents has the same columns
        while group := list(islice(documents, BATCH)):
            yield table(group)
    if errors.getvalue():
        with fsspec.open(str(task["errors"][0]), "wb") as file:
            file.write(errors.getvalue())
