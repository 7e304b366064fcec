"""Gold and silver windows in one training set."""

from __future__ import annotations

from collections.abc import Sequence

from torch.utils.data import Dataset
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from attackspan.training.examples import Example


class Mixture(Dataset[Example]):
    """All gold windows in every epoch, and beside them another share of the silver ones in each: every one once a run.

    Every share has about as many windows of each length.

    Args:
        gold: windows that a person marked.
        silver: windows that a teacher read; may be none.
        epochs: of the run.
    """

    def __init__(self, gold: Sequence[Example], silver: Sequence[Example], epochs: int) -> None:
        self.gold = gold
        self.silver = sorted(silver, key=lambda example: len(example["input_ids"]))
        self.epochs = epochs
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.gold) + len(self.silver) // self.epochs

    def __getitem__(self, index: int) -> Example:
        if index >= len(self):
            raise IndexError(index)  # also ends a loop over the mixture, which knows no length
        if index < len(self.gold):
            return self.gold[index]
        return self.silver[(index - len(self.gold)) * self.epochs + self.epoch % self.epochs]


class NextShare(TrainerCallback):
    """Turns a mixture to the silver share of the epoch that begins."""

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by transformers; ``state.epoch`` counts from 0 here."""
        self.mixture.epoch = int(state.epoch or 0)
