"""What goes wrong in silence while a model trains, said aloud: nothing learned, nothing predicted, spans cut."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.eval.metrics import Scores
from attackspan.model.tokens import Tokenizer, windows
from attackspan.training.examples import align


class LossGuard(TrainerCallback):
    """Stops a run whose loss or gradient is no number any more: every weight would be lost from there on.

    It needs ``logging_nan_inf_filter=False``, or the trainer hides such a loss from it.

    Raises:
        AttackspanError: the loss or the gradient's norm is NaN or infinite.
    """

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        for name in ("loss", "grad_norm"):
            value = float((logs or {}).get(name, 0.0))
            if not math.isfinite(value):
                raise AttackspanError(
                    f"step {state.global_step}: the {name} is {value}; the learning rate is likely too high "
                    f"({args.learning_rate:g}: halve learning_rate and head_learning_rate), or bf16 too coarse "
                    "(precision=fp32)"
                )


def complaints(scores: Scores, trained: Mapping[str, int]) -> list[str]:
    """What is suspicious about the figures of an epoch, one line each with the likely cause.

    Args:
        scores: on the validation documents.
        trained: how many spans of each label the training documents have; see ``spans_of``.
    """
    named = {name: one.counts for name, one in scores.labels.strict.by_name.items()}
    found = []
    for name, counts in named.items():
        if counts.gold and not counts.predicted:
            cause = f"only {trained[name]} of it to train on" if trained.get(name) else "none of it to train on"
            found.append(f"{name} was never predicted, though validation has {counts.gold}; likely cause: {cause}")
    total = scores.labels.strict.micro.counts
    if total.gold and not total.correct:
        if total.predicted:
            cause = "training and validation are marked by different rules, or the rate is too low"
        else:
            cause = "too few steps, or a learning rate that is too low or far too high"
        found.append(f"no span of validation was found, and F1 is 0; likely cause: {cause}")
    return found


def warn(messages: Sequence[str]) -> None:
    """A line on stderr for each message, as the command line warns."""
    for message in messages:
        print(f"attackspan: warning: {message}", file=sys.stderr)


def spans_of(documents: Sequence[Document]) -> Counter[str]:
    """How many spans of each label the documents have."""
    return Counter(span.label for document in documents for span in document.spans)


def cut(document: Document, tokenizer: Tokenizer, size: int, overlap: int) -> list[Span]:
    """The document's spans that no window holds whole: their tags are learned, their attributes and links are not.

    Args:
        document: its spans stand on the tokenizer's tokens.
        tokenizer: the encoder's.
        size: tokens of a window.
        overlap: tokens that neighbouring windows share; a span of no more than these is always whole in one.
    """
    tokens = tokenizer.encode([document.text])[0]
    ranges = windows(len(tokens), size, overlap)
    return [
        one.span
        for one in align(document, tokens)[0]
        if not any(start <= one.first and one.last < stop for start, stop in ranges)
    ]
