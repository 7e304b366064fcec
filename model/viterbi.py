"""Constrained BIOES decoding, for many documents and labels at once, in numpy.

Each label has its own tag sequence. The only constraint of BIOES is whether a position lies inside an open span: after
B or I comes I or E; after O, E or S, and at the beginning, comes O, B or S; the text ends outside. So two running
maxima (or log-sums) a label suffice instead of a 5 x 5 table of transitions.

Most positions lie far from any span. Where no run of positions that covers a position could gain by being a span, it is
O in the best path; so a text falls into short stretches, and those of all texts and labels are decoded side by side.

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
Indices = npt.NDArray[np.intp]

_CERTAIN = 1e4
"""Logits apart for certain."""

FAR = 5.0
"""By how much the best run through a position must lose against O before the position is left out. For the best path 0
would do; more keeps the spans' probabilities to within about exp(-5)."""


def decode(logits: Sequence[Logits]) -> list[list[list[tuple[int, int, float]]]]:
    """The best spans of each document and label, with the probability of each.

    Args:
        logits: for each document float32 (T, L, 5): positions, labels, tags in the order of ``TAGS``.

    Returns:
        For each document, for each label, the spans (first position, position behind the last, probability) in order.
    """
    if not logits:
        return []
    labels = logits[0].shape[1]
    flat, begins = _in_a_row(logits)
    label, start, stop = _stretches(flat)
    found: list[tuple[int, int, int, float]] = []
    order = np.argsort(start - stop, kind="stable")
    while len(order):
        lengths = (stop - start)[order]
        count = int(np.searchsorted(-lengths, -lengths[0] / 2, side="right"))  # none is shorter than half the longest
        group, order = order[:count], order[count:]
        rows = _rows(flat, label[group], start[group], stop[group])
        tags = _viterbi(rows)
        row, first = np.argwhere(((tags == B) | (tags == S)).T).T
        last = np.argwhere(((tags == E) | (tags == S)).T)[:, 1]
        scores = _probabilities(rows, row, first, last)
        offset = start[group][row]
        columns = (label[group][row], first + offset, last + offset + 1, scores)
        found += zip(*(column.tolist() for column in columns), strict=True)
    spans: list[list[list[tuple[int, int, float]]]] = [[[] for _ in range(labels)] for _ in logits]
    for kind, first_, stop_, score in sorted(found):
        document = int(np.searchsorted(begins, first_, side="right")) - 1
        spans[document][kind].append((first_ - int(begins[document]), stop_ - int(begins[document]), score))
    return spans


def _in_a_row(logits: Sequence[Logits]) -> tuple[Logits, Indices]:
    """All documents' logits (N, L, 5), each followed by a position that is O for certain, and where each begins."""
    wall = np.full((1, *logits[0].shape[1:]), -_CERTAIN, np.float32)
    wall[..., O] = 0.0
    begins = np.cumsum([0, *(len(one) + 1 for one in logits)])[:-1]
    return np.concatenate([part for one in logits for part in (one, wall)]), begins


def _stretches(flat: Logits) -> tuple[Indices, Indices, Indices]:
    """Label, start and stop of each stretch of positions that could lie in a span, from logits (N, L, 5)."""
    gain = (flat[..., 1:].max(-1) - flat[..., O]).T.astype(np.float64)  # of being in a span, at best
    total = np.cumsum(np.pad(gain, ((0, 0), (1, 0))), axis=1)
    # The best run that covers a position: the highest total from there on, less the lowest before it.
    best = np.maximum.accumulate(total[:, :0:-1], axis=1)[:, ::-1] - np.minimum.accumulate(total[:, :-1], axis=1)
    near = np.pad(best > -FAR, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(near, axis=1)
    label, start = np.nonzero(change == 1)
    stop = np.nonzero(change == -1)[1]
    return label, start, stop


def _rows(flat: Logits, label: Indices, start: Indices, stop: Indices) -> Logits:
    """The logits of stretches side by side: float32 (longest, stretches, 5), O behind the end of each."""
    at = start + np.arange((stop - start).max())[:, None]
    rows = flat[np.minimum(at, len(flat) - 1), label]
    rows[at >= stop] = (0.0, *[-_CERTAIN] * 4)
    return rows


def _viterbi(batch: Logits) -> npt.NDArray[np.int8]:
    """The best allowed tags, int8 (T, R), of rows of logits (T, R, 5)."""
    steps = len(batch)
    outside = np.zeros(batch.shape[1], np.float32)  # best score of a path that ends outside a span
    inside = np.full_like(outside, -np.inf)
    from_outside = np.zeros((steps, *outside.shape), np.int8)  # the last tag of that path
    from_inside = np.zeros_like(from_outside)
    for t in range(steps):
        tags = batch[t].T
        closing = np.array((outside + tags[O], inside + tags[E], outside + tags[S]))
        opening, going = outside + tags[B], inside + tags[I]
        from_outside[t] = np.array((O, E, S), np.int8)[closing.argmax(0)]
        from_inside[t] = np.where(opening >= going, B, I)
        outside, inside = closing.max(0), np.maximum(opening, going)
    path = np.zeros_like(from_outside)
    open_ = np.zeros(outside.shape, bool)  # reading backwards, the text ends outside
    for t in range(steps - 1, -1, -1):
        path[t] = np.where(open_, from_inside[t], from_outside[t])
        open_ = (path[t] == I) | (path[t] == E)
    return path


def _probabilities(rows: Logits, row: Indices, first: Indices, last: Indices) -> npt.NDArray[np.float64]:
    """The probability of each span [first, last] under the constrained chain: all paths through it over all paths."""
    scores = rows.astype(np.float64)
    scores -= np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    steps, count = scores.shape[:2]
    outside = np.zeros((steps + 1, count))  # log-sum of the paths up to t that end outside
    inside = np.full_like(outside, -np.inf)
    closed = np.zeros_like(outside)  # log-sum of the paths from t to the end, that start outside
    opened = np.full_like(outside, -np.inf)
    still = np.logaddexp(scores[..., O], scores[..., S])
    for t in range(steps):
        outside[t + 1] = np.logaddexp(outside[t] + still[t], inside[t] + scores[t, :, E])
        inside[t + 1] = np.logaddexp(outside[t] + scores[t, :, B], inside[t] + scores[t, :, I])
    for t in range(steps - 1, -1, -1):
        closed[t] = np.logaddexp(closed[t + 1] + still[t], opened[t + 1] + scores[t, :, B])
        opened[t] = np.logaddexp(closed[t + 1] + scores[t, :, E], opened[t + 1] + scores[t, :, I])
    middle = np.concatenate((np.zeros((1, count)), np.cumsum(scores[..., I], axis=0)))
    long = scores[first, row, B] + scores[last, row, E]
    long += middle[last, row] - middle[np.minimum(first + 1, last), row]
    span = np.where(first == last, scores[first, row, S], long)
    path = outside[first, row] + span + closed[last + 1, row]
    shares: npt.NDArray[np.float64] = np.exp(np.minimum(path - outside[steps, row], 0.0))
    return shares
