"""The rules that propose spans, on sentences of their own kinds and on every seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import ROOT

from attackspan.document import Document, Span
from attackspan.eval.metrics import score
from attackspan.formats import read, read_xml, to_xml
from attackspan.schema import default_schema
from attackspan.training.suggest import suggest, sureness

SEEDS = list(read([ROOT / "seeds" / "test"]))


@pytest.mark.parametrize(
    ("text", "label", "span"),
    [
        ("A suicide car bombing killed six people in Kirkuk.", "attack", "suicide car bombing"),
        ("Rebels shelled the town before dawn.", "attack", "shelled"),
        ("He survived an attempt on the minister's life.", "attack", "attempt on the minister's life"),
        ("Gunmen stormed a church.", "actor", "Gunmen"),
        ("The raid was confirmed by Interior Ministry spokesman Tarik Vasso.", "actor", None),
        ("On Friday, police said the group was behind the bombing, but it rained.", "attribution",
         "police said the group was behind the bombing"),
        ("However, no group has claimed responsibility for the blast.", "attribution",
         "no group has claimed responsibility for the blast"),
        ("The union strongly condemned the killings.", "condemnation", "The union strongly condemned the killings"),
    ],
)  # fmt: skip
def test_each_label_has_its_words(text: str, label: str, span: str | None) -> None:
    found = [one.text for one in suggest(Document("d", text)).spans if one.label == label]
    assert found == [span] if span else any("spokesman Tarik Vasso" in one for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "He died of a heart attack on Friday.",
        "A cyber attack on the bank was followed by a hunger strike.",
        "Teachers' strike enters its third week.",
    ],
)
def test_words_that_only_look_like_attacks_are_left_alone(text: str) -> None:
    assert not [span for span in suggest(Document("d", text)).spans if span.label == "attack"]


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("The Dawn Front claimed responsibility for the bombing.", "claimed"),
        ("The Dawn Front denied any involvement in the bombing.", "denied"),
        ("Police blamed the Dawn Front for the bombing.", "accused"),
        ("The Dawn Front is suspected of the bombing.", "suspected"),
        ("Two men were charged with the bombing.", "charged"),
        ("There was no claim of responsibility for the bombing.", "unclaimed"),
    ],
)
def test_stances(text: str, stance: str) -> None:
    (row,) = suggest(Document("d", text)).statements()
    assert row.attributes["stance"] == stance
    assert row.parties["attack"] == ("bombing",)


def test_an_accusation_tells_who_says_it_of_whom() -> None:
    (row,) = suggest(Document("d", "Interior Ministry officials blamed Dawn militants for the bombing.")).statements()
    assert row.parties["source"] == ("Interior Ministry officials",)
    assert row.parties["perpetrator"] == ("Dawn militants",)


def test_a_general_mention_takes_the_kind_that_was_told() -> None:
    document = suggest(Document("d", "A car bombing shook Kirkuk. The attack was the third."))
    assert [span.attributes["kind"] for span in document.spans if span.label == "attack"] == ["bombing", "bombing"]


def test_proposals_are_a_floor_and_no_model() -> None:
    """Word lists find a good part of the attacks, and far less of the rest."""
    scores = score(SEEDS, [suggest(document) for document in SEEDS], default_schema()).labels.strict
    assert 0.5 < scores.by_name["attack"].counts.f1 < 0.9
    assert 0.25 < scores.micro.counts.f1 < 0.7


@given(
    st.text(alphabet=st.sampled_from("Army said, blamed rebels for “attack”s\n.—'’AB al-Qadi condemned"), max_size=120)
)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_valid_document_that_xml_can_hold(text: str) -> None:
    document = suggest(Document("d", text))  # Document checks offsets and overlaps
    to_xml(document)
    assert all(span.text.strip(" \n,.“”") == span.text for span in document.spans)


@pytest.mark.parametrize("document", SEEDS[:10], ids=lambda one: one.id)
def test_proposals_can_be_read_again_as_xml(document: Document, tmp_path: Path) -> None:
    proposal = suggest(document)
    (tmp_path / "d.xml").write_text(to_xml(proposal), "utf-8")
    again = read_xml(tmp_path / "d.xml")
    assert again.text == document.text
    assert {(one.label, one.start, one.end) for one in again.spans} == {
        (one.label, one.start, one.end) for one in proposal.spans
    }


def test_sureness_is_the_mean_score() -> None:
    spans = (Span("a", "actor", 0, 4, "Army", score=0.4), Span("b", "actor", 5, 11, "police", score=0.8))
    assert sureness(Document("d", "Army police", spans)) == pytest.approx(0.6)
    assert sureness(Document("d", "")) == 1.0
