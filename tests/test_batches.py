"""Batches: every window once an epoch, as many tokens in each, and little padding."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ROOT

from attackspan.formats import read
from attackspan.schema import default_schema
from attackspan.training.batches import TokenBatches
from attackspan.training.encoder import load_tokenizer
from attackspan.training.examples import examples
from attackspan.training.mixture import Mixture


def windows(lengths: list[int]) -> list[dict[str, list[int]]]:
    return [{"input_ids": [7] * length} for length in lengths]


@given(
    st.lists(st.integers(3, 384), min_size=1, max_size=300),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(0, 2**32),
    st.integers(0, 5),
)
def test_every_window_comes_once_and_every_process_takes_as_many_batches(
    lengths: list[int], batch_size: int, processes: int, seed: int, epoch: int
) -> None:
    mixture = Mixture(windows(lengths), [], 6)
    mixture.epoch = epoch
    parts = [TokenBatches(mixture, batch_size, seed, one, processes) for one in range(processes)]
    batches = [list(one) for one in parts]
    assert {len(one) for one in batches} == {len(parts[0])} == {-(-len(lengths) // (batch_size * processes))}
    assert all(batch for one in batches for batch in one)
    seen = Counter(index for one in batches for batch in one for index in batch)
    assert set(seen) == set(range(len(lengths)))
    if len(lengths) >= len(parts[0]) * processes:
        assert set(seen.values()) == {1}
    assert [list(one) for one in parts] == batches  # the same seed and epoch: the same batches


@given(
    st.lists(st.integers(3, 384), min_size=16, max_size=400), st.integers(2, 9), st.integers(1, 3), st.integers(0, 99)
)
def test_batches_have_as_many_tokens_each(lengths: list[int], batch_size: int, processes: int, seed: int) -> None:
    mixture = Mixture(windows(lengths), [], 1)
    tokens = [
        sum(lengths[index] for index in batch)
        for one in range(processes)
        for batch in TokenBatches(mixture, batch_size, seed, one, processes)
    ]
    mean = sum(lengths) / len(tokens)
    # A cut falls within a window of where it ought to, unless a batch would be left empty.
    if mean > 2 * max(lengths):
        assert max(abs(count - mean) for count in tokens) <= max(lengths)


def test_the_seeds_are_divided_anew_in_every_epoch_with_little_padding() -> None:
    tokenizer, schema = load_tokenizer("packaged"), default_schema()
    marked = [
        window
        for document in read([ROOT / "seeds" / "train"])
        for window in examples(document, tokenizer, schema, 382, 32)
    ]
    mixture = Mixture(marked, [], 2)
    sampler = TokenBatches(mixture, 8, 13)
    first = list(sampler)
    mixture.epoch = 1
    second = list(sampler)
    assert {frozenset(batch) for batch in first}.isdisjoint(frozenset(batch) for batch in second if len(batch) > 1)
    lengths = np.array([len(window["input_ids"]) for window in marked])
    for batches in (first, second):
        padded = sum(len(batch) * lengths[batch].max() for batch in batches)
        assert padded < 1.15 * lengths.sum()
        tokens = np.array([lengths[batch].sum() for batch in batches])
        assert tokens.std() < 0.1 * tokens.mean()
        widest = np.array([lengths[batch].max() for batch in batches])
        assert abs(np.corrcoef(widest, np.arange(len(widest)))[0, 1]) < 0.5  # no order of length among them


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_is_another_division(seed: int) -> None:
    mixture = Mixture(windows(list(range(3, 103))), [], 1)
    assert list(TokenBatches(mixture, 4, 0)) != list(TokenBatches(mixture, 4, seed))
