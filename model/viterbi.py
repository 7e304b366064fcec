"""Constrained BIOES decoding, for many documents and labels at once, in numpy.

Each label has its own tag sequence. The only constraint of BIOES is whether a position lies inside an open span: after
B or I comes I or E; after O, E or S, and at the beginning, comes O, B or S; the text ends outside. So two running
maxima (or log-sums) a label suffice instead of a 5 x 5 table of transitions.

Viterbi: Forney, The Viterbi algorithm, Proc. IEEE 61 (1973). Span probabilities: the forward-backward algorithm of
Rabiner, A tutorial on hidden Markov models, Proc. IEEE 77 (1989), with the constraint as 0/1 transitions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

TAGS = ("O", "B", "I", "E", "S")
O, B, I, E, S = range(5)  # noqa: E741 - the tags' own names

Logits = npt.NDArray[np.float32]


def decode(logits: Sequence[Logits]) -> list[list[list[tuple[int, int, float]]]]:
    """The best spans of each document and label, with the probability of each.

    Args:
        logits: for each document float32 (T, L, 5): positions, labels, tags in the order of ``TAGS``.

    Returns:
        For each document, for each label, the spans (first position, position behind the last, probability) in order.
    """
    if not logits:
        return []
    lengths = [len(one) for one in logits]
    labels = logits[0].shape[1]
    batch = np.full((max(lengths), len(logits), labels, 5), -1e4, np.float32)
    batch[..., O] = 0.0  # positions behind a document's end are O for certain
    for index, one in enumerate(logits):
        batch[: lengths[index], index] = one
    tags = _viterbi(batch)
    spans: list[list[list[tuple[int, int, float]]]] = [[[] for _ in range(labels)] for _ in logits]
    opens = np.argwhere(((tags == B) | (tags == S)).transpose(1, 2, 0))
    closes = np.argwhere(((tags == E) | (tags == S)).transpose(1, 2, 0))
    if len(opens):
        document, label, first = opens.T
        last = closes[:, 2]
        scores = _probabilities(batch, document, label, first, last)
        for d, k, i, j, score in zip(document, label, first, last, scores, strict=True):
            spans[d][k].append((int(i), int(j) + 1, float(score)))
    return spans


def _viterbi(batch: Logits) -> npt.NDArray[np.int8]:
    """The best allowed tags, int8 (T, documents, L), of logits (T, documents, L, 5)."""
    steps = len(batch)
    outside = np.zeros(batch.shape[1:3], np.float32)  # best score of a path that ends outside a span
    inside = np.full_like(outside, -np.inf)
    from_outside = np.zeros((steps, *outside.shape), np.int8)  # the last tag of that path
    from_inside = np.zeros_like(from_outside)
    for t in range(steps):
        closing = np.stack((outside + batch[t, ..., O], inside + batch[t, ..., E], outside + batch[t, ..., S]))
        opening, going = outside + batch[t, ..., B], inside + batch[t, ..., I]
        from_outside[t] = np.array((O, E, S), np.int8)[closing.argmax(0)]
        from_inside[t] = np.where(opening >= going, B, I)
        outside, inside = closing.max(0), np.maximum(opening, going)
    tags = np.zeros_like(from_outside)
    open_ = np.zeros(outside.shape, bool)  # reading backwards, the text ends outside
    for t in range(steps - 1, -1, -1):
        tags[t] = np.where(open_, from_inside[t], from_outside[t])
        open_ = (tags[t] == I) | (tags[t] == E)
    return tags


def _probabilities(
    batch: Logits,
    document: npt.NDArray[np.intp],
    label: npt.NDArray[np.intp],
    first: npt.NDArray[np.intp],
    last: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """The probability of each span [first, last] under the constrained chain: all paths through it over all paths."""
    scores = batch.astype(np.float64)
    scores -= np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    steps = len(scores)
    outside = np.zeros((steps + 1, *scores.shape[1:3]))  # log-sum of the paths up to t that end outside
    inside = np.full_like(outside, -np.inf)
    closed = np.zeros_like(outside)  # log-sum of the paths from t to the end, that start outside
    opened = np.full_like(outside, -np.inf)
    still = np.logaddexp(scores[..., O], scores[..., S])
    for t in range(steps):
        outside[t + 1] = np.logaddexp(outside[t] + still[t], inside[t] + scores[t, ..., E])
        inside[t + 1] = np.logaddexp(outside[t] + scores[t, ..., B], inside[t] + scores[t, ..., I])
    for t in range(steps - 1, -1, -1):
        closed[t] = np.logaddexp(closed[t + 1] + still[t], opened[t + 1] + scores[t, ..., B])
        opened[t] = np.logaddexp(closed[t + 1] + scores[t, ..., E], opened[t + 1] + scores[t, ..., I])
    middle = np.concatenate((np.zeros((1, *scores.shape[1:3])), np.cumsum(scores[..., I], axis=0)))
    long = scores[first, document, label, B] + scores[last, document, label, E]
    long += middle[last, document, label] - middle[np.minimum(first + 1, last), document, label]
    span = np.where(first == last, scores[first, document, label, S], long)
    path = outside[first, document, label] + span + closed[last + 1, document, label]
    shares: npt.NDArray[np.float64] = np.exp(np.minimum(path - outside[steps, document, label], 0.0))
    return shares
