"""Teachers' reading of texts, for a student to learn from.

Hinton et al., Distilling the knowledge in a neural network, 2015: the student learns the probability of every tag,
the mean of the teachers', not only what they choose. Furlanello et al., Born-again neural networks, 2018: a student
as large as they gains by it too, on the very texts that they learnt from. Attributes and links of a text without
marks are learnt as the first teacher chooses them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.model.predictor import Floats, Tagger, batched
from attackspan.model.tokens import Tokens
from attackspan.model.viterbi import TAGS
from attackspan.schema import Schema
from attackspan.textfiles import replacing

_GROUP = 32
"""Texts that are read, and written, at a time."""
_LEAST = 1e-9
"""A probability that stands for none, so that it has a logarithm."""
_KEY = b"attackspan"
_COLUMNS = pa.schema({"document": pa.large_string(), "tags": pa.large_list(pa.float16())})


@dataclass(frozen=True, slots=True)
class Silver:
    """A text as the teachers read it.

    Attributes:
        document: with their spans and links.
        tags: float16 (U, L, 5), their probability of every tag of every unit.
    """

    document: Document
    tags: npt.NDArray[np.float16]


def distil(teachers: Sequence[Tagger], documents: Iterable[Document], path: Path, facts: Mapping[str, Any]) -> int:
    """Read texts with teachers and write what they say to a Parquet file, for ``silver=`` of a training run.

    Args:
        teachers: at least one, all of one schema and of tokens with the same edges; one given twice counts twice.
        documents: taken a few at a time; their spans are not looked at. Those without a token are left out, and those
            that a teacher splits into other tokens than the first does.
        path: the file, replaced as a whole at the end.
        facts: what the file says of itself, as ``facts`` gives it back.

    Returns:
        How many texts there are.

    Raises:
        AttackspanError: there is no text, none has the same tokens for all teachers, or their schemas differ.
    """
    count = 0
    counts = Counter(teachers)  # in the order given
    first = teachers[0]
    if any(teacher.schema != first.schema for teacher in counts):
        raise AttackspanError("the teachers label by different schemas")
    told = json.dumps({**facts, "schema": first.schema.to_dict()}).encode()
    with replacing(path) as file, pq.ParquetWriter(file, _COLUMNS.with_metadata({_KEY: told})) as writer:
        for group in batched(documents, _GROUP, 1 << 20):
            group, tokens = _alike(list(counts), group)
            shares, features = _read(counts, tokens)
            logits = [np.log(share + _LEAST) for share in shares]
            read = first.label(group, tokens[0], logits, features)
            rows = [(one.to_dict(), share.astype(np.float16).ravel()) for one, share in zip(read, shares, strict=True)]
            rows = [row for row in rows if len(row[1])]
            columns = [[json.dumps(document) for document, _ in rows], [tags for _, tags in rows]]
            writer.write_table(pa.table(columns, schema=_COLUMNS))
            count += len(rows)
        if not count:
            raise AttackspanError(f"{path}: not written, for there is no text that all teachers read alike")
    return count


def facts(path: Path, schema: Schema) -> dict[str, Any]:
    """What a file of ``distil`` says of itself.

    Raises:
        AttackspanError: it is no such file, or its teachers label by another schema.
    """
    try:
        told = (pq.read_schema(path).metadata or {})[_KEY]
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise AttackspanError(f"{path}: no teacher's reading: make it by attackspan distil") from error
    found: dict[str, Any] = json.loads(told)
    if found.pop("schema") != schema.to_dict():
        raise AttackspanError(f"{path}: its teachers label by another schema than the training data")
    return found


def read_silver(path: Path, schema: Schema) -> Iterator[Silver]:
    """The texts of a file of ``distil``, one at a time."""
    for batch in pq.ParquetFile(path).iter_batches(_GROUP):
        for document, tags in zip(batch["document"].to_pylist(), batch["tags"], strict=True):
            shares = tags.values.to_numpy().reshape(-1, len(schema.labels), len(TAGS))
            yield Silver(Document.from_dict(json.loads(document), schema), shares)


def _alike(teachers: Sequence[Tagger], group: Sequence[Document]) -> tuple[list[Document], list[list[Tokens]]]:
    """The texts whose tokens have the same edges for all teachers, and each teacher's tokens of them."""
    texts = [document.text for document in group]
    tokens = [teacher.tokenizer.encode(texts) for teacher in teachers]
    same = [
        index
        for index in range(len(group))
        if all(np.array_equal(_edges(tokens[0][index]), _edges(one[index])) for one in tokens)
    ]
    return [group[index] for index in same], [[one[index] for index in same] for one in tokens]


def _read(counts: Counter[Tagger], tokens: Sequence[Sequence[Tokens]]) -> tuple[list[Floats], list[Floats]]:
    """The mean of the teachers' tag probabilities of each text, and the first one's features."""
    outputs = [teacher.encode(own) for teacher, own in zip(counts, tokens, strict=True)]
    shares = [
        sum(
            count * np.exp(scores - np.logaddexp.reduce(scores, -1, keepdims=True))
            for count, scores in zip(counts.values(), text, strict=True)
        )
        / counts.total()
        for text in zip(*(logits for logits, _ in outputs), strict=True)
    ]
    return shares, outputs[0][1]


def _edges(tokens: Tokens) -> npt.NDArray[np.int64]:
    return np.stack((tokens.starts, tokens.ends))[:, tokens.units]
