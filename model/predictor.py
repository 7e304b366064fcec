"""The tagger: texts in, documents with spans, attributes and links out. Needs no torch."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, overload

import numpy as np
import numpy.typing as npt

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.model import viterbi
from attackspan.model.checkpoint import locate, read_json, verify
from attackspan.model.pairs import candidate_pairs
from attackspan.model.tokens import Tokenizer, Tokens, window_weights, windows
from attackspan.schema import Schema

Floats = npt.NDArray[np.float32]

CHUNK_TOKENS = 16_384
"""Documents are read ahead until they hold this many tokens, so that texts of one length share a batch."""
BATCH_TOKENS = 2_048
"""Most tokens, padding included, that the encoder gets at once: enough to fill it, few enough for the cache."""


class Session(Protocol):
    """What runs the network: ``session.OnnxSession`` or ``network.TorchSession``."""

    def encode(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64], /) -> tuple[Floats, Floats]: ...

    def relate(
        self, features: Floats, spans: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64], /
    ) -> tuple[Floats, Floats]: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What a checkpoint's ``config.json`` says of prediction; see ``network.AttackspanConfig``."""

    schema: Schema
    window: int
    overlap: int
    temperatures: dict[str, float]

    @classmethod
    def from_config(cls, config: dict[str, Any], where: str) -> Settings:
        """Take the settings out of a parsed ``config.json``.

        Raises:
            AttackspanError: one is missing.
        """
        try:
            schema = Schema.from_dict(config["label_schema"])
            return cls(schema, config["window"], config["overlap"], config["temperatures"])
        except KeyError as error:
            raise AttackspanError(f"{where}: no {error} in it; is this an attackspan checkpoint?") from error


class Tagger:
    """A fine-tuned model, ready to predict. Made by ``attackspan.load``."""

    def __init__(self, session: Session, tokenizer: Tokenizer, settings: Settings) -> None:
        self.session = session
        self.tokenizer = tokenizer
        self.settings = settings
        self.schema = settings.schema
        self._tag_temperatures = np.array(
            [settings.temperatures.get(label, 1.0) for label in self.schema.names], np.float32
        )

    @classmethod
    def load(cls, name: str | Path) -> Tagger:
        """Open a checkpoint folder, or one from the hub by its id.

        Raises:
            AttackspanError: there is no such checkpoint, or a file of it is missing or altered.
        """
        from attackspan.model.session import OnnxSession

        folder = locate(name)
        verify(folder, ("config.json", "tokenizer.json", "encoder.onnx", "relations.onnx"))
        settings = Settings.from_config(read_json(folder / "config.json"), str(folder / "config.json"))
        return cls(OnnxSession(folder), Tokenizer.load(folder / "tokenizer.json"), settings)

    @overload
    def predict(self, texts: str | Document) -> Document: ...  # type: ignore[overload-overlap]  # str is iterable too

    @overload
    def predict(self, texts: Iterable[str | Document]) -> Iterator[Document]: ...

    def predict(self, texts: str | Document | Iterable[str | Document]) -> Document | Iterator[Document]:
        """Label one text, or any iterable of texts: streamed, in order, in flat memory.

        Args:
            texts: texts, or Documents whose text is read anew (id, title, source and date stay, spans do not). A text
                may have any length, none included.

        Returns:
            One Document for one text; an iterator of Documents for an iterable. A text without an id gets its number.
        """
        if isinstance(texts, str | Document):
            return next(self._stream([texts]))
        return self._stream(texts)

    def _stream(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        chunk: list[tuple[Document, Tokens]] = []
        held = 0  # tokens in the chunk
        for documents in _batched(self._documents(texts), 64, CHUNK_TOKENS * 8):
            tokens = self.tokenizer.encode([document.text for document in documents])
            for pair in zip(documents, tokens, strict=True):
                chunk.append(pair)
                held += len(pair[1])
                if held >= CHUNK_TOKENS:
                    yield from self._label(chunk)
                    chunk, held = [], 0
        yield from self._label(chunk)

    def _documents(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        for number, text in enumerate(texts, 1):
            if isinstance(text, Document):
                yield replace(text, spans=(), links=(), schema=self.schema)
            elif isinstance(text, str):
                yield Document(str(number), text, schema=self.schema)
            else:
                raise AttackspanError(f"text {number} is a {type(text).__name__}; predict takes str or Document")

    def _label(self, chunk: Sequence[tuple[Document, Tokens]]) -> list[Document]:
        if not chunk:
            return []
        tokens = [one for _, one in chunk]
        logits, features = self.encode(tokens)
        found = [nest(spans) for spans in self._spans(logits)]
        values, links = self._relate(features, found)
        return [
            self._document(document, one, spans, value, link)
            for (document, one), spans, value, link in zip(chunk, found, values, links, strict=True)
        ]

    def encode(self, tokens: Sequence[Tokens]) -> tuple[list[Floats], list[Floats]]:
        """Tag logits (U, L, 5), temperature applied, and features (U, D) of the units of each text.

        A token that stands in several windows gets their mean, weighted by its distance from the windows' cuts.
        """
        cuts = [
            (index, start, stop)
            for index, one in enumerate(tokens)
            for start, stop in windows(len(one), self.settings.window, self.settings.overlap)
        ]
        cuts.sort(key=lambda cut: cut[1] - cut[2])
        merged: list[list[Floats] | None] = [None] * len(tokens)
        weights: dict[int, Floats] = {}
        extra = len(self.tokenizer.prefix) + len(self.tokenizer.suffix)
        for batch in _batches(cuts, extra):
            outputs = self.session.encode(*self._inputs(tokens, batch))
            for row, (index, start, stop) in enumerate(batch):
                begin = len(self.tokenizer.prefix)
                parts = [output[row, begin : begin + stop - start] for output in outputs]
                if stop - start == len(tokens[index]):
                    merged[index] = [part.copy() for part in parts]
                    continue
                weight = window_weights(start, stop, len(tokens[index]))
                total = merged[index]
                if total is None:
                    total = [np.zeros((len(tokens[index]), *part.shape[1:]), np.float32) for part in parts]
                    merged[index], weights[index] = total, np.zeros(len(tokens[index]), np.float32)
                weights[index][start:stop] += weight
                for whole, part in zip(total, parts, strict=True):
                    whole[start:stop] += part * weight.reshape(-1, *[1] * (part.ndim - 1))
        logits, features = [], []
        for index, (one, total) in enumerate(zip(tokens, merged, strict=True)):
            assert total is not None  # windows() covers every text, the empty one too
            weight = weights.get(index, np.ones(len(one), np.float32))[one.units]
            logits.append(total[0][one.units] / weight[:, None, None] / self._tag_temperatures[:, None])
            features.append(total[1][one.units] / weight[:, None])
        return logits, features

    def _inputs(
        self, tokens: Sequence[Tokens], batch: Sequence[tuple[int, int, int]]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Padded ids and mask, int64 (B, T), of the windows in the batch."""
        prefix, suffix = self.tokenizer.prefix, self.tokenizer.suffix
        width = max(stop - start for _, start, stop in batch) + len(prefix) + len(suffix)
        ids = np.full((len(batch), width), self.tokenizer.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for row, (index, start, stop) in enumerate(batch):
            window = np.concatenate((prefix, tokens[index].ids[start:stop], suffix)).astype(np.int64)
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        return ids, mask

    def _spans(self, logits: Sequence[Floats]) -> list[list[tuple[str, int, int, float]]]:
        """(label, first unit, unit behind the last, score) of each text; texts of like length are decoded together."""
        order = sorted(range(len(logits)), key=lambda index: -len(logits[index]))
        found: list[list[tuple[str, int, int, float]]] = [[] for _ in logits]
        while order:
            count = max(1, CHUNK_TOKENS // max(1, len(logits[order[0]])))
            group, order = order[:count], order[count:]
            for index, spans in zip(group, viterbi.decode([logits[index] for index in group]), strict=True):
                found[index] = [
                    (label, *span) for label, ones in zip(self.schema.names, spans, strict=True) for span in ones
                ]
        return found

    def _relate(
        self, features: Sequence[Floats], found: Sequence[Sequence[tuple[str, int, int, float]]]
    ) -> tuple[list[Floats], list[list[tuple[int, int, Floats]]]]:
        """For each text: attribute logits (S, values) and its candidate pairs with their link logits (roles,)."""
        values: list[Floats] = []
        links: list[list[tuple[int, int, Floats]]] = []
        for states, spans in zip(features, found, strict=True):
            if not spans:
                values.append(np.zeros((0, 0), np.float32))
                links.append([])
                continue
            pairs = candidate_pairs([span[:3] for span in spans], self.schema)
            ranges = np.array([span[1:3] for span in spans], np.int64)
            scores, ties = self.session.relate(states, ranges, np.array(pairs, np.int64).reshape(-1, 2))
            values.append(scores)
            links.append([(head, tail, tie) for (head, tail), tie in zip(pairs, ties, strict=True)])
        return values, links

    def _document(
        self,
        document: Document,
        tokens: Tokens,
        found: Sequence[tuple[str, int, int, float]],
        values: Floats,
        links: Sequence[tuple[int, int, Floats]],
    ) -> Document:
        counts: dict[str, int] = {}
        spans = []
        for row, (label, first, stop, score) in enumerate(found):
            counts[label] = counts.get(label, 0) + 1
            start, end = int(tokens.starts[tokens.units[first]]), int(tokens.ends[tokens.units[stop - 1]])
            attributes = self._attributes(label, values[row])
            spans.append(
                Span(
                    f"{label}{counts[label]}", label, start, end, document.text[start:end], round(score, 4), attributes
                )
            )
        ties = []
        for head, tail, logits in links:
            for column, (owner, role) in enumerate(self.schema.roles):
                if owner.name == spans[head].label and role.tail == spans[tail].label and logits[column] > 0:
                    temperature = self.settings.temperatures.get(f"{owner.name}.{role.name}", 1.0)
                    score = 1 / (1 + math.exp(-logits[column] / temperature))
                    ties.append(Link(role.name, spans[head].id, spans[tail].id, round(score, 4)))
        return replace(document, spans=tuple(spans), links=tuple(ties))

    def _attributes(self, label: str, logits: Floats) -> dict[str, str]:
        chosen, column = {}, 0
        for owner, attribute in self.schema.attributes:
            if owner.name == label:
                best = int(logits[column : column + len(attribute.values)].argmax())
                chosen[attribute.name] = attribute.names[best]
            column += len(attribute.values)
        return chosen


def _batched(documents: Iterable[Document], count: int, characters: int) -> Iterator[list[Document]]:
    """Groups of at most ``count`` documents and about ``characters`` of text."""
    group: list[Document] = []
    size = 0
    for document in documents:
        group.append(document)
        size += len(document.text)
        if len(group) == count or size >= characters:
            yield group
            group, size = [], 0
    if group:
        yield group


def _batches(cuts: Sequence[tuple[int, int, int]], extra: int) -> Iterator[Sequence[tuple[int, int, int]]]:
    """Windows, longest first, in batches of at most ``BATCH_TOKENS``; the first of a batch is its width."""
    start = 0
    while start < len(cuts):
        width = cuts[start][2] - cuts[start][1] + extra
        stop = start + max(1, BATCH_TOKENS // max(width, 1))
        yield cuts[start:stop]
        start = stop


def nest(spans: Sequence[tuple[str, int, int, float]]) -> list[tuple[str, int, int, float]]:
    """Shorten the longer of any two spans that cross, as the guidelines ask; in the order of the text."""
    kept: list[tuple[str, int, int, float]] = []
    placed: dict[str, list[tuple[int, int]]] = {}
    for label, first, stop, score in sorted(spans, key=lambda span: (span[2] - span[1], span[1])):
        begin, end = first, stop
        moved = True
        while moved and begin < end:
            moved = False
            for other, ranges in placed.items():
                if other == label:
                    continue
                left = bisect_right(ranges, (begin, -1)) - 1  # the last shorter span that begins before this one
                if left >= 0 and ranges[left][0] < begin < ranges[left][1] < end:
                    begin, moved = ranges[left][1], True
                right = bisect_right(ranges, (end, -1)) - 1  # the last one that begins before this one's end
                if right >= 0 and begin < ranges[right][0] < end < ranges[right][1]:
                    end, moved = ranges[right][0], True
        if begin < end:
            insort(placed.setdefault(label, []), (begin, end))
            kept.append((label, begin, end, score))
    return sorted(kept, key=lambda span: (span[1], -span[2]))
