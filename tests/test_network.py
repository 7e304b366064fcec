"""The chain's likelihood, against the sum over all tag sequences written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attackspan.model import viterbi
from attackspan.model.network import IGNORED, chain_loss
from attackspan.model.viterbi import B, E, I, O, S

AFTER = {O: {O, B, S}, B: {I, E}, I: {I, E}, E: {O, B, S}, S: {O, B, S}}


def allowed(tags: tuple[int, ...]) -> bool:
    return all(right in AFTER[left] for left, right in itertools.pairwise(tags))


def by_hand(logits: torch.Tensor, tags: list[int]) -> float:
    """Of one sequence: the log-sum over every allowed one, less the score of this one; logits (T, 5)."""

    def total(path: tuple[int, ...]) -> torch.Tensor:
        return torch.stack([one[tag] for one, tag in zip(logits, path, strict=True)]).sum()

    every = [total(path) for path in itertools.product(range(5), repeat=len(tags)) if allowed(path)]
    return float(torch.logsumexp(torch.stack(every), 0) - total(tuple(tags)))


@given(st.integers(1, 5), st.integers(0, 10_000), st.data())
@settings(max_examples=60, deadline=None)
def test_the_loss_is_the_likelihood_under_the_constraint(length: int, seed: int, data: st.DataObject) -> None:
    logits = torch.randn(length, 5, generator=torch.Generator().manual_seed(seed)) * 3
    tags = list(data.draw(st.sampled_from([p for p in itertools.product(range(5), repeat=length) if allowed(p)])))
    loss = chain_loss(logits[None, :, None], torch.tensor(tags)[None, :, None])
    assert float(loss) * length == pytest.approx(by_hand(logits, tags), abs=1e-3)


def test_ignored_tokens_and_padding_take_no_part() -> None:
    logits = torch.randn(1, 6, 2, 5, generator=torch.Generator().manual_seed(1))
    tags = torch.tensor([[B, I, E, O, S, O]]).unsqueeze(-1).expand(1, 6, 2).clone()
    kept = chain_loss(logits, tags)
    wide = torch.full((1, 9, 2, 5), 7.0)
    places = torch.tensor([1, 2, 4, 5, 6, 7])
    wide[:, places] = logits
    ignored = torch.full((1, 9, 2), IGNORED)
    ignored[:, places] = tags
    assert float(chain_loss(wide, ignored)) == pytest.approx(float(kept), rel=1e-5)


def test_a_batch_is_the_mean_over_its_tokens_and_the_sum_over_its_labels() -> None:
    logits = torch.randn(2, 3, 2, 5, generator=torch.Generator().manual_seed(2))
    tags = torch.tensor([[[B, O], [E, O], [O, S]], [[O, O], [S, B], [O, E]]])
    each = [by_hand(logits[row, :, label], tags[row, :, label].tolist()) for row in range(2) for label in range(2)]
    assert float(chain_loss(logits, tags)) == pytest.approx(sum(each) / 6, rel=1e-4)


def test_learning_by_the_loss_teaches_the_decoder() -> None:
    """Gradient steps on free logits end at sequences that decode to the gold spans, with high probabilities."""
    tags = torch.tensor([[O, B, I, E, O, S, S, O]]).unsqueeze(-1)
    logits = torch.zeros(1, 8, 1, 5, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        chain_loss(logits, tags).backward()
        optimizer.step()
    ((spans,),) = viterbi.decode([logits.detach().numpy()[0].astype(np.float32)])
    assert [span[:2] for span in spans] == [(1, 4), (5, 6), (6, 7)]
    assert min(span[2] for span in spans) > 0.9
