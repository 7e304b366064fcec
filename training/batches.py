"""Batches of as many tokens each, of windows of about one length."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from attackspan.training.mixture import Mixture

POOL = 50
"""Batches whose windows are sorted by length together: the more, the less padding, and the less chance in a batch."""


class TokenBatches(Sampler[list[int]]):
    """Another division of a mixture into batches in every epoch, the same whenever seed and epoch are.

    Windows of one length share a batch, so that little is padding. The loss is a mean over the batch's tokens, so every
    batch has about as many of them: with as many windows in each, a token of a short one would weigh many times more.

    Args:
        mixture: windows, of the epoch that it stands at.
        batch_size: windows a batch, on average.
        seed: of the division.
        process: which of the processes of a distributed run this is; each takes one batch a step, of like windows.
        processes: how many there are.
    """

    def __init__(self, mixture: Mixture, batch_size: int, seed: int, process: int = 0, processes: int = 1) -> None:
        self.mixture, self.seed = mixture, seed
        self.process, self.processes = process, processes
        self.step_size = batch_size * processes

    def __len__(self) -> int:
        return math.ceil(len(self.mixture) / self.step_size)

    def __iter__(self) -> Iterator[list[int]]:
        lengths = np.array([len(self.mixture[index]["input_ids"]) for index in range(len(self.mixture))])
        draw = np.random.default_rng((self.seed, self.mixture.epoch))
        order = draw.permutation(len(lengths))
        pools = np.array_split(order, math.ceil(len(order) / (POOL * self.step_size)))
        # Up and down by turns, so that no batch has the longest of one pool and the shortest of the next.
        order = np.concatenate([pool[np.argsort(lengths[pool])][:: (-1) ** turn] for turn, pool in enumerate(pools)])
        parts = len(self) * self.processes
        order = np.resize(order, max(len(order), parts))  # a window for each process, if some come twice
        batches = np.split(order, _cuts(np.cumsum(lengths[order]), parts))
        for step in draw.permutation(len(self)):
            yield batches[step * self.processes + self.process].tolist()


def _cuts(ends: npt.NDArray[np.int64], parts: int) -> npt.NDArray[np.int64]:
    """Where to cut windows that end at these tokens into parts of about as many tokens, none of them empty."""
    first = np.arange(1, parts)
    cuts = np.searchsorted(ends, ends[-1] * first / parts, side="right")
    cuts = np.maximum(np.maximum.accumulate(cuts - first), 0) + first
    return np.asarray(np.minimum(cuts, len(ends) - parts + first))
