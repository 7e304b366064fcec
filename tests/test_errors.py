"""Errors of each kind, and the passages that show them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from samples import ROOT
from scoring import ACTOR, ATTACK, OTHER, SCHEMA, STATEMENT, TEXT, document, span
from test_metrics_random import documents

from attackspan.document import Document, Link
from attackspan.eval.errors import errors
from attackspan.eval.matching import match
from attackspan.eval.passages import passage, sentences, surroundings
from attackspan.formats import read

SEEDS = list(read([ROOT / "seeds" / "dev"]))


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        pytest.param([ACTOR], [ACTOR], [], id="right"),
        pytest.param([ACTOR], [], ["missed"], id="missed"),
        pytest.param([], [ACTOR], ["spurious"], id="spurious"),
        pytest.param([ACTOR], [span("actor", 0, 3)], ["boundary"], id="boundary, by half"),
        pytest.param([span("actor", 0, 12)], [span("actor", 11, 14)], ["boundary"], id="boundary, by a character"),
        pytest.param([ACTOR], [span("attack", 0, 3)], ["label"], id="label"),
        pytest.param([ACTOR], [span("attack", 3, 7)], ["missed", "spurious"], id="too little shared for a label"),
        pytest.param(
            [ATTACK], [span("attack", 4, 8, kind="shelling")], ["attribute"], id="attribute"
        ),
        pytest.param(
            [ATTACK], [span("attack", 4, 7, kind="shelling")], ["boundary", "attribute"], id="boundary and attribute"
        ),
        pytest.param(
            [span("actor", 0, 4), span("actor", 4, 8)], [span("actor", 0, 8)], ["boundary", "missed"], id="two for one"
        ),
    ],
)  # fmt: skip
def test_each_error_has_one_kind(gold: list[object], predicted: list[object], kinds: list[str]) -> None:
    found = errors(document(*gold), document(*predicted), SCHEMA)  # type: ignore[arg-type]
    assert [error.kind for error in found] == kinds
    assert all(TEXT[slice(*error.bounds)] for error in found)


def test_link_errors_need_both_spans() -> None:
    by, attack = Link("by", STATEMENT.id, ACTOR.id), Link("attack", STATEMENT.id, ATTACK.id)
    other = Link("by", STATEMENT.id, OTHER.id)
    gold = document(STATEMENT, ACTOR, OTHER, ATTACK, links=[by, attack])
    found = errors(gold, document(STATEMENT, ACTOR, OTHER, links=[other]), SCHEMA)
    notes = sorted(error.note for error in found if error.kind == "link")
    assert notes == [f"by: {ACTOR.text} (missing)", f"by: {OTHER.text} (not in gold)"]
    assert [error.kind for error in found].count("missed") == 1  # the attack, and not its link too


@settings(max_examples=300, deadline=None)
@given(documents("d"), documents("d"))
def test_every_span_is_right_or_in_one_error(gold: Document, predicted: Document) -> None:
    found = errors(gold, predicted, SCHEMA)
    kinds = [error.kind for error in found]
    both = len(match(gold, predicted, SCHEMA).strict) + kinds.count("boundary") + kinds.count("label")
    assert both + kinds.count("missed") == len(gold.spans)
    assert both + kinds.count("spurious") == len(predicted.spans)


@settings(max_examples=300, deadline=None)
@given(documents("d"), documents("d"))
def test_a_passage_keeps_its_text_and_no_two_labels_share_a_bar(gold: Document, predicted: Document) -> None:
    shown = passage(TEXT, gold.spans, predicted.spans, 2, 18)
    assert "".join(piece.text for piece in shown.pieces) == TEXT[2:18]
    for piece in shown.pieces:
        for bars in (piece.gold, piece.predicted):
            assert len({bar.lane for bar in bars}) == len(bars)
            assert all(bar.lane < shown.lanes for bar in bars)
    lanes = {bar.label: bar.lane for piece in shown.pieces for bar in (*piece.gold, *piece.predicted)}
    assert all(bar.lane == lanes[bar.label] for piece in shown.pieces for bar in (*piece.gold, *piece.predicted))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda one: one.id)
def test_sentences_are_apart_and_only_white_space_lies_between(seed: Document) -> None:
    bounds = sentences(seed.text)
    ends = [0, *(at for pair in bounds for at in pair), len(seed.text)]
    assert ends == sorted(ends)
    assert not any(seed.text[left:right].strip() for left, right in zip(ends[::2], ends[1::2], strict=True))


def test_sentences_do_not_end_at_abbreviations() -> None:
    text = "Gen. Ali of the U.S. army spoke. “It was war.” Then he left.\n\nNo one claimed it"
    assert [text[slice(*one)] for one in sentences(text)] == [
        "Gen. Ali of the U.S. army spoke.",
        "“It was war.”",
        "Then he left.",
        "No one claimed it",
    ]
    assert surroundings(sentences(text), 34, 60) == (33, 60)


def test_a_span_that_is_long_stands_further_from_the_text() -> None:
    shown = passage(TEXT, [STATEMENT, ACTOR], [replace(ACTOR, id="x")], 0, len(TEXT))
    assert {bar.label: bar.lane for piece in shown.pieces for bar in piece.gold} == {"actor": 0, "condemnation": 1}
