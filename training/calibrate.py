"""Temperatures: one a head, so that scores mean what they say.

Guo et al., On calibration of modern neural networks, ICML 2017: divide the logits by the one number that minimises the
negative log-likelihood on the validation split. It changes no decision of a tagger or a link, only its score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from attackspan.document import Document
from attackspan.model.network import IGNORED
from attackspan.model.pairs import candidate_pairs
from attackspan.model.predictor import Tagger
from attackspan.training.examples import align, link_targets, tag_targets

Array = npt.NDArray[Any]


def temperatures(tagger: Tagger, documents: Sequence[Document]) -> dict[str, float]:
    """Fit a temperature for each label's tagger and each role's link scorer.

    Args:
        tagger: with all its temperatures at 1.
        documents: the validation split, gold; none gives no temperatures, which stands for 1.

    Returns:
        ``{"actor": 1.1, …, "attribution.source": 0.9, …}``.
    """
    schema = tagger.schema
    tags: list[tuple[Array, Array]] = []
    links: list[tuple[Array, Array]] = []
    for document in documents:
        tokens = tagger.tokenizer.encode([document.text])[0]
        aligned, _ = align(document, tokens)
        (logits,), (features,) = tagger.encode([tokens])
        tags.append((logits, tag_targets(aligned, tokens, schema)[tokens.units]))
        unit = {int(token): index for index, token in enumerate(tokens.units)}
        spans = [(one.span.label, unit[one.first], unit[one.last] + 1) for one in aligned]
        if pairs := candidate_pairs(spans, schema):
            ranges = np.array([span[1:] for span in spans], np.int64)
            _, scores = tagger.session.relate(features, ranges, np.array(pairs, np.int64))
            gold = {(link.head, link.role, link.tail) for link in document.links}
            links.append((scores, link_targets([(aligned[a].span, aligned[b].span) for a, b in pairs], gold, schema)))
    fitted = {}
    if tags:
        logits, targets = (np.concatenate(part) for part in zip(*tags, strict=True))
        for column, name in enumerate(schema.names):
            fitted[name] = _fit(_tag_loss(logits[:, column].astype(np.float64), targets[:, column]))
    if links:
        scores, targets = (np.concatenate(part) for part in zip(*links, strict=True))
        for column, (label, role) in enumerate(schema.roles):
            known = targets[:, column] != IGNORED
            if known.any():
                loss = _link_loss(scores[known, column].astype(np.float64), targets[known, column])
                fitted[f"{label.name}.{role.name}"] = _fit(loss)
    return fitted


def _fit(loss: Callable[[float], float]) -> float:
    """The temperature between 1/5 and 5 of the least loss."""
    found = minimize_scalar(lambda log: loss(float(np.exp(log))), bounds=(-np.log(5), np.log(5)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def _tag_loss(logits: Array, targets: Array) -> Callable[[float], float]:
    rows = np.arange(len(targets))

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        return float((np.logaddexp.reduce(scaled, -1) - scaled[rows, targets]).mean())

    return loss


def _link_loss(logits: Array, targets: Array) -> Callable[[float], float]:
    signs = np.where(targets == 1, -1.0, 1.0)
    return lambda temperature: float(np.logaddexp(0.0, signs * logits / temperature).mean())
