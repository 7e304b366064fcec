"""The tagger: texts in, documents with spans, attributes and links out. Needs no torch."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, overload

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
Threshold: TypeAlias = float | Mapping[str, float]

CHUNK_TOKENS = 16_384
"""Documents are read ahead until they hold this many tokens: work for every thread, in flat memory."""
LEAST_TIE = -1.0
"""Logit (a probability of 0.27) above which a role that nothing fills takes its likeliest candidate: most have one."""


class Session(Protocol):
    """What runs the network: ``session.OnnxSession`` or ``torch_session.TorchSession``."""

    def encode(self, windows: Sequence[npt.NDArray[np.int64]], /) -> Iterator[tuple[Floats, Floats]]: ...

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
    calibration: dict[str, tuple[float, float]]

    @classmethod
    def from_config(cls, config: dict[str, Any], where: str) -> Settings:
        """Take the settings out of a parsed ``config.json``.

        Raises:
            AttackspanError: one is missing.
        """
        try:
            schema = Schema.from_dict(config["label_schema"])
            fits = {name: (fit[0], fit[1]) for name, fit in config["calibration"].items()}
            return cls(schema, config["window"], config["overlap"], config["temperatures"], fits)
        except KeyError as error:
            raise AttackspanError(f"{where}: no {error} in it; is this an attackspan checkpoint?") from error


class Tagger:
    """A fine-tuned model, ready to predict. Made by ``attackspan.load``."""

    def __init__(self, session: Session, tokenizer: Tokenizer, settings: Settings) -> None:
        self.session = session
        self.tokenizer = tokenizer
        self.settings = settings
        self.schema = settings.schema
        self._temperatures = np.array([settings.temperatures.get(name, 1.0) for name in self.schema.names], np.float32)

    @classmethod
    def load(cls, name: str | Path, *, device: str = "cpu", threads: int | None = None) -> Tagger:
        """Open a checkpoint folder, or one from the hub by its id; see ``attackspan.load``."""
        folder = locate(name, device)
        graphs = ("encoder.onnx", "relations.onnx") if device == "cpu" else ("model.safetensors",)
        verify(folder, ("config.json", "tokenizer.json", *graphs))
        settings = Settings.from_config(read_json(folder / "config.json"), str(folder / "config.json"))
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        if device != "cpu":
            from attackspan.model.torch_session import TorchSession

            return cls(TorchSession.load(folder, device), tokenizer, settings)
        from attackspan.model.session import OnnxSession

        return cls(OnnxSession(folder, threads), tokenizer, settings)

    @overload
    def predict(  # type: ignore[overload-overlap]  # str is iterable too
        self, texts: str | Document, *, threshold: Threshold = 0.0
    ) -> Document: ...

    @overload
    def predict(self, texts: Iterable[str | Document], *, threshold: Threshold = 0.0) -> Iterator[Document]: ...

    def predict(
        self, texts: str | Document | Iterable[str | Document], *, threshold: Threshold = 0.0
    ) -> Document | Iterator[Document]:
        """Label one text, or any iterable of texts: streamed, in order, in flat memory.

        Args:
            texts: texts, or Documents whose text is read anew (id, title, source and date stay, spans do not). A text
                may have any length, none included.
            threshold: spans that score less are left out, for all labels or by label; the precision-recall curves of
                ``attackspan report`` show what one costs and gives.

        Returns:
            One Document for one text; an iterator of Documents for an iterable. A text without an id gets its number.

        Raises:
            AttackspanError: a threshold is no probability, or its label is unknown.
        """
        self._thresholds(threshold)  # a wrong one is said at once
        if isinstance(texts, str | Document):
            return next(self._stream([texts], threshold))
        return self._stream(texts, threshold)

    def _thresholds(self, threshold: Threshold) -> dict[str, float]:
        by_label = threshold if isinstance(threshold, Mapping) else dict.fromkeys(self.schema.names, threshold)
        for label, value in by_label.items():
            if label not in self.schema.names:
                raise AttackspanError(f"threshold for {label!r}: the model's labels are {', '.join(self.schema.names)}")
            if not 0 <= value <= 1:
                raise AttackspanError(f"threshold {value} for {label}: scores lie between 0 and 1")
        return dict(by_label)

    def _stream(self, texts: Iterable[str | Document], threshold: Threshold) -> Iterator[Document]:
        """While the encoder works on one chunk, the spans of the one before are read."""
        before = None
        for documents, tokens in self._chunks(texts):
            chunk = (documents, tokens, self.session.encode(self._windows(tokens)))
            if before:
                yield from self.label(*before[:2], *self._merge(*before[1:]), threshold)
            before = chunk
        if before:
            yield from self.label(*before[:2], *self._merge(*before[1:]), threshold)

    def _chunks(self, texts: Iterable[str | Document]) -> Iterator[tuple[list[Document], list[Tokens]]]:
        chunk: list[Document] = []
        tokens: list[Tokens] = []
        held = 0
        for documents in batched(self._documents(texts), 64, CHUNK_TOKENS * 8):
            encoded = self.tokenizer.encode([document.text for document in documents])
            for document, one in zip(documents, encoded, strict=True):
                chunk.append(document)
                tokens.append(one)
                held += len(one) + 2  # an empty text is work too
                if held >= CHUNK_TOKENS:
                    yield chunk, tokens
                    chunk, tokens, held = [], [], 0
        if chunk:
            yield chunk, tokens

    def _documents(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        for number, text in enumerate(texts, 1):
            if isinstance(text, Document):
                yield replace(text, spans=(), links=(), schema=self.schema)
            elif isinstance(text, str):
                yield Document(str(number), text, schema=self.schema)
            else:
                raise AttackspanError(f"text {number} is a {type(text).__name__}; predict takes str or Document")

    def label(
        self,
        documents: Sequence[Document],
        tokens: Sequence[Tokens],
        logits: Sequence[Floats],
        features: Sequence[Floats],
        threshold: Threshold = 0.0,
    ) -> list[Document]:
        """Documents, their tokens and what ``encode`` says of these, decoded: with spans, attributes and links."""
        least = self._thresholds(threshold)
        found = [nest([span for span in spans if span[3] >= least.get(span[0], 0.0)]) for spans in self._spans(logits)]
        values, links = self._relate(features, found)
        return [self._document(*parts) for parts in zip(documents, tokens, found, values, links, strict=True)]

    def encode(self, tokens: Sequence[Tokens]) -> tuple[list[Floats], list[Floats]]:
        """Tag logits (U, L, 5), temperature applied, and features (U, D) of the units of each text.

        A token that stands in several windows gets their mean, weighted by its distance from the windows' cuts.
        """
        return self._merge(tokens, self.session.encode(self._windows(tokens)))

    def relate(self, document: Document) -> Document:
        """The document with its spans as given, and the attributes and links that the model reads on them.

        A span that begins or ends inside a token is read as the tokens that it touches.

        Raises:
            AttackspanError: a label is unknown to the model, or a span touches none of its tokens.
        """
        values, links = self._read(document)
        spans = tuple(
            replace(span, attributes=self._attributes(span.label, values[row]))
            for row, span in enumerate(document.spans)
        )
        return replace(document, spans=spans, links=self._ties(spans, links), schema=self.schema)

    def candidates(self, document: Document) -> list[tuple[Span, str, Span, float]]:
        """Every link that there could be between the document's spans, as (head, role, tail, score).

        The model makes a link of those that score above 0.5 before calibration, or of a role's best above 0.27 where it
        has none; it raises what ``relate`` raises.
        """
        links = self._candidates(document.spans, self._read(document)[1])
        return [
            (head, role, tail, self._calibrated(f"{head.label}.{role}", logit)) for head, role, tail, logit in links
        ]

    def _read(self, document: Document) -> tuple[Floats, list[tuple[int, int, Floats]]]:
        """Attribute and link logits of a document's own spans."""
        tokens = self.tokenizer.encode([document.text])[0]
        starts, ends = tokens.starts[tokens.units], tokens.ends[tokens.units]
        found = []
        for span in document.spans:
            first, stop = int(np.searchsorted(ends, span.start, "right")), int(np.searchsorted(starts, span.end))
            if first >= stop or span.label not in self.schema.names:
                raise AttackspanError(
                    f"document {document.id!r}: the model cannot read {span.label} {span.id!r} {span.text[:40]!r}: "
                    "it needs a label that the model knows, and a letter or sign that its tokenizer keeps"
                )
            found.append((span.label, first, stop, 1.0))
        _, features = self.encode([tokens])
        (values,), (links,) = self._relate(features, [found])
        return values, links

    def _cuts(self, text: Tokens) -> list[tuple[int, int]]:
        return windows(len(text), self.settings.window, self.settings.overlap)

    def _windows(self, tokens: Sequence[Tokens]) -> list[npt.NDArray[np.int64]]:
        """Token ids, special ones included, of every window of every text."""
        prefix, suffix = self.tokenizer.prefix, self.tokenizer.suffix
        return [
            np.concatenate((prefix, text.ids[start:stop], suffix)).astype(np.int64)
            for text in tokens
            for start, stop in self._cuts(text)
        ]

    def _merge(
        self, tokens: Sequence[Tokens], outputs: Iterator[tuple[Floats, Floats]]
    ) -> tuple[list[Floats], list[Floats]]:
        """One text's windows at a time back into logits and features of its units."""
        logits, features = [], []
        begin = len(self.tokenizer.prefix)
        for text in tokens:
            cuts = self._cuts(text)
            total: list[Floats] = []
            weights = np.zeros(len(text), np.float32)
            for (start, stop), output in zip(cuts, outputs, strict=False):
                weight = window_weights(start, stop, len(text)) if len(cuts) > 1 else np.ones(stop, np.float32)
                parts = [part[begin : begin + stop - start] for part in output]
                total = total or [np.zeros((len(text), *part.shape[1:]), np.float32) for part in parts]
                weights[start:stop] += weight
                for whole, part in zip(total, parts, strict=True):
                    whole[start:stop] += part * weight.reshape(-1, *[1] * (part.ndim - 1))
            weights = weights[text.units]
            logits.append(total[0][text.units] / weights[:, None, None] / self._temperatures[:, None])
            features.append(total[1][text.units] / weights[:, None])
        return logits, features

    def _spans(self, logits: Sequence[Floats]) -> list[list[tuple[str, int, int, float]]]:
        """(label, first unit, unit behind the last, score) of each text."""
        return [
            [
                (label, first, stop, self._calibrated(label, logit(share)))
                for label, ones in zip(self.schema.names, spans, strict=True)
                for first, stop, share in ones
            ]
            for spans in viterbi.decode(logits)
        ]

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
        return replace(document, spans=tuple(spans), links=self._ties(spans, links))

    def _ties(self, spans: Sequence[Span], links: Sequence[tuple[int, int, Floats]]) -> tuple[Link, ...]:
        """The candidates that the model ties: all above one half, or, where a role has none, the likeliest."""
        candidates = list(self._candidates(spans, links))
        best: dict[tuple[str, str], float] = {}
        for head, role, _, logit in candidates:
            best[head.id, role] = max(logit, best.get((head.id, role), LEAST_TIE))
        return tuple(
            Link(role, head.id, tail.id, round(self._calibrated(f"{head.label}.{role}", logit), 4))
            for head, role, tail, logit in candidates
            if logit > 0 or LEAST_TIE < logit == best[head.id, role]
        )

    def _candidates(
        self, spans: Sequence[Span], links: Sequence[tuple[int, int, Floats]]
    ) -> Iterator[tuple[Span, str, Span, float]]:
        """Head, role, tail and logit of all pairs that a role could tie."""
        for head, tail, logits in links:
            for column, (owner, role) in enumerate(self.schema.roles):
                if owner.name == spans[head].label and role.tail == spans[tail].label:
                    yield spans[head], role.name, spans[tail], float(logits[column])

    def _calibrated(self, head: str, logit: float) -> float:
        """The probability that a head's logit stands for."""
        slope, offset = self.settings.calibration.get(head, (1.0, 0.0))
        return 1 / (1 + math.exp(-(slope * logit + offset)))

    def _attributes(self, label: str, logits: Floats) -> dict[str, str]:
        chosen, column = {}, 0
        for owner, attribute in self.schema.attributes:
            if owner.name == label:
                best = int(logits[column : column + len(attribute.values)].argmax())
                chosen[attribute.name] = attribute.names[best]
            column += len(attribute.values)
        return chosen


def logit(share: float) -> float:
    """The logit of a probability, kept between -20 and 20."""
    share = min(max(share, 2e-9), 1 - 2e-9)
    return math.log(share / (1 - share))


def batched(documents: Iterable[Document], count: int, characters: int) -> Iterator[list[Document]]:
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
