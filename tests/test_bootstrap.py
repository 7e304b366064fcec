"""Intervals, and documents that cannot be compared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scoring import (
    ACTOR,
    OTHER,
    OTHER_SCHEMA,
    SCHEMA,
    STATEMENT,
    TEXT,
    document,
)

from attackspan.document import Document, Link
from attackspan.errors import AttackspanError
from attackspan.eval.bootstrap import Interval
from attackspan.eval.metrics import score
from attackspan.schema import Schema


def coin_tosses(size: int) -> tuple[list[Document], list[Document]]:
    """One actor and one link in each document; in 7 of 10, they are found."""
    link = Link("by", STATEMENT.id, ACTOR.id)
    gold = [document(STATEMENT, ACTOR, links=[link], name=f"{i:04}") for i in range(size)]
    wrong = Link("by", STATEMENT.id, OTHER.id)
    predicted = [
        document(STATEMENT, ACTOR, links=[link], name=truth.id)
        if i % 10 < 7
        else document(STATEMENT, OTHER, links=[wrong], name=truth.id)
        for i, truth in enumerate(gold)
    ]
    return gold, predicted


def test_intervals_are_those_of_a_proportion() -> None:
    """Where each document has one span on either side, F1 is a mean of coin tosses, whose spread is known."""
    gold, predicted = coin_tosses(400)
    scores = score(gold, predicted, SCHEMA)
    spread = 1.96 * (0.7 * 0.3 / 400) ** 0.5
    for found in (
        scores.labels.strict.by_name["actor"],
        scores.labels.overlap.by_name["actor"],
        scores.links.strict.by_name["condemnation.by"],
        scores.links.strict.micro,
        scores.links.overlap.micro,
    ):
        assert found.counts.f1 == 0.7
        assert found.interval.low == pytest.approx(0.7 - spread, abs=0.006)
        assert found.interval.high == pytest.approx(0.7 + spread, abs=0.006)
    micro = scores.labels.strict.micro  # half of its spans are always right
    assert micro.counts.f1 == 0.85
    assert micro.interval.low == pytest.approx(0.85 - spread / 2, abs=0.006)
    assert micro.interval.high == pytest.approx(0.85 + spread / 2, abs=0.006)
    assert scores.labels.strict.by_name["condemnation"].interval == Interval(1.0, 1.0)


def test_intervals_are_reproducible_by_their_seed() -> None:
    gold, predicted = coin_tosses(50)
    assert score(gold, predicted, SCHEMA, seed=3) == score(gold, predicted, SCHEMA, seed=3)
    assert score(gold, predicted, SCHEMA, seed=3) != score(gold, predicted, SCHEMA, seed=4)


def test_samples_without_the_label_do_not_count_as_failures() -> None:
    gold = [document(ACTOR, name="1"), document(name="2")]
    assert score(gold, gold, SCHEMA).labels.strict.by_name["actor"].interval == Interval(1.0, 1.0)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        pytest.param([document(name="x1")], [], "'x1'.*not predicted", id="missing"),
        pytest.param([], [document(name="x1")], "'x1'.*not in the gold", id="extra"),
        pytest.param([document(name="x1")] * 2, [document(name="x1")], "'x1'.*twice in the gold", id="twice in gold"),
        pytest.param([document(name="x1")], [document(name="x1")] * 2, "'x1'.*twice in the predicted", id="twice"),
        pytest.param([document(name="x1")], [Document("x1", "other")], "'x1'.*text that differs", id="other text"),
        pytest.param(
            [document(name="x1")], [Document("x1", TEXT, schema=OTHER_SCHEMA)], "'x1'.*another schema", id="schema"
        ),
    ],
)
def test_documents_that_do_not_pair(gold: list[Document], predicted: list[Document], message: str) -> None:
    with pytest.raises(AttackspanError, match=message):
        score(gold, predicted, SCHEMA)


def test_an_equal_schema_need_not_be_the_same_object() -> None:
    own = Schema.from_dict(SCHEMA.to_dict())
    assert score([document(ACTOR)], [replace(document(ACTOR), schema=own)], SCHEMA).labels.strict.micro.counts.f1 == 1.0


def test_at_least_one_resample() -> None:
    with pytest.raises(AttackspanError, match="at least one resample, not 0"):
        score([], [], SCHEMA, resamples=0)
