"""Calibration, so that scores mean what they say: a temperature for tags, then slope and offset for spans and links.

Guo et al., On calibration of modern neural networks, ICML 2017: divide the logits by the one number of the least
negative log-likelihood. Platt, Probabilistic outputs for support vector machines, 1999: the logit of a score, times a
slope and plus an offset, is the logit of the share that is right. Both are fitted on the validation split, and neither
changes which spans and links there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

from attackspan.document import Document
from attackspan.model.predictor import Tagger, logit
from attackspan.training.examples import align, tag_targets

PRIOR = 1e-3
"""Weight of the pull towards changing nothing, which keeps a head with few or unanimous examples sane."""


def temperatures(tagger: Tagger, documents: Sequence[Document]) -> dict[str, float]:
    """Fit the temperature of each label's tags.

    Args:
        tagger: with all its temperatures at 1.
        documents: the validation split, gold; none gives no temperatures, which stands for 1.

    Returns:
        ``{"actor": 1.8, …}``.
    """
    logits, targets = [], []
    for document in documents:
        tokens = tagger.tokenizer.encode([document.text])[0]
        logits += tagger.encode([tokens])[0]
        targets.append(tag_targets(align(document, tokens)[0], tokens, tagger.schema)[tokens.units])
    if not documents:
        return {}
    scores, tags = np.concatenate(logits).astype(np.float64), np.concatenate(targets)
    return {name: _temperature(scores[:, column], tags[:, column]) for column, name in enumerate(tagger.schema.names)}


def calibration(tagger: Tagger, documents: Sequence[Document]) -> dict[str, tuple[float, float]]:
    """Fit slope and offset of each label's spans and each role's links.

    A span is right where a gold span has its label and boundaries; a link, on gold spans, where it is gold.

    Args:
        tagger: with its temperatures, not calibrated.
        documents: the validation split, gold; none gives no fits, which stands for a slope of 1 and an offset of 0.

    Returns:
        ``{"actor": (0.7, -0.4), …, "attribution.source": (0.9, 0.1), …}``; a head without an example is left out.
    """
    pairs: dict[str, list[tuple[float, bool]]] = {}
    for gold, found in zip(documents, tagger.predict(documents), strict=True):
        right = {(span.label, span.start, span.end) for span in gold.spans}
        for span in found.spans:
            assert span.score is not None  # a tagger's spans have one
            pairs.setdefault(span.label, []).append((span.score, (span.label, span.start, span.end) in right))
    for document in documents:
        ties = {(link.head, link.role, link.tail) for link in document.links}
        for head, role, tail, score in tagger.candidates(replace(document, schema=tagger.schema)):
            pairs.setdefault(f"{head.label}.{role}", []).append((score, (head.id, role, tail.id) in ties))
    return {name: _platt(some) for name, some in pairs.items()}


def _temperature(logits: npt.NDArray[np.float64], targets: npt.NDArray[np.int64]) -> float:
    """The temperature between 1/5 and 5 of the least loss of tag logits (U, 5) against tags (U,)."""
    rows = np.arange(len(targets))

    def loss(log: float) -> float:
        scaled = logits / np.exp(log)
        return float((np.logaddexp.reduce(scaled, -1) - scaled[rows, targets]).mean())

    found = minimize_scalar(loss, bounds=(-np.log(5), np.log(5)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def _platt(pairs: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    logits = np.array([logit(score) for score, _ in pairs])
    signs = np.array([1.0 if right else -1.0 for _, right in pairs])

    def loss(fit: npt.NDArray[Any]) -> float:
        error = np.logaddexp(0.0, -signs * (fit[0] * logits + fit[1])).mean()
        return float(error + PRIOR * ((fit[0] - 1) ** 2 + fit[1] ** 2))

    slope, offset = minimize(loss, (1.0, 0.0), method="L-BFGS-B", bounds=((0.01, 10.0), (-10.0, 10.0))).x
    return round(float(slope), 4), round(float(offset), 4)
