"""The peers' conversions and bootstrap on the seeds; the rules' and the page's whole way, without training anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ROOT

from attackspan.document import Document
from attackspan.eval.bootstrap import Difference, Interval
from attackspan.eval.metrics import score
from attackspan.eval.peers.found import Found, blank, characters, labelled, ranges
from attackspan.eval.peers.page import rows
from attackspan.eval.peers.result import Result
from attackspan.eval.peers.roster import OURS, PEERS, Peer
from attackspan.eval.peers.tags import Piece, bio, join, pieces
from attackspan.eval.peers.words import Words
from attackspan.formats import read, write
from attackspan.schema import default_schema
from attackspan.training.suggest import suggest

SCHEMA = default_schema()
SEEDS = list(read([ROOT / "seeds" / "test"]))
STATEMENTS = ("attribution", "condemnation")
TEXT = "Gunmen of the U.S. front, he said, fled.\nPolice blamed them."


def test_words_know_their_characters_and_sentences() -> None:
    words = Words.of(TEXT)
    start = TEXT.index("U.S.")
    first, stop = words.covering(start, start + 4)
    assert [words[index] for index in range(first, stop)] == ["U", ".", "S", "."]
    assert words.characters(first, stop) == (start, start + 4)
    assert [" ".join(words[i] for i in range(*bounds)) for bounds in words.sentences(60)][-1] == "Police blamed them ."
    assert max(stop - first for first, stop in words.sentences(5)) == 5
    for document in SEEDS:
        words = Words.of(document.text)
        ranges_ = words.sentences(60)
        assert [i for first, stop in ranges_ for i in range(first, stop)] == list(range(len(words)))


def test_words_of_a_text_without_any() -> None:
    assert Words.of(" \n").sentences(60) == []
    assert bio(0, []) == []


@pytest.mark.parametrize("label", SCHEMA.names)
def test_spans_of_one_label_survive_bio_as_whole_words(label: str) -> None:
    exact = total = 0
    for document in SEEDS:
        words = Words.of(document.text)
        tags = bio(len(words), ranges(document, words, [label]))
        found = {(one.start, one.end) for one in characters(words, pieces(tags))}
        spans = {(span.start, span.end) for span in document.spans if span.label == label}
        assert found == {words.characters(*words.covering(*span)) for span in spans}
        exact, total = exact + len(found & spans), total + len(spans)
    assert exact / total > 0.99  # the rest end within a word


@given(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"])))
def test_any_tags_give_pieces_and_their_own_tags_give_them_back(tags: list[str]) -> None:
    found = pieces(tags)
    assert pieces(bio(len(tags), found)) == found
    assert sum(one.stop - one.first for one in found) == sum(tag != "O" for tag in tags)


def test_a_piece_has_the_mean_score_of_its_words() -> None:
    assert pieces(["B-a", "I-a", "O"], [0.5, 1.0, 0.1]) == [Piece("a", 0, 2, 0.75)]


def test_the_inner_label_wins_and_the_statement_is_joined_again() -> None:
    clause = [Piece("attribution", 0, 6), Piece("actor", 0, 1), Piece("attack", 4, 6), Piece("actor", 7, 8)]
    tags = bio(8, clause)
    assert tags == [
        "B-actor",
        "B-attribution",
        "I-attribution",
        "I-attribution",
        "B-attack",
        "I-attack",
        "O",
        "B-actor",
    ]
    assert sorted(join(pieces(tags), STATEMENTS), key=str) == sorted(clause, key=str)
    apart = [Piece("attribution", 0, 2), Piece("condemnation", 2, 4)]
    assert join(apart, STATEMENTS) == apart


def test_flattening_the_seeds_loses_little() -> None:
    documents = []
    for document in SEEDS:
        words = Words.of(document.text)
        flat = bio(len(words), ranges(document, words, SCHEMA.names))
        documents.append(labelled(document, characters(words, join(pieces(flat), STATEMENTS))))
    strict = score(SEEDS, documents, SCHEMA, resamples=1).labels.strict
    assert strict.micro.counts.f1 > 0.95
    assert all(strict.by_name[label].counts.f1 > 0.8 for label in STATEMENTS)


def test_what_is_found_becomes_a_valid_document() -> None:
    document = Document("d", "The bomb attack  killed two.")
    found = [
        Found("attack", 4, 15, 0.6),
        Found("attack", 9, 17, 0.9),  # better, and loses the space at its end
        Found("actor", 4, 8),
        Found("actor", 4, 15),  # longer
        Found("attack", 15, 17, 0.9),  # white space only
    ]
    spans = labelled(document, found).spans
    assert [(span.label, span.text, span.score) for span in spans] == [
        ("actor", "bomb attack", None),
        ("attack", "attack", 0.9),
    ]
    assert spans[1].attributes == {"kind": SCHEMA["attack"].attributes[0].names[0]}


def test_ours_is_ahead_of_a_peer_by_the_difference_of_their_scores() -> None:
    def result(name: str, predicted: list[Document]) -> Result:
        return Result(Peer(name, "", "", ""), {}, tuple(predicted))

    found = [result(OURS, SEEDS), result("rules", [*map(suggest, SEEDS)]), result("nothing", [*map(blank, SEEDS)])]
    ours, rules, nothing = rows(found, SEEDS, SCHEMA, seed=13)
    for view in ("strict", "overlap"):
        assert (ours.lead(view).value, ours.lead(view).interval) == (0.0, Interval(0.0, 0.0))
        lead = rules.lead(view)
        assert lead.value == pytest.approx(1 - rules.view(view).micro.counts.f1)
        assert 0 < lead.interval.low < lead.value < lead.interval.high
        assert nothing.lead(view) == Difference(1.0, Interval(1.0, 1.0), nothing.lead(view).p)
    again = rows(found, SEEDS, SCHEMA, seed=13)
    assert [row.ahead for row in again] == [row.ahead for row in (ours, rules, nothing)]


def test_every_peer_has_its_adapter_and_requirements() -> None:
    folder = ROOT / "eval" / "peers"
    for peer in PEERS:
        assert (folder / f"{peer.module}.py").is_file()
        assert not peer.environment or (folder / f"{peer.environment}.txt").is_file()


def test_the_runner_measures_keeps_and_writes_the_page(tmp_path: Path) -> None:
    write(SEEDS[:4], tmp_path / "seeds.jsonl")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "attackspan.eval.peers.run", "--only", OURS, "--only", "suggest"]
        files = [f"--train={tmp_path / 'seeds.jsonl'}", f"--test={tmp_path / 'seeds.jsonl'}"]
        places = ["-o", str(tmp_path / "runs"), "--page", str(tmp_path / "peers.md"), "--cores", "1"]
        settings = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run([*command, *files, *places, *more], capture_output=True, text=True, env=settings)

    done = run()
    assert done.returncode == 0, done.stderr
    assert "suggest: running" in done.stderr
    predicted = list(read([tmp_path / "runs" / "suggest.jsonl"]))
    assert [(one.id, one.text) for one in predicted] == [(one.id, one.text) for one in SEEDS[:4]]
    assert [one.spans for one in predicted] == [suggest(one).spans for one in SEEDS[:4]]
    assert not any(one.spans for one in read([tmp_path / "runs" / "blank.jsonl"]))
    page = (tmp_path / "peers.md").read_text()
    for part in ("| attackspan | ", "| suggest | ", "gliner", "sha256", "Not run yet: crf", "Seed 13"):
        assert part in page
    assert (tmp_path / "peers.png").stat().st_size > 5000

    again = run()
    assert again.returncode == 0, again.stderr
    assert "running" not in again.stderr
    first = json.loads((tmp_path / "runs" / "suggest.json").read_text())
    anew = run("--again")
    assert anew.returncode == 0, anew.stderr
    assert "suggest: running" in anew.stderr
    second = json.loads((tmp_path / "runs" / "suggest.json").read_text())
    assert second.pop("predict_seconds") != first.pop("predict_seconds")
    assert second.pop("inputs") == first.pop("inputs")

    write([replace(SEEDS[4], id="other")], tmp_path / "seeds.jsonl")
    other = run()
    assert other.returncode == 2
    assert "delete it to run" in other.stderr
