"""The report: the page alone, its figures those of the scorer, and what is hand-computed in its parts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from samples import ROOT
from scoring import SCHEMA, document, span
from test_cli import assert_one_line_error, run

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.eval import page
from attackspan.eval.bootstrap import differences
from attackspan.eval.calibration import calibration
from attackspan.eval.comparison import compare
from attackspan.eval.evaluate import to_json as scores_to_json
from attackspan.eval.matching import pair
from attackspan.eval.metrics import Counts, score, tally
from attackspan.eval.report import Report, Run, gather
from attackspan.eval.slices import slices
from attackspan.formats import read, write
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.predictor import Tagger
from attackspan.model.tokens import Tokenizer
from attackspan.training.suggest import suggest

SEEDS = list(read([ROOT / "seeds" / "dev"]))[:6]
RULES = [suggest(one) for one in SEEDS]
HOSTILE = '<script>alert("x")</script> & </style>'


@pytest.fixture(scope="module")
def made(tagger: Tagger) -> Report:
    hostile = Document("<b>&", HOSTILE, (Span("a", "actor", 0, 8, HOSTILE[:8]),), title="<i>title</i>")
    gold = [*SEEDS, hostile]
    runs = [
        Run.of_model(str(DEFAULT), tagger, gold),
        Run("<rules>", "0" * 64, [suggest(one) for one in gold]),
    ]
    nothing = [replace(one, spans=(), links=()) for one in gold]
    return gather(
        "seeds", gold, runs, SCHEMA, second=gold[:3], floors={"nothing": nothing}, train=gold[:2], resamples=50
    )


@pytest.fixture(scope="module")
def html(made: Report) -> str:
    return page.html(made)


def test_the_page_needs_no_network_and_its_policy_allows_its_own_parts_only(html: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    for tag in ("style", "script"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert not re.search(r'\b(?:src|style|on\w+)="', html.replace("-src '", ""))
    assert set(re.findall(r'href="(.)', html)) == {"#"}
    assert "http" not in re.sub(r'http-equiv="', "", html.partition("<body>")[0])


def test_everything_is_escaped(html: str) -> None:
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    for raw in ("<b>&", "<i>title", "<rules>"):
        assert raw not in html


def test_references_point_at_ids_that_stand_once(html: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    named = re.findall(r'href="#([^"]+)"', html) + re.findall(r"url\(#([^)]+)\)", html)
    named += [one for ids_ in re.findall(r'aria-labelledby="([^"]+)"', html) for one in ids_.split()]
    assert set(named) <= set(ids)


def test_headings_are_in_order_and_tables_have_captions_and_scopes(html: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert html.count("<caption") == html.count("<table>")
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", html)


def test_the_figures_are_the_scorers(made: Report, tmp_path: Path) -> None:
    page.write(made, tmp_path / "deep" / "report")
    data = json.loads((tmp_path / "deep" / "report" / "report.json").read_text())
    gold, predicted = zip(*made.pairs, strict=True)
    expected = score(gold, predicted, SCHEMA, resamples=50)
    assert data["models"][0]["scores"] == json.loads(json.dumps(scores_to_json(expected)))
    assert [one["name"] for one in data["bounds"]] == ["second marking", str(DEFAULT), "<rules>", "nothing"]
    assert [one["documents_entirely_right"] for one in data["bounds"]][::3] == [3, sum(not d.spans for d in gold[:3])]
    assert data["bounds"][0]["scores"]["documents"] == 3
    f1 = f"{100 * expected.labels.strict.micro.counts.f1:.1f}"
    assert f1 in (tmp_path / "deep" / "report" / "index.html").read_text()
    assert f"| micro | {expected.labels.strict.micro.counts.gold} |" in page.markdown(made)
    assert len(data["errors"]) == sum(map(len, made.errors.values()))


def test_links_on_gold_spans_are_better_than_on_predicted_ones(made: Report) -> None:
    first = made.models[0]
    assert first.on_gold is not None
    assert first.on_gold.links.strict.micro.counts.f1 > first.scores.links.strict.micro.counts.f1
    assert made.models[1].on_gold is None


def test_the_command_writes_three_files(tmp_path: Path) -> None:
    write(SEEDS[:2], tmp_path / "gold")
    write(RULES[:2], tmp_path / "rules.jsonl")
    done = run("report", tmp_path / "rules.jsonl", tmp_path / "gold", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["index.html", "report.json", "report.md"]
    write(RULES[:1], tmp_path / "less.jsonl")
    assert_one_line_error(run("report", tmp_path / "less.jsonl", tmp_path / "gold"), "less.jsonl: document")


def test_a_model_given_twice_is_refused() -> None:
    runs = [Run("x", "", RULES)] * 2
    with pytest.raises(AttackspanError, match="twice"):
        gather("d", SEEDS, runs, SCHEMA, floors={})


def test_calibration_of_four_spans_by_hand() -> None:
    gold = document(span("actor", 0, 4), span("actor", 5, 9), span("attack", 10, 12))
    scored = [
        replace(span("actor", 0, 4), score=0.95),  # right
        replace(span("actor", 5, 8), score=0.91),  # wrong boundary
        replace(span("attack", 10, 12), score=0.55),  # right
        replace(span("attack", 13, 15), score=1.0),  # spurious, in the last bin
    ]
    found = calibration([(gold, document(*scored))], SCHEMA)
    assert found is not None
    assert [(one.spans, round(one.confidence, 4), round(one.accuracy, 4)) for one in found.bins] == [
        (1, 0.55, 1.0),
        (3, round((0.95 + 0.91 + 1) / 3, 4), round(1 / 3, 4)),
    ]
    assert found.error == pytest.approx((0.45 + abs(0.95 + 0.91 + 1 - 1)) / 4)
    actor, attack = found.curves
    assert (actor.recall, actor.precision) == ((0.5, 0.5), (1.0, 0.5))
    assert actor.average == 0.5
    assert (attack.recall, attack.precision) == ((0.0, 1.0), (0.0, 0.5))
    assert dict(found.thresholds)[0.95] == Counts(1, 2, 3)
    assert dict(found.thresholds)[0.0] == Counts(2, 4, 3)
    assert calibration([(gold, document(span("actor", 0, 4)))], SCHEMA) is None  # no score


def test_slices_by_hand() -> None:
    gold = document(span("attack", 0, 4, kind="bombing"), span("attack", 5, 9, kind="shelling"), span("actor", 10, 12))
    predicted = document(
        span("attack", 0, 4, kind="melee"),  # found: it belongs to the bombings
        span("attack", 5, 8, kind="shelling"),  # by half
        span("attack", 14, 16, kind="shelling"),  # spurious: where it stands itself
        span("actor", 10, 12),
    )
    known = document(span("actor", 10, 12), name="t")
    found = {
        (one.dimension, one.value): (one.strict.counts, one.overlap.counts)
        for one in slices([(gold, predicted)], SCHEMA, Tokenizer.load(DEFAULT / "tokenizer.json"), [known], 0, 10)
    }
    assert found["attack.kind", "bombing"] == (Counts(1, 1, 1), Counts(1, 1, 1))
    assert found["attack.kind", "shelling"] == (Counts(0, 2, 1), Counts(1, 2, 1))
    assert found["actor", "in the training data"][0] == Counts(1, 1, 1)
    assert ("actor", "unseen") not in found
    for dimension in ("source", "year", "length in words", "position", "letters"):
        (whole,) = [counts for (name, _), counts in found.items() if name == dimension]
        assert whole == (Counts(2, 4, 3), Counts(3, 4, 3))


def test_positions_letters_and_years_are_told_apart() -> None:
    text = "POLICE FLED.\n" + "the town " * 600 + "police fled."
    far = text.rindex("police")
    spans = (Span("a", "actor", 0, 6, "POLICE"), Span("b", "actor", far, far + 6, "police"))
    one = Document("d", text, spans, date="2011-02-03")
    found = {
        (part.dimension, part.value): part.strict.counts.gold
        for part in slices([(one, one)], SCHEMA, Tokenizer.load(DEFAULT / "tokenizer.json"), [], 0, 1)
    }
    for key in (("position", "first 512 tokens"), ("position", "past token 512"), ("letters", "upper case")):
        assert found[key] == 1
    assert found["letters", "mixed case"] == 1
    assert found["year", "2005 to 2012"] == 2


def test_a_models_lead_has_an_interval_and_a_p_value() -> None:
    better, worse = (tally(pair(SEEDS, side, SCHEMA), SCHEMA) for side in (SEEDS, RULES))
    found = compare(("gold", "rules"), better, worse, SCHEMA, 0, 400)
    lead = found.strict["micro"]
    assert lead.value == pytest.approx(1 - score(SEEDS, RULES, SCHEMA, resamples=1).labels.strict.micro.counts.f1)
    assert 0 < lead.interval.low < lead.value < lead.interval.high
    assert lead.p < 0.05
    assert [one.first for one in found.divergences] == [0] * len(found.divergences)
    mistakes = [one.second for one in found.divergences]
    assert mistakes == sorted(mistakes, reverse=True)
    same = compare(("a", "b"), worse, worse, SCHEMA, 0, 50)
    assert (same.strict["micro"].value, same.strict["micro"].p, same.divergences) == (0.0, 1.0, ())


def test_p_is_uniform_where_two_models_are_alike() -> None:
    """Coin tosses on both sides: of 200 comparisons about one in five has a p below 0.2."""
    rng = np.random.default_rng(0)
    low = 0
    for seed in range(200):
        sides = (rng.random((2, 40)) < 0.5).astype(np.int64)
        first, second = (np.stack([side, np.ones_like(side), np.ones_like(side)], -1)[:, None] for side in sides)
        low += differences(first, second, seed=seed, resamples=200)[0].p < 0.2
    assert 25 <= low <= 60


def test_relations_of_predicted_spans_are_those_of_prediction(tagger: Tagger) -> None:
    for one in tagger.predict(SEEDS):
        again = tagger.relate(one)
        assert (again.spans, again.links) == (one.spans, one.links)


def test_relations_are_read_on_the_spans_that_are_given(tagger: Tagger) -> None:
    inside = replace(SEEDS[0], spans=tuple(s for s in SEEDS[0].spans), links=())
    related = tagger.relate(inside)
    assert [(s.id, s.label, s.start, s.end) for s in related.spans] == [
        (s.id, s.label, s.start, s.end) for s in inside.spans
    ]
    gap = Document("d", "a \u200b b", (Span("s", "actor", 2, 3, "\u200b"),))
    with pytest.raises(AttackspanError, match="cannot read actor 's'"):
        tagger.relate(gap)
