"""Anyone's predictions scored: against seqeval, and on files that are empty, incomplete or of other documents."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import ROOT, file
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2
from test_cli import assert_one_line_error, run

from attackspan.document import Document, Span
from attackspan.eval.metrics import score
from attackspan.formats import read, write
from attackspan.schema import Label, Schema

NAMES = Schema((Label("PER"), Label("LOC"), Label("ORG")))
SEEDS = list(read([ROOT / "seeds" / "dev"]))[:4]


@st.composite
def tags(draw: st.DrawFn, length: int) -> list[str]:
    """IOB2 tags of flat spans."""
    found: list[str] = []
    while len(found) < length:
        label = draw(st.sampled_from([None, *NAMES.names]))
        size = draw(st.integers(1, 3)) if label else 1
        found += [f"B-{label}"] + [f"I-{label}"] * (size - 1) if label else ["O"]
    return found[:length]


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    length = draw(st.integers(1, 12))
    return draw(tags(length)), draw(tags(length))


def flat(name: str, row: list[str]) -> Document:
    """The tags as a document whose words are one letter each."""
    text = " ".join("x" for _ in row)
    spans: list[Span] = []
    for index, tag in enumerate(row):
        if tag.startswith("B-"):
            spans.append(Span(f"s{index}", tag[2:], 2 * index, 2 * index + 1, "x"))
        elif tag != "O":
            start = spans[-1].start
            spans[-1] = replace(spans[-1], end=2 * index + 1, text=text[start : 2 * index + 1])
    return Document(name, text, tuple(spans), schema=NAMES)


@settings(max_examples=500, deadline=None)
@given(st.lists(sentences(), min_size=1, max_size=5))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_strict_f1_is_that_of_seqeval_on_flat_spans(rows: list[tuple[list[str], list[str]]]) -> None:
    gold, predicted = zip(*rows, strict=True)
    sides = [[flat(f"{i}", row) for i, row in enumerate(side)] for side in (gold, predicted)]
    strict = score(*sides, NAMES, resamples=1).labels.strict
    figures = {"micro": strict.micro.counts.f1, "macro": strict.macro.f1}
    if not any(tag != "O" for side in (gold, predicted) for row in side for tag in row):
        del figures["macro"]  # seqeval's mean of no labels is NaN, ours 0
    for average, ours in figures.items():
        theirs = f1_score(list(gold), list(predicted), average=average, mode="strict", scheme=IOB2, zero_division=0)
        assert ours == pytest.approx(theirs)


def test_scores_need_no_model_and_have_the_form_of_evaluate(tmp_path: Path) -> None:
    write((replace(one, spans=one.spans[1:], links=()) for one in SEEDS), tmp_path / "pred.jsonl")
    write(SEEDS, tmp_path / "gold")
    done = run("score", tmp_path / "gold", tmp_path / "pred.jsonl", "-o", tmp_path / "scores.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "scores.json").read_text())
    size, kept = sum(len(one.spans) for one in SEEDS), sum(len(one.spans[1:]) for one in SEEDS)
    micro = figures["labels"]["strict"]["micro"]
    assert (micro["correct"], micro["predicted"], micro["gold"]) == (kept, kept, size)
    assert "4 documents" in done.stdout.decode()
    code = "import sys, attackspan.eval.metrics, attackspan.eval.evaluate; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"onnxruntime", "torch", "tokenizers", "jinja2", "matplotlib", "scipy"} & set(loaded)


@pytest.mark.parametrize(
    ("empty", "figures"),
    [("gold", (0, 30, 0)), ("pred", (0, 0, 30)), ("both", (0, 0, 0))],
)
def test_documents_without_spans_are_scored(tmp_path: Path, empty: str, figures: tuple[int, int, int]) -> None:
    text = "abcd " * 30
    full = Document("d", text, tuple(Span(f"a{i}", "actor", 5 * i, 5 * i + 4, "abcd") for i in range(30)))
    for side in ("gold", "pred"):
        write([replace(full, spans=()) if empty in (side, "both") else full], tmp_path / f"{side}.jsonl")
    done = run("score", tmp_path / "gold.jsonl", tmp_path / "pred.jsonl", "-o", tmp_path / "scores.json")
    assert done.returncode == 0, done.stderr
    micro = json.loads((tmp_path / "scores.json").read_text())["labels"]["strict"]["micro"]
    assert (micro["correct"], micro["predicted"], micro["gold"]) == figures
    assert micro["f1"] == 0.0


ONE = '{"id": "d1", "text": "Police fled."}\n'
BOTH = ONE + '{"id": "d2", "text": "Rebels came."}\n'


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        pytest.param("", ONE, "gold.jsonl: the file is empty", id="a gold file without a document"),
        pytest.param(ONE, "", "pred.jsonl: the file is empty", id="a predicted file without a document"),
        pytest.param(BOTH, ONE, "document 'd2' is in the gold data, but not predicted", id="missing"),
        pytest.param(ONE, BOTH, "document 'd2' is predicted, but not in the gold data", id="extra"),
        pytest.param(BOTH, BOTH.replace("d1", "x1").replace("d2", "x2"), "documents 'd1', 'd2' are in", id="other ids"),
        pytest.param(ONE, ONE.replace("fled", "flew"), "document 'd1'.*from character 10 on", id="other text"),
        pytest.param(
            ONE,
            '{"id": "d1", "text": "Police fled.", "spans": [{"id": "a", "label": "place", "start": 0, "end": 6}]}\n',
            "pred.jsonl:1: document 'd1': place 'a' [0:6] has an unknown label",
            id="a label that the schema lacks",
        ),
    ],
)
def test_sides_that_do_not_fit_are_one_line_errors(tmp_path: Path, gold: str, predicted: str, message: str) -> None:
    file(tmp_path, "gold.jsonl", gold)
    file(tmp_path, "pred.jsonl", predicted)
    done = run("score", "gold.jsonl", "pred.jsonl", "-o", "scores.json", cwd=tmp_path)
    for part in message.split(".*"):
        assert_one_line_error(done, part)
    assert not (tmp_path / "scores.json").exists()


def test_a_label_of_one_sides_conll_files_is_missed_or_spurious(tmp_path: Path) -> None:
    gold = file(tmp_path, "gold/news.conll", "Police B-PER\nleft O\nRome B-LOC\n")
    predicted = file(tmp_path, "pred/news.conll", "Police B-PER\nleft O\nRome B-GPE\n")
    done = run("score", gold, predicted, "-o", tmp_path / "scores.json")
    assert done.returncode == 0, done.stderr
    labels = json.loads((tmp_path / "scores.json").read_text())["labels"]
    counts = {
        name: (one["correct"], one["predicted"], one["gold"]) for name, one in labels["strict"]["by_name"].items()
    }
    assert counts == {"PER": (1, 1, 1), "LOC": (0, 0, 1), "GPE": (0, 1, 0)}
    assert labels["boundary"]["micro"]["f1"] == 1.0
    other = file(tmp_path, "pred/other.conll", "Police B-PER\nleft O\nRome B-GPE\n")
    assert_one_line_error(run("score", gold, other), "document 'news-1' is in the gold data")
