"""Decoding against brute force over all allowed tag sequences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attackspan.model.viterbi import TAGS, Logits, decode

LOGITS = st.integers(1, 5).flatmap(
    lambda steps: arrays(np.float32, (steps, 2, 5), elements=st.floats(-8, 8, width=16), unique=False)
)


def allowed(tags: tuple[str, ...]) -> bool:
    inside = False
    for tag in tags:
        if (tag in "IE") != inside:
            return False
        inside = tag in "BI"
    return not inside


def spans(tags: tuple[str, ...]) -> list[tuple[int, int]]:
    found, start = [], 0
    for index, tag in enumerate(tags):
        start = index if tag in "BS" else start
        if tag in "ES":
            found.append((start, index + 1))
    return found


def by_hand(logits: Logits) -> tuple[float, dict[tuple[int, int], float]]:
    """The best path's score, and each span's probability, of one label's logits (T, 5)."""
    paths = [path for path in itertools.product(TAGS, repeat=len(logits)) if allowed(path)]
    scores = [sum(float(row[TAGS.index(tag)]) for row, tag in zip(logits, path, strict=True)) for path in paths]
    weights = np.exp(np.array(scores) - max(scores))
    shares: dict[tuple[int, int], float] = {}
    for path, weight in zip(paths, weights / weights.sum(), strict=True):
        for span in spans(path):
            shares[span] = shares.get(span, 0.0) + float(weight)
    return max(scores), shares


def path_score(logits: Logits, found: list[tuple[int, int, float]]) -> float:
    tags = ["O"] * len(logits)
    for start, stop, _ in found:
        tags[start:stop] = ["S"] if stop - start == 1 else ["B", *"I" * (stop - start - 2), "E"]
    return sum(float(row[TAGS.index(tag)]) for row, tag in zip(logits, tags, strict=True))


@given(st.lists(LOGITS, min_size=1, max_size=3))
def test_the_best_path_and_the_probabilities_are_those_of_brute_force(batch: list[Logits]) -> None:
    for logits, labels in zip(batch, decode(batch), strict=True):
        for column, found in enumerate(labels):
            best, shares = by_hand(logits[:, column])
            assert path_score(logits[:, column], found) == pytest.approx(best, abs=1e-3)
            for start, stop, score in found:
                assert score == pytest.approx(shares[start, stop], abs=2e-3)


@given(st.lists(LOGITS, min_size=2, max_size=4))
def test_a_document_decodes_alone_as_in_a_batch(batch: list[Logits]) -> None:
    for together, logits in zip(decode(batch), batch, strict=True):
        alone = decode([logits])[0]
        for left, right in zip(together, alone, strict=True):
            assert [span[:2] for span in left] == [span[:2] for span in right]
            assert [span[2] for span in left] == pytest.approx([span[2] for span in right], abs=1e-6)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(5, 40))
def test_far_from_any_span_nothing_changes(pieces: list[int], gap: int) -> None:
    """A long text of spans with much O between them decodes as each of its pieces does."""
    random = np.random.default_rng(pieces)
    parts = [random.normal(0, 2, (3, 2, 5)).astype(np.float32) for _ in pieces]
    calm = np.zeros((gap, 2, 5), np.float32)
    calm[..., TAGS.index("O")] = 14.0
    whole = decode([np.concatenate([piece for part in parts for piece in (calm, part)])])[0]
    for label in range(2):
        alone = [
            (start + gap + number * (gap + 3), stop + gap + number * (gap + 3), score)
            for number, part in enumerate(parts)
            for start, stop, score in decode([part])[0][label]
        ]
        assert [span[:2] for span in whole[label]] == [span[:2] for span in alone]
        assert [span[2] for span in whole[label]] == pytest.approx([span[2] for span in alone], abs=5e-3)


@pytest.mark.parametrize("batch", [[], [np.zeros((0, 2, 5), np.float32)]])
def test_nothing_gives_nothing(batch: list[Logits]) -> None:
    assert decode(batch) == [[[], []]] * len(batch)


def test_a_tag_that_opens_at_the_end_is_closed() -> None:
    logits = np.zeros((2, 1, 5), np.float32)
    logits[0, 0, TAGS.index("B")] = logits[1, 0, TAGS.index("I")] = 9.0
    assert [span[:2] for span in decode([logits])[0][0]] == [(0, 2)]
