"""What a training run says aloud instead of failing in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from samples import ROOT, SEED
from scoring import SCHEMA, TEXT, span
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.eval.metrics import Scores, score
from attackspan.formats import read, read_xml
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.tokens import Tokenizer
from attackspan.schema import Schema
from attackspan.training.guards import LossGuard, complaints, cut, spans_of, warn
from attackspan.training.suggest import suggest

GOLD = (span("actor", 0, 4), span("attack", 5, 9), span("condemnation", 0, 16))


def scored(gold: Sequence[Span], predicted: Sequence[Span]) -> Scores:
    return score([Document("d", TEXT, tuple(gold))], [Document("d", TEXT, tuple(predicted))], SCHEMA, resamples=1)


def test_a_label_that_is_never_predicted_is_told_with_its_cause() -> None:
    trained = Counter({"attack": 3, "actor": 90})
    assert complaints(scored(GOLD, GOLD[:1]), trained) == [
        "attack was never predicted, though validation has 1; likely cause: only 3 of it to train on",
        "condemnation was never predicted, though validation has 1; likely cause: none of it to train on",
    ]


def test_an_f1_of_0_is_told_with_its_cause() -> None:
    (line,) = complaints(scored(GOLD[:1], [span("actor", 0, 3)]), Counter())
    assert line.startswith("no span of validation was found, and F1 is 0; likely cause: training and validation are")
    *_, line = complaints(scored(GOLD, []), Counter())
    assert line.endswith("too few steps, or a learning rate that is too low or far too high")


def test_good_figures_and_documents_without_spans_are_no_reason_to_complain() -> None:
    assert not complaints(scored(GOLD, GOLD), Counter())
    assert not complaints(scored([], []), Counter())


def test_warnings_go_to_stderr_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    warn(["a label is missing", "F1 is 0"])
    assert capsys.readouterr().err == "attackspan: warning: a label is missing\nattackspan: warning: F1 is 0\n"


class Falling(nn.Module):
    """A model whose loss is a number at first and none from the third step on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.steps = 0

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        self.steps += 1
        return {"loss": (self.weight * x).sum() * (float("nan") if self.steps > 2 else 1.0)}


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    arguments = TrainingArguments(
        output_dir=str(tmp_path), max_steps=9, logging_steps=1, use_cpu=True, logging_nan_inf_filter=False,
        report_to="none", save_strategy="no", learning_rate=0.5, disable_tqdm=True,
    )  # fmt: skip
    data = [{"x": torch.ones(1)}] * 20
    trainer = Trainer(Falling(), arguments, train_dataset=data, callbacks=[LossGuard()])  # type: ignore[arg-type]
    with pytest.raises(AttackspanError, match=r"step 3: the loss is nan; .* \(0.5: halve learning_rate"):
        trainer.train()


def test_spans_that_every_window_cuts_are_found(seed: Document) -> None:
    tokenizer = Tokenizer.load(DEFAULT / "tokenizer.json")
    assert not cut(seed, tokenizer, 382, 32)
    lost = cut(seed, tokenizer, 20, 4)
    longest = max(seed.spans, key=lambda one: len(tokenizer.encode([one.text])[0]))
    assert longest in lost
    assert all(len(tokenizer.encode([one.text])[0]) > 4 for one in lost)  # a span within the overlap is never cut


def test_the_spans_of_the_seeds_are_counted() -> None:
    assert spans_of([read_xml(SEED)])["condemnation"] == 2


def test_the_order_of_labels_in_the_schema_does_not_change_scores() -> None:
    gold = list(read([ROOT / "seeds" / "dev"]))[:8]
    predicted = [suggest(one) for one in gold]
    turned = Schema(SCHEMA.labels[::-1])
    there = score(gold, predicted, SCHEMA, resamples=20)
    back = score(
        *([replace(one, schema=turned) for one in side] for side in (gold, predicted)), schema=turned, resamples=20
    )
    for view in ("strict", "boundary", "overlap", "type"):
        ours, theirs = getattr(there.labels, view), getattr(back.labels, view)
        assert ours.micro.counts == theirs.micro.counts
        assert {name: one.counts for name, one in ours.by_name.items()} == {
            name: one.counts for name, one in theirs.by_name.items()
        }
    assert there.attributes["attack.kind"].value == back.attributes["attack.kind"].value
    assert there.links.strict.micro.counts == back.links.strict.micro.counts
