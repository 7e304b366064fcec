"""Which spans could be linked: every statement with every nearby span of a label that one of its roles takes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from attackspan.schema import Schema

REACH = 256
"""Candidates begin at most this many tokens from the statement (10 of the training corpus' 3 734 links do not)."""


def candidate_pairs(spans: Sequence[tuple[str, int, int]], schema: Schema) -> list[tuple[int, int]]:
    """Index pairs (head, tail) of spans (label, start, end) in tokens; heads in order, tails from left to right."""
    by_label: dict[str, list[tuple[int, int]]] = {}
    for index, (label, start, _) in enumerate(spans):
        by_label.setdefault(label, []).append((start, index))
    for positions in by_label.values():
        positions.sort()
    tails = {label.name: sorted({role.tail for role in label.roles}) for label in schema.labels}
    pairs = []
    for head, (label, start, end) in enumerate(spans):
        near: list[tuple[int, int]] = []
        for tail in tails[label]:
            positions = by_label.get(tail, [])
            low, high = bisect_left(positions, (start - REACH, -1)), bisect_right(positions, (end + REACH, -1))
            near += positions[low:high]
        pairs += [(head, index) for _, index in sorted(near) if index != head]
    return pairs
