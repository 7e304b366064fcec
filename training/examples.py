"""Documents to training examples: windows of token ids with their tags, spans, pairs and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.model.network import IGNORED
from attackspan.model.pairs import candidate_pairs
from attackspan.model.tokens import Tokenizer, Tokens, windows
from attackspan.model.viterbi import TAGS, B, E, I, O, S
from attackspan.schema import Schema

Example = dict[str, Any]

WIDTH_STEP = 32
"""Batches are padded to a multiple of this: a CPU's kernels are made anew for every width that they have not seen."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A span on the tokens of its document: tokens first..last, both included."""

    span: Span
    first: int
    last: int


def align(document: Document, tokens: Tokens) -> tuple[list[Aligned], list[Span]]:
    """The document's spans on its tokens, and those that begin or end inside a token."""
    begins = {int(tokens.starts[unit]): int(unit) for unit in tokens.units}
    ends = {int(tokens.ends[unit]): int(unit) for unit in tokens.units}
    aligned, astray = [], []
    for span in document.spans:
        if span.start in begins and span.end in ends:
            aligned.append(Aligned(span, begins[span.start], ends[span.end]))
        else:
            astray.append(span)
    return aligned, astray


def examples(
    document: Document,
    tokenizer: Tokenizer,
    schema: Schema,
    size: int,
    overlap: int,
    silver: npt.NDArray[np.float16] | None = None,
    trust: float = 1.0,
) -> list[Example]:
    """One example a window. A span that a window's edge cuts is tagged in it but not scored as a whole.

    Args:
        document: a marked text.
        tokenizer: the encoder's.
        schema: what is labelled.
        size: most tokens of a window.
        overlap: tokens that neighbouring windows share.
        silver: a teacher's probabilities of the tags (U, L, 5).
        trust: their part in the tags that are learnt; the rest is the document's own.

    Raises:
        AttackspanError: spans of the document begin or end inside a token; all are listed. Or the teacher read other
            tokens than these.
    """
    tokens = tokenizer.encode([document.text])[0]
    aligned, astray = align(document, tokens)
    if astray:
        listed = "; ".join(f"{span.label} {span.id!r} {span.text[:40]!r}" for span in astray)
        raise AttackspanError(
            f"document {document.id!r}: not on this encoder's tokens: {listed}; build the dataset with this --encoder"
        )
    tags = one_hot(tag_targets(aligned, tokens, schema))
    if silver is not None:
        if len(silver) != len(tokens.units):
            raise AttackspanError(f"document {document.id!r}: the teacher's tokens are not this encoder's")
        tags[tokens.units] += trust * (silver - tags[tokens.units])
    gold = {(link.head, link.role, link.tail) for link in document.links}
    begin = len(tokenizer.prefix)
    made = []
    for start, stop in windows(len(tokens), size, overlap):
        ids = [*tokenizer.prefix, *tokens.ids[start:stop].tolist(), *tokenizer.suffix]
        target = np.zeros((len(ids), *tags.shape[1:]), np.float32)
        target[begin : begin + stop - start] = tags[start:stop]
        inside = [one for one in aligned if start <= one.first and one.last < stop]
        ranges = [(one.span.label, one.first - start + begin, one.last + 1 - start + begin) for one in inside]
        pairs = candidate_pairs(ranges, schema)
        made.append(
            {
                "input_ids": ids,
                "tags": target,
                "spans": np.array([one[1:] for one in ranges], np.int64).reshape(-1, 2),
                "pairs": np.array(pairs, np.int64).reshape(-1, 2),
                "attributes": _attributes([one.span for one in inside], schema),
                "links": link_targets([(inside[head].span, inside[tail].span) for head, tail in pairs], gold, schema),
            }
        )
    return made


@dataclass(frozen=True, slots=True)
class Collator:
    """Pads examples to the longest of the batch and lays their spans over the batch's B * T tokens in a row.

    Args:
        pad_id: the tokenizer's.
        longest: tokens of a whole window, special ones included, which no batch is padded beyond.
    """

    pad_id: int
    longest: int

    def __call__(self, batch: Sequence[Example]) -> dict[str, torch.Tensor]:
        width = max(len(example["input_ids"]) for example in batch)
        width = min(-(-width // WIDTH_STEP) * WIDTH_STEP, max(width, self.longest))
        ids = np.full((len(batch), width), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        tags = np.zeros((len(batch), width, *batch[0]["tags"].shape[1:]), np.float32)
        spans, pairs, count = [], [], 0
        for row, example in enumerate(batch):
            length = len(example["input_ids"])
            ids[row, :length], mask[row, :length], tags[row, :length] = example["input_ids"], 1, example["tags"]
            spans.append(example["spans"] + row * width)
            pairs.append(example["pairs"] + count)
            count += len(example["spans"])
        arrays = {
            "input_ids": ids,
            "attention_mask": mask,
            "tags": tags,
            "spans": np.concatenate(spans),
            "pairs": np.concatenate(pairs),
            "attributes": np.concatenate([example["attributes"] for example in batch]),
            "links": np.concatenate([example["links"] for example in batch]),
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def tag_targets(aligned: Sequence[Aligned], tokens: Tokens, schema: Schema) -> npt.NDArray[np.int64]:
    """Tag indices (T, L); tokens that are no units are left out of the loss."""
    tags = np.full((len(tokens), len(schema.labels)), O, np.int64)
    for one in aligned:
        column = schema.names.index(one.span.label)
        tags[one.first : one.last + 1, column] = I
        tags[one.first, column], tags[one.last, column] = B, E
        if one.first == one.last:
            tags[one.first, column] = S
    unused = np.ones(len(tokens), bool)
    unused[tokens.units] = False
    tags[unused] = IGNORED
    return tags


def one_hot(tags: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Tag indices (T, L) as probabilities (T, L, 5): one tag is certain, or none where there is nothing to learn."""
    return np.asarray(tags[..., None] == np.arange(len(TAGS)), np.float32)


def _attributes(spans: Sequence[Span], schema: Schema) -> npt.NDArray[np.int64]:
    """Value indices (S, attributes), ``IGNORED`` where the span's label does not carry the attribute."""
    targets = np.full((len(spans), len(schema.attributes)), IGNORED, np.int64)
    for row, span in enumerate(spans):
        for column, (label, attribute) in enumerate(schema.attributes):
            if label.name == span.label:
                targets[row, column] = attribute.names.index(span.attributes[attribute.name])
    return targets


def link_targets(
    pairs: Sequence[tuple[Span, Span]], gold: set[tuple[str, str, str]], schema: Schema
) -> npt.NDArray[np.int64]:
    """1 for a gold link, 0 for a pair that the role could tie, ``IGNORED`` for labels that it does not; (P, roles)."""
    targets = np.full((len(pairs), len(schema.roles)), IGNORED, np.int64)
    for row, (head, tail) in enumerate(pairs):
        for column, (label, role) in enumerate(schema.roles):
            if label.name == head.label and role.tail == tail.label:
                targets[row, column] = (head.id, role.name, tail.id) in gold
    return targets
