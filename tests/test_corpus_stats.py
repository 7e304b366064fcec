"""The figures about a corpus, against hand-counted cases, and the promises that the seeds make."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from samples import ROOT

from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.eval.corpus_stats import Corpus, load, marginals, overlaps, report, type_token_ratio, words
from attackspan.formats import write
from attackspan.schema import default_schema

SEEDS = ROOT / "seeds"


@pytest.fixture(scope="module")
def seeds() -> Corpus:
    return load(SEEDS)


def test_overlap_is_the_share_of_the_shorter_text() -> None:
    short = Document("a", "one two three four five six")  # two 5-grams
    long = Document("b", "zero one two three four five six seven eight")
    assert overlaps([short, long]) == [(1.0, "a", "b")]
    assert overlaps([short, Document("c", "One, two; three four FIVE nine")])[0][0] == 0.5
    assert overlaps([short, Document("d", "too short")]) == []


def test_type_token_ratio_counts_words_once() -> None:
    assert type_token_ratio([Document("a", "The army, the ARMY")]) == 0.5


def test_words_keep_apostrophes_and_hyphens() -> None:
    assert words(Document("a", "Iran-backed militias’ base; don’t!")) == ["iran-backed", "militias", "base", "don’t"]


def test_a_document_counts_once_for_each_of_its_kinds(tmp_path: Path) -> None:
    kinds = [{"kind": "bombing"}, {"kind": "bombing"}, {"kind": "melee"}]
    spans = [Span(f"t{at}", "attack", at, at + 1, "x", attributes=kind) for at, kind in enumerate(kinds)]
    write([Document("a", "xxx", tuple(spans), date="2001-09-01"), Document("b", "calm")], tmp_path)
    counts = marginals(load(tmp_path))
    assert counts["kind"] == {"bombing": 1, "melee": 1, "no attack": 1}
    assert counts["era"] == {"1995 to 2004": 1, "no year": 1}
    assert "genre" not in counts


def test_a_seed_without_a_plan_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("id,genre,region,country\nother,brief,Europe,Italy\n")
    write([Document("a", "text", source="attackspan")], tmp_path)
    with pytest.raises(AttackspanError, match=r"plan\.csv: no row for a"):
        load(tmp_path)


class TestSeeds:
    def test_no_two_share_more_than_a_twentieth_of_their_word_fives(self, seeds: Corpus) -> None:
        assert overlaps(seeds.documents)[0][0] <= 0.05

    def test_every_one_stands_where_the_plan_put_it(self, seeds: Corpus) -> None:
        for document in seeds.documents:
            assert (SEEDS / seeds.plan[document.id]["split"] / f"{document.id}.xml").is_file()

    def test_the_plan_deals_every_kind_and_stance_to_fifteen_documents(self, seeds: Corpus) -> None:
        schema = default_schema()
        for column, label in (("kinds", "attack"), ("stances", "attribution")):
            dealt = Counter(value for row in seeds.plan.values() for value in row[column].split())
            assert set(dealt) == set(schema[label].attributes[0].names)
            assert min(dealt.values()) >= 15
        assert min(Counter(row["genre"] for row in seeds.plan.values()).values()) >= 15
        assert len({row["country"] for row in seeds.plan.values()}) >= 40
        assert sum(bool(row["topic"]) for row in seeds.plan.values()) >= len(seeds.plan) / 5

    def test_a_document_whose_subject_is_no_attack_has_no_span(self, seeds: Corpus) -> None:
        assert all(not one.spans for one in seeds.documents if seeds.plan[one.id]["topic"])

    def test_the_report_names_every_dimension(self, seeds: Corpus) -> None:
        page = report([seeds])
        assert all(f"## Documents by {name}" in page for name in ("genre", "country", "kind", "stance", "era", "words"))
