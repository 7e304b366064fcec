"""The scorer against figures worked out by hand, against a dense solver, and under random documents."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy.optimize import linear_sum_assignment

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.eval.evaluate import tables, to_json, to_markdown
from attackspan.eval.metrics import Accuracy, Counts, Interval, Scores, Views, align, score
from attackspan.schema import Label, Schema, default_schema

SCHEMA = default_schema()
TEXT = "abcdefghijklmnopqrst"
SEED_ARTICLE = Path(__file__).parents[1] / "seeds" / "kurdistan24-2021-11-07.xml"


def span(label: str, start: int, end: int, text: str = TEXT, **attributes: str) -> Span:
    """A span whose id says where it is; attributes that are not given take their first value."""
    first = {attribute.name: attribute.names[0] for attribute in SCHEMA[label].attributes}
    return Span(f"{label}{start}-{end}", label, start, end, text[start:end], attributes={**first, **attributes})


def document(*spans: Span, links: Sequence[Link] = (), name: str = "d") -> Document:
    return Document(name, TEXT, spans, tuple(links))


def compare(gold: Document, predicted: Document) -> Scores:
    return score([gold], [predicted], SCHEMA, resamples=1)


def counts(views: Views) -> dict[str, tuple[Counts, Counts]]:
    """The strict and the overlap counts by name, with those of all together under ``micro``."""
    named = {name: (strict.counts, views.overlap.by_name[name].counts) for name, strict in views.strict.by_name.items()}
    return {**named, "micro": (views.strict.micro.counts, views.overlap.micro.counts)}


def boundaries(pairs: Sequence[tuple[int, int]]) -> list[Span]:
    return [span("actor", start, end) for start, end in pairs]


# --- Spans ------------------------------------------------------------------------------------------------------------


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


# --- Attributes and links ---------------------------------------------------------------------------------------------


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


STATEMENT, ACTOR, OTHER, ATTACK = (
    span("condemnation", 0, 16),
    span("actor", 0, 4),
    span("actor", 8, 12),
    span("attack", 4, 8),
)
SHORTER = span("actor", 0, 3)


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


# --- Random documents -------------------------------------------------------------------------------------------------


@st.composite
def span_bounds(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Disjoint stretches of the text, often adjacent and often of the same lengths."""
    cuts = draw(st.lists(st.integers(0, len(TEXT)), max_size=7, unique=True).map(sorted))
    keep = draw(st.integers(0, 2**6 - 1))
    return [pair for bit, pair in enumerate(pairwise(cuts)) if keep >> bit & 1]


@st.composite
def documents(draw: st.DrawFn, name: str) -> Document:
    spans = [
        span(label.name, start, end, **{a.name: draw(st.sampled_from(a.names[:2])) for a in label.attributes})
        for label in SCHEMA.labels
        for start, end in draw(span_bounds())
    ]
    possible = [
        Link(role.name, head.id, tail.id)
        for label, role in SCHEMA.roles
        for head in spans
        if head.label == label.name
        for tail in spans
        if tail.label == role.tail
    ]
    links = draw(st.lists(st.sampled_from(possible), max_size=6, unique=True)) if possible else []
    return document(*spans, links=links, name=name)


CORPUS_SIZE = 4
CORPORA = st.tuples(*(st.tuples(documents(str(i)), documents(str(i))) for i in range(CORPUS_SIZE)))
# 500 corpora of four documents on either side: 2 000 pairs of random documents for each property.
many = settings(max_examples=500, deadline=None)


@many
@given(CORPORA, st.integers(0, 2**32))
def test_order_never_changes_a_figure(corpus: Sequence[tuple[Document, Document]], shuffle: int) -> None:
    rng = random.Random(shuffle)

    def shuffled(items: Sequence[Document]) -> list[Document]:
        turned = [
            replace(
                item,
                spans=tuple(rng.sample(item.spans, len(item.spans))),
                links=tuple(rng.sample(item.links, len(item.links))),
            )
            for item in items
        ]
        return rng.sample(turned, len(turned))

    gold, predicted = zip(*corpus, strict=True)
    expected = score(gold, predicted, SCHEMA, resamples=20)
    assert score(shuffled(gold), shuffled(predicted), SCHEMA, resamples=20) == expected


@many
@given(CORPORA)
def test_swapping_the_sides_swaps_precision_and_recall(corpus: Sequence[tuple[Document, Document]]) -> None:
    gold, predicted = zip(*corpus, strict=True)
    forth, back = (score(*sides, SCHEMA, resamples=1) for sides in ((gold, predicted), (predicted, gold)))
    for there, here in ((forth.labels, back.labels), (forth.links, back.links)):
        reverse = counts(here)
        for name, views in counts(there).items():
            for figures, mirrored in zip(views, reverse[name], strict=True):
                assert (figures.precision, figures.recall) == (mirrored.recall, mirrored.precision)
                assert figures.f1 == mirrored.f1
    assert forth.attributes == back.attributes


@many
@given(CORPORA)
def test_strict_matches_are_overlap_matches(corpus: Sequence[tuple[Document, Document]]) -> None:
    gold, predicted = zip(*corpus, strict=True)
    scores = score(gold, predicted, SCHEMA, resamples=1)
    for views in (scores.labels, scores.links):
        for strict, overlap in counts(views).values():
            assert strict.correct <= overlap.correct <= min(overlap.predicted, overlap.gold)
            assert (strict.predicted, strict.gold) == (overlap.predicted, overlap.gold)


@many
@given(CORPORA)
def test_gold_against_itself_is_perfect(corpus: Sequence[tuple[Document, Document]]) -> None:
    gold = [truth for truth, _ in corpus]
    scores = score(gold, gold, SCHEMA, resamples=1)
    for views in (scores.labels, scores.links):
        for figures in (figures for pair in counts(views).values() for figures in pair):
            assert figures.correct == figures.predicted == figures.gold
    assert all(accuracy.correct == accuracy.support for accuracy in scores.attributes.values())
    assert scores.labels.strict.micro.counts.gold == sum(len(truth.spans) for truth in gold)
    assert scores.links.strict.micro.counts.gold == sum(len(truth.links) for truth in gold)
    assert sum(a.support for a in scores.attributes.values()) == sum(len(s.attributes) for d in gold for s in d.spans)


def intersection_over_union(left: Span, right: Span) -> float:
    ours, theirs = set(range(left.start, left.end)), set(range(right.start, right.end))
    return len(ours & theirs) / len(ours | theirs)


@settings(max_examples=2000, deadline=None)
@given(span_bounds(), span_bounds())
def test_alignment_is_an_optimal_assignment(gold: list[tuple[int, int]], predicted: list[tuple[int, int]]) -> None:
    """Against a dense solver: a match is worth more than any sum of overlaps, so that matches count first."""
    truths, guesses = boundaries(gold), boundaries(predicted)
    overlaps = np.array([[intersection_over_union(t, g) for g in guesses] for t in truths]).reshape(
        len(truths), len(guesses)
    )
    worth = np.where(overlaps >= 0.5, 1000 + overlaps, 0)
    best = worth[linear_sum_assignment(worth, maximize=True)]

    matches = align(truths, guesses)

    assert all(intersection_over_union(truth, guess) >= 0.5 for truth, guess in matches)
    assert len({t.id for t, _ in matches}) == len({g.id for _, g in matches}) == len(matches) == np.count_nonzero(best)
    assert sum(1000 + intersection_over_union(*match) for match in matches) == pytest.approx(best.sum(), abs=1e-6)


# --- Bootstrap --------------------------------------------------------------------------------------------------------


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


# --- Errors -----------------------------------------------------------------------------------------------------------

OTHER_SCHEMA = Schema((Label("actor"),))


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


# --- Reports ----------------------------------------------------------------------------------------------------------


def small_scores() -> Scores:
    link = Link("by", STATEMENT.id, ACTOR.id)
    gold = document(STATEMENT, ACTOR, OTHER, ATTACK, links=[link])
    predicted = document(STATEMENT, ACTOR, span("actor", 8, 11), ATTACK, links=[link])
    return compare(gold, predicted)


def test_json_keys_and_figures() -> None:
    data = json.loads(json.dumps(to_json(small_scores())))
    assert list(data) == ["documents", "confidence", "labels", "links", "attributes"]
    assert (data["documents"], data["confidence"]) == (1, 0.95)
    assert list(data["labels"]) == list(data["links"]) == ["strict", "overlap"]
    assert list(data["labels"]["strict"]["by_name"]) == ["actor", "attack", "attribution", "condemnation"]
    assert data["labels"]["strict"]["by_name"]["actor"] == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "f1_interval": [0.5, 0.5],
        "correct": 1,
        "predicted": 2,
        "gold": 2,
    }
    assert data["labels"]["strict"]["micro"]["f1"] == 0.75
    assert data["labels"]["overlap"]["micro"]["f1"] == 1.0
    assert data["links"]["strict"]["by_name"]["condemnation.by"]["f1"] == 1.0
    assert data["attributes"]["attack.kind"] == {"accuracy": 1.0, "correct": 1, "support": 1}


def test_markdown() -> None:
    labels, attributes, links = to_markdown(small_scores()).split("\n\n")
    figures = "strict P | strict R | strict F1 [95 %] | overlap P | overlap R | overlap F1 [95 %] |"
    right = "100.0 | 100.0 | 100.0 [100.0, 100.0]"
    nothing = "0.0 | 0.0 | 0.0 [0.0, 0.0]"
    assert labels.splitlines() == [
        f"| label | support | {figures}",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        f"| actor | 2 | 50.0 | 50.0 | 50.0 [50.0, 50.0] | {right} |",
        f"| attack | 1 | {right} | {right} |",
        f"| attribution | 0 | {nothing} | {nothing} |",
        f"| condemnation | 1 | {right} | {right} |",
        f"| micro | 4 | 75.0 | 75.0 | 75.0 [75.0, 75.0] | {right} |",
    ]
    assert attributes.splitlines()[2:] == ["| attack.kind | 1 | 100.0 |", "| attribution.stance | 0 | 0.0 |"]
    assert links.splitlines()[0] == f"| link | support | {figures}"
    assert links.splitlines()[-1] == f"| micro | 1 | {right} | {right} |"


def test_support_is_the_number_of_gold_spans() -> None:
    lines = to_markdown(compare(document(ACTOR), document(ACTOR, OTHER, ATTACK))).splitlines()
    assert any(line.startswith("| actor | 1 | 50.0 | 100.0 |") for line in lines)
    assert any(line.startswith("| micro | 1 | 33.3 | 100.0 |") for line in lines)


def rendered(scores: Scores, width: int) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(*tables(scores))
    return capture.get()


def test_wide_tables_show_every_figure() -> None:
    lines = [line.split() for line in rendered(small_scores(), 160).splitlines()]
    right = ["100.0", "100.0", "100.0", "[100.0,", "100.0]"]
    assert ["actor", "2", "50.0", "50.0", "50.0", "[50.0,", "50.0]", *right] in lines
    assert ["micro", "4", "75.0", "75.0", "75.0", "[75.0,", "75.0]", *right] in lines
    assert ["attack.kind", "1", "100.0"] in lines
    assert ["condemnation.by", "1", *right, *right] in lines


def test_narrow_tables_cut_nothing_off() -> None:
    text = rendered(small_scores(), 80)
    assert "…" not in text
    assert {"75.0", "[75.0,", "75.0]"} <= set(text.split())


def test_a_schema_without_attributes_and_links_has_one_table() -> None:
    plain = Document("d", TEXT, (ACTOR,), schema=OTHER_SCHEMA)
    scores = score([plain], [plain], OTHER_SCHEMA)
    assert len(tables(scores)) == 1
    assert to_json(scores)["links"]["strict"]["by_name"] == to_json(scores)["attributes"] == {}
