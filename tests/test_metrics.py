"""The scorer against figures computed by hand."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from scoring import (
    ACTOR,
    ATTACK,
    OTHER,
    SCHEMA,
    SEED_ARTICLE,
    SHORTER,
    STATEMENT,
    boundaries,
    compare,
    counts,
    document,
    span,
)

from attackspan.document import Document, Link, Span
from attackspan.eval.bootstrap import Interval
from attackspan.eval.metrics import Accuracy, Counts, score


@pytest.mark.parametrize(
    ("gold", "predicted", "strict", "overlap"),
    [
        pytest.param([], [], 0, 0, id="both empty"),
        pytest.param([], [(0, 4)], 0, 0, id="empty gold"),
        pytest.param([(0, 4)], [], 0, 0, id="empty prediction"),
        pytest.param([(0, 4)], [(0, 4)], 1, 1, id="exact"),
        pytest.param([(0, 4)], [(1, 4)], 0, 1, id="start moved"),
        pytest.param([(0, 4)], [(0, 5)], 0, 1, id="end moved"),
        pytest.param([(0, 4)], [(0, 8)], 0, 1, id="IoU of one half"),
        pytest.param([(0, 4)], [(0, 9)], 0, 0, id="IoU of 4/9"),
        pytest.param([(0, 4)], [(2, 6)], 0, 0, id="IoU of one third"),
        pytest.param([(0, 4)], [(4, 8)], 0, 0, id="adjacent"),
        pytest.param([(0, 4), (4, 8)], [(0, 8)], 0, 1, id="two halves of one prediction"),
        pytest.param([(0, 8)], [(0, 4), (4, 8)], 0, 1, id="two halves of one gold span"),
        pytest.param([(0, 1), (6, 9), (9, 12)], [(2, 5), (6, 9), (9, 13)], 1, 2, id="past spans with no match"),
        pytest.param([(0, 1), (1, 2), (2, 12)], [(0, 10), (10, 11)], 0, 1, id="not with the first that touches"),
    ],
)
def test_counts_of_one_label(
    gold: list[tuple[int, int]], predicted: list[tuple[int, int]], strict: int, overlap: int
) -> None:
    scores = compare(document(*boundaries(gold)), document(*boundaries(predicted)))
    expected = (Counts(strict, len(predicted), len(gold)), Counts(overlap, len(predicted), len(gold)))
    assert counts(scores.labels)["actor"] == counts(scores.labels)["micro"] == expected
    assert counts(scores.labels)["attack"] == (Counts(0, 0, 0), Counts(0, 0, 0))


def test_precision_recall_and_f1() -> None:
    figures = Counts(correct=3, predicted=4, gold=6)
    assert (figures.precision, figures.recall, figures.f1) == (0.75, 0.5, 0.6)


@pytest.mark.parametrize("empty", [Counts(0, 0, 0), Counts(0, 3, 0), Counts(0, 0, 3)])
def test_undefined_figures_are_zero(empty: Counts) -> None:
    assert (empty.precision, empty.recall, empty.f1) == (0.0, 0.0, 0.0)


def test_a_span_of_another_label_does_not_match() -> None:
    scores = compare(document(span("actor", 0, 4)), document(span("attack", 0, 4)))
    assert counts(scores.labels)["micro"] == (Counts(0, 1, 1), Counts(0, 1, 1))


def test_micro_pools_labels_and_documents() -> None:
    gold = [
        document(span("actor", 0, 4), span("attack", 5, 9), name="1"),
        document(span("actor", 0, 4), span("actor", 5, 9), name="2"),
    ]
    predicted = [
        document(span("actor", 0, 4), span("attack", 5, 8), name="1"),
        document(span("actor", 0, 4), name="2"),
    ]
    scores = score(gold, predicted, SCHEMA, resamples=1)
    assert scores.documents == 2
    assert counts(scores.labels) == {
        "actor": (Counts(2, 2, 3), Counts(2, 2, 3)),
        "attack": (Counts(0, 1, 1), Counts(1, 1, 1)),
        "attribution": (Counts(0, 0, 0), Counts(0, 0, 0)),
        "condemnation": (Counts(0, 0, 0), Counts(0, 0, 0)),
        "micro": (Counts(2, 3, 4), Counts(3, 3, 4)),
    }


def test_no_documents() -> None:
    scores = score([], [], SCHEMA)
    assert scores.documents == 0
    assert scores.labels.strict.micro.counts == Counts(0, 0, 0)
    assert scores.labels.strict.micro.interval == Interval(0.0, 0.0)


def test_a_hundred_thousand_spans_need_no_dense_matrix() -> None:
    size = 100_000
    text = "abcd" * size
    gold = Document("d", text, tuple(span("actor", 4 * i, 4 * i + 4, text) for i in range(size)))
    predicted = Document("d", text, tuple(span("actor", 4 * i + 1, 4 * i + 4, text) for i in range(size)))
    assert counts(compare(gold, predicted).labels)["actor"] == (Counts(0, size, size), Counts(size, size, size))


def test_attribute_accuracy_is_over_strict_matches() -> None:
    gold = document(
        span("attack", 0, 4, kind="bombing"),
        span("attack", 5, 9, kind="bombing"),
        span("attack", 10, 14, kind="bombing"),
        span("attribution", 0, 10, stance="denied"),
    )
    predicted = document(
        span("attack", 0, 4, kind="bombing"),
        span("attack", 5, 9, kind="shelling"),
        span("attack", 10, 13, kind="bombing"),  # not strictly matched: not counted
        span("attribution", 0, 10, stance="denied"),
    )
    scores = compare(gold, predicted)
    assert scores.attributes == {"attack.kind": Accuracy(1, 2), "attribution.stance": Accuracy(1, 1)}
    assert scores.attributes["attack.kind"].value == 0.5


def test_attribute_accuracy_without_matches_is_zero() -> None:
    assert compare(document(), document()).attributes["attack.kind"].value == 0.0


@pytest.mark.parametrize(
    ("gold", "predicted", "strict", "overlap"),
    [
        pytest.param(ACTOR, ACTOR, Counts(1, 1, 1), Counts(1, 1, 1), id="same"),
        pytest.param(ACTOR, OTHER, Counts(0, 1, 1), Counts(0, 1, 1), id="other tail"),
        pytest.param(ACTOR, SHORTER, Counts(0, 1, 1), Counts(1, 1, 1), id="tail moved"),
        pytest.param(ACTOR, None, Counts(0, 0, 1), Counts(0, 0, 1), id="missing"),
        pytest.param(None, ACTOR, Counts(0, 1, 0), Counts(0, 1, 0), id="extra"),
    ],
)
def test_links(gold: Span | None, predicted: Span | None, strict: Counts, overlap: Counts) -> None:
    def linked(tail: Span | None) -> Document:
        first = SHORTER if tail is SHORTER else ACTOR
        links = [Link("by", STATEMENT.id, tail.id)] if tail else []
        return document(STATEMENT, first, OTHER, ATTACK, links=links)

    scores = compare(linked(gold), linked(predicted))
    assert counts(scores.links)["condemnation.by"] == counts(scores.links)["micro"] == (strict, overlap)


def test_a_link_needs_its_head() -> None:
    moved = span("condemnation", 0, 15)
    gold = document(STATEMENT, ACTOR, links=[Link("by", STATEMENT.id, ACTOR.id)])
    predicted = document(moved, ACTOR, links=[Link("by", moved.id, ACTOR.id)])
    assert counts(compare(gold, predicted).links)["condemnation.by"] == (Counts(0, 1, 1), Counts(1, 1, 1))


def test_a_link_needs_its_role() -> None:
    claim = span("attribution", 0, 16)
    gold = document(claim, ACTOR, links=[Link("source", claim.id, ACTOR.id)])
    predicted = document(claim, ACTOR, links=[Link("perpetrator", claim.id, ACTOR.id)])
    found = counts(compare(gold, predicted).links)
    assert found["attribution.source"] == (Counts(0, 0, 1), Counts(0, 0, 1))
    assert found["attribution.perpetrator"] == (Counts(0, 1, 0), Counts(0, 1, 0))
    assert found["micro"] == (Counts(0, 1, 1), Counts(0, 1, 1))


def test_links_are_matched_by_place_and_not_by_id() -> None:
    """Two actors that have swapped ids: the link with the same ids is wrong, the one with the same place is right."""
    swapped = (replace(ACTOR, id=OTHER.id), replace(OTHER, id=ACTOR.id))
    gold = document(STATEMENT, ACTOR, OTHER, links=[Link("by", STATEMENT.id, ACTOR.id)])
    same_ids = document(STATEMENT, *swapped, links=[Link("by", STATEMENT.id, ACTOR.id)])
    same_place = document(STATEMENT, *swapped, links=[Link("by", STATEMENT.id, OTHER.id)])
    assert counts(compare(gold, same_ids).links)["micro"] == (Counts(0, 1, 1), Counts(0, 1, 1))
    assert counts(compare(gold, same_place).links)["micro"] == (Counts(1, 1, 1), Counts(1, 1, 1))


def test_roles_of_one_name_are_told_apart_by_their_label() -> None:
    claim = span("attribution", 0, 12)
    links = [Link("attack", STATEMENT.id, ATTACK.id), Link("attack", claim.id, ATTACK.id)]
    gold = document(STATEMENT, claim, ATTACK, links=links)
    found = counts(compare(gold, document(STATEMENT, claim, ATTACK, links=links[:1])).links)
    assert found["condemnation.attack"][0] == Counts(1, 1, 1)
    assert found["attribution.attack"][0] == Counts(0, 0, 1)


# --- The seed article -------------------------------------------------------------------------------------------------


def seed_article() -> Document:
    root = ElementTree.parse(SEED_ARTICLE).getroot()
    body = root.find("text")
    assert body is not None
    text = "".join(body.itertext())
    spans, links = [], []

    def walk(element: ElementTree.Element, offset: int) -> int:
        start = offset
        offset += len(element.text or "")
        for child in element:
            offset = walk(child, offset) + len(child.tail or "")
        if element is not body:
            label, name = SCHEMA[element.tag], element.attrib["id"]
            attributes = {attribute.name: element.attrib[attribute.name] for attribute in label.attributes}
            spans.append(Span(name, label.name, start, offset, text[start:offset], attributes=attributes))
            links.extend(
                Link(role.name, name, tail) for role in label.roles for tail in element.get(role.name, "").split()
            )
        return offset

    walk(body, 0)
    return Document(root.attrib["id"], text, tuple(spans), tuple(links))


def test_seed_article_with_one_boundary_moved() -> None:
    gold = seed_article()
    target = next(s for s in gold.spans if s.id == "t5")
    assert target.text == "attempt on the Prime Minister’s life"
    short = "attempt on the Prime Minister"
    moved = replace(target, end=target.start + len(short), text=short)
    predicted = replace(gold, spans=tuple(moved if s.id == "t5" else s for s in gold.spans))

    scores = score([gold], [predicted], SCHEMA)

    assert counts(scores.labels) == {
        "actor": (Counts(20, 20, 20), Counts(20, 20, 20)),
        "attack": (Counts(15, 16, 16), Counts(16, 16, 16)),
        "attribution": (Counts(2, 2, 2), Counts(2, 2, 2)),
        "condemnation": (Counts(2, 2, 2), Counts(2, 2, 2)),
        "micro": (Counts(39, 40, 40), Counts(40, 40, 40)),
    }
    assert counts(scores.links) == {
        "attribution.perpetrator": (Counts(1, 1, 1), Counts(1, 1, 1)),
        "attribution.source": (Counts(0, 0, 0), Counts(0, 0, 0)),
        "attribution.attack": (Counts(1, 2, 2), Counts(2, 2, 2)),
        "condemnation.by": (Counts(2, 2, 2), Counts(2, 2, 2)),
        "condemnation.attack": (Counts(2, 2, 2), Counts(2, 2, 2)),
        "micro": (Counts(6, 7, 7), Counts(7, 7, 7)),
    }
    assert scores.attributes == {"attack.kind": Accuracy(15, 15), "attribution.stance": Accuracy(2, 2)}
    assert scores.labels.strict.micro.counts.f1 == 0.975
    assert scores.labels.strict.micro.interval == Interval(0.975, 0.975)  # there is but one document to draw


def test_the_boundary_view_ignores_labels_and_the_type_view_boundaries() -> None:
    gold = document(span("actor", 0, 4), span("attack", 5, 9), span("condemnation", 10, 20))
    predicted = document(span("attack", 0, 4), span("attack", 5, 9), span("condemnation", 19, 20))
    labels = compare(gold, predicted).labels
    correct = [view.micro.counts.correct for view in (labels.strict, labels.boundary, labels.overlap, labels.type)]
    assert correct == [1, 2, 1, 2]
    # The attack at 0 counts for the actor that it matches.
    assert labels.boundary.by_name["actor"].counts == Counts(1, 1, 1)
    assert labels.boundary.by_name["attack"].counts == Counts(1, 1, 1)
    assert labels.type.by_name["condemnation"].counts == Counts(1, 1, 1)


def test_at_the_same_boundaries_equal_labels_match_first() -> None:
    both = [span("actor", 0, 4), span("attack", 0, 4)]
    boundary = compare(document(*both), document(both[1])).labels.boundary
    assert boundary.by_name["attack"].counts == Counts(1, 1, 1)
    assert boundary.by_name["actor"].counts == Counts(0, 0, 1)


def test_macro_is_the_mean_of_the_labels_that_occur() -> None:
    gold = document(span("actor", 0, 4), span("actor", 5, 9))
    predicted = document(span("actor", 0, 4), span("attack", 5, 9))  # actor: P 1, R 1/2; attack: all 0
    macro = compare(gold, predicted).labels.strict.macro
    assert (macro.precision, macro.recall, macro.f1) == (0.5, 0.25, pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("stance", "ties", "correct"),
    [
        pytest.param("denied", ["source"], 1, id="same"),
        pytest.param("claimed", ["source"], 0, id="other stance"),
        pytest.param("denied", [], 0, id="link missing"),
        pytest.param("denied", ["source", "perpetrator"], 0, id="link too many"),
        pytest.param("denied", ["perpetrator"], 0, id="other role"),
    ],
)
def test_a_statement_counts_end_to_end(stance: str, ties: list[str], correct: int) -> None:
    claim = span("attribution", 0, 16, stance="denied")
    gold = document(claim, ACTOR, links=[Link("source", claim.id, ACTOR.id)])
    moved = span("attribution", 0, 14, stance=stance)  # overlapping is enough
    predicted = document(moved, ACTOR, links=[Link(role, moved.id, ACTOR.id) for role in ties])
    statements = compare(gold, predicted).statements
    assert statements.by_name["attribution"].counts == statements.micro.counts == Counts(correct, 1, 1)


def test_a_statement_whose_link_ends_at_a_span_of_its_own_is_wrong() -> None:
    gold = document(STATEMENT, ACTOR)
    predicted = document(STATEMENT, OTHER, links=[Link("by", STATEMENT.id, OTHER.id)])
    assert compare(gold, predicted).statements.micro.counts == Counts(0, 1, 1)
