"""A teacher's reading of unmarked texts, for a smaller student to learn from.

Hinton et al., Distilling the knowledge in a neural network, 2015: the student learns the teacher's probability of every
tag, not only its choice. Attributes and links are learnt as the teacher chose them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.model.predictor import Tagger, batched
from attackspan.model.viterbi import TAGS
from attackspan.schema import Schema
from attackspan.textfiles import replacing

_GROUP = 32
"""Texts that are read, and written, at a time."""
_KEY = b"attackspan"
_COLUMNS = pa.schema({"document": pa.large_string(), "tags": pa.large_list(pa.float16())})


@dataclass(frozen=True, slots=True)
class Silver:
    """A text as the teacher reads it.

    Attributes:
        document: with the teacher's spans and links.
        tags: float16 (U, L, 5), the teacher's probability of every tag of every unit.
    """

    document: Document
    tags: npt.NDArray[np.float16]


def distil(tagger: Tagger, documents: Iterable[Document], path: Path, facts: Mapping[str, Any]) -> int:
    """Read texts with a teacher and write what it says to a Parquet file, for ``silver=`` of a training run.

    Args:
        tagger: the teacher.
        documents: taken a few at a time; their spans are not looked at. Those without a token are left out.
        path: the file, replaced as a whole at the end.
        facts: what the file says of itself, as ``facts`` gives it back.

    Returns:
        How many texts there are.

    Raises:
        AttackspanError: there is no text.
    """
    count = 0
    told = json.dumps({**facts, "schema": tagger.schema.to_dict()}).encode()
    with replacing(path) as file, pq.ParquetWriter(file, _COLUMNS.with_metadata({_KEY: told})) as writer:
        for group in batched(documents, _GROUP, 1 << 20):
            tokens = tagger.tokenizer.encode([document.text for document in group])
            logits, features = tagger.encode(tokens)
            read = tagger.label(group, tokens, logits, features)
            rows = [(one.to_dict(), _probabilities(scores)) for one, scores in zip(read, logits, strict=True)]
            rows = [row for row in rows if len(row[1])]
            columns = [[json.dumps(document) for document, _ in rows], [tags for _, tags in rows]]
            writer.write_table(pa.table(columns, schema=_COLUMNS))
            count += len(rows)
        if not count:
            raise AttackspanError(f"{path}: not written, for there is no text to read")
    return count


def facts(path: Path, schema: Schema) -> dict[str, Any]:
    """What a file of ``distil`` says of itself.

    Raises:
        AttackspanError: it is no such file, or its teacher labels by another schema.
    """
    try:
        told = (pq.read_schema(path).metadata or {})[_KEY]
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise AttackspanError(f"{path}: no teacher's reading: make it by attackspan distil TEACHER TEXTS") from error
    found: dict[str, Any] = json.loads(told)
    if found.pop("schema") != schema.to_dict():
        raise AttackspanError(f"{path}: its teacher labels by another schema than the training data")
    return found


def read_silver(path: Path, schema: Schema) -> Iterator[Silver]:
    """The texts of a file of ``distil``, one at a time."""
    for batch in pq.ParquetFile(path).iter_batches(_GROUP):
        for document, tags in zip(batch["document"].to_pylist(), batch["tags"], strict=True):
            shares = tags.values.to_numpy().reshape(-1, len(schema.labels), len(TAGS))
            yield Silver(Document.from_dict(json.loads(document), schema), shares)


def _probabilities(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    shares = np.exp(logits - np.logaddexp.reduce(logits, -1, keepdims=True))
    return shares.astype(np.float16).ravel()
