"""Prediction with the shipped model: exact offsets on any text, the same spans alone and in any batch."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attackspan
from attackspan.document import Document, Span
from attackspan.errors import AttackspanError
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.pairs import REACH, candidate_pairs
from attackspan.model.predictor import Tagger, nest
from attackspan.schema import default_schema

Found = tuple[str, int, int, float]


def test_the_seed_article_gets_its_statements(seed: Document) -> None:
    rows = attackspan.predict(seed.text).statements()
    condemned = [
        (by, attack)
        for row in rows
        if row.label == "condemnation"
        for by in row.parties["by"]
        for attack in row.parties["attack"]
    ]
    assert any(by == "US" and "assassination attempt" in attack for by, attack in condemned)
    assert any(by.endswith("Price") and "act of terrorism" in attack for by, attack in condemned)
    stances = {row.attributes.get("stance"): row.parties for row in rows if row.label == "attribution"}
    assert any("attempt on the Prime Minister’s life" in name for name in stances["unclaimed"]["attack"])
    assert any("pro-Iranian militias" in name for name in stances["suspected"]["perpetrator"])


@pytest.mark.parametrize(
    ("first", "second", "tied"),
    [(0.3, 0.2, "ab"), (0.3, -0.5, "a"), (-0.9, -0.5, "b"), (-1.2, -0.9, "b"), (-1.2, -3.0, ""), (-1.0, -1.0, "")],
)
def test_a_role_takes_all_above_one_half_or_else_its_likeliest(
    tagger: Tagger, first: float, second: float, tied: str
) -> None:
    spans = (Span("c", "condemnation", 0, 9, "condemned"), Span("a", "attack", 10, 14, "raid"),
             Span("b", "attack", 15, 19, "bomb"))  # fmt: skip
    roles = [(label.name, role.name) for label, role in tagger.schema.roles]
    logits = np.full((2, len(roles)), 9.0, np.float32)  # the other roles take no attacks, or are other labels'
    logits[:, roles.index(("condemnation", "attack"))] = first, second
    links = tagger._ties(spans, [(0, 1, logits[0]), (0, 2, logits[1])])
    assert [(link.role, link.head, link.tail) for link in links] == [("attack", "c", tail) for tail in tied]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "🙂🙂",
        "Die Polizei verhaftete 👮🏽‍♀️ den Täter.",
        "أدانت الحكومة الهجوم على بغداد.",
        "a\u0301tta\u0308que\r\nde\u200b Paris",
        "\ufeffPolice blamed rebels.",
        "\ud800 police \udfff blamed rebels for the bombing",
        "x" * 50_000,
        "The rebels attacked. " * 3,
    ],
)
def test_any_text_gets_an_answer_with_exact_offsets(tagger: Tagger, text: str) -> None:
    document = tagger.predict(text)
    assert document.text == text
    assert all(text[span.start : span.end] == span.text for span in document.spans)


def test_threads_and_neighbours_change_nothing(tagger: Tagger, seed: Document) -> None:
    texts = [
        seed.text,
        "",
        "Rebels shelled the town; the army blamed a splinter group.",
        seed.text[:900],
        seed.text * 3,
    ]
    together = list(tagger.predict(texts))
    assert [document.spans for document in together] == [tagger.predict(text).spans for text in texts]
    one_thread = attackspan.load(DEFAULT, threads=1).predict(texts)
    assert [(d.spans, d.links) for d in one_thread] == [(d.spans, d.links) for d in together]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_random_text_gets_a_valid_document(text: str) -> None:
    assert attackspan.predict(text).text == text  # Document checks the rest


def test_a_megabyte_gets_an_answer_and_its_last_article_is_read_as_well_as_its_first(
    tagger: Tagger, seed: Document
) -> None:
    filler = "The weather stayed mild and the harvest was brought in without trouble. " * 14_000
    document = tagger.predict(f"{seed.text}\n\n{filler}\n\n{seed.text}")
    assert len(document.text) > 1_000_000
    half = len(document.text) // 2
    behind = len(document.text) - len(seed.text)
    gold = {(span.label, span.start, span.end) for span in seed.spans}
    first = {(span.label, span.start, span.end) for span in document.spans if span.end < half}
    last = {(span.label, span.start - behind, span.end - behind) for span in document.spans if span.start > half}
    assert len(first & gold) > 20
    assert len(last & gold) >= 0.9 * len(first & gold)


def test_a_text_gets_the_same_spans_alone_and_in_any_batch(tagger: Tagger, seed: Document) -> None:
    texts = [*seed.text.split("\n\n"), seed.text, "", seed.text * 3]
    together = list(tagger.predict(texts))
    assert [document.text for document in together] == texts
    assert [document.id for document in together] == [str(number) for number in range(1, len(texts) + 1)]
    different = total = 0
    for document, text in zip(together, texts, strict=True):
        alone = {(span.label, span.start, span.end) for span in tagger.predict(text).spans}
        batched = {(span.label, span.start, span.end) for span in document.spans}
        different, total = different + len(alone ^ batched), total + len(alone)
    # int8 activations share one scale a batch, so a span on the edge of a decision may differ.
    assert different <= 0.03 * total


def test_an_endless_iterable_is_streamed(tagger: Tagger) -> None:
    def texts() -> Iterator[str]:
        while True:
            yield "Police blamed rebels for the bombing."

    assert len(list(islice(tagger.predict(texts()), 3))) == 3


def test_a_document_keeps_what_it_is_and_loses_its_old_spans(tagger: Tagger, seed: Document) -> None:
    document = tagger.predict(seed)
    assert (document.id, document.source, document.date) == (seed.id, seed.source, seed.date)
    assert all(span.score is not None and 0 < span.score <= 1 for span in document.spans)
    assert document.links
    assert all(link.score is not None and 0 < link.score < 1 for link in document.links)


def test_a_document_can_be_copied_and_sent_to_another_process(tagger: Tagger, seed: Document) -> None:
    document = tagger.predict(seed.text)
    assert pickle.loads(pickle.dumps(document)) == document == copy.deepcopy(document)


def test_something_else_than_a_text_is_an_error(tagger: Tagger) -> None:
    with pytest.raises(AttackspanError, match="text 2 is a int; predict takes str or Document"):
        list(tagger.predict(["fine", 3]))  # type: ignore[list-item]


def test_predicting_imports_neither_torch_nor_transformers() -> None:
    code = "import attackspan, sys; attackspan.predict('Rebels attacked.'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "transformers", "scipy", "datasets"}.isdisjoint(done.stdout.split())


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, tmp_path / "model"))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "encoder.onnx", "relations.onnx"])
def test_a_missing_or_altered_file_is_an_error_that_names_it(checkpoint: Path, name: str) -> None:
    path = checkpoint / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(AttackspanError, match=f"{name}: altered"):
        attackspan.load(checkpoint)
    path.unlink()
    with pytest.raises(AttackspanError, match=f"{name}: missing"):
        attackspan.load(checkpoint)


def test_a_newer_format_or_no_manifest_is_an_error(checkpoint: Path) -> None:
    manifest = checkpoint / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    with pytest.raises(AttackspanError, match="checkpoint format 99; this version reads 1"):
        attackspan.load(checkpoint)
    manifest.unlink()
    with pytest.raises(AttackspanError, match=r"manifest.json: missing; is the folder a checkpoint\?"):
        attackspan.load(checkpoint)
    with pytest.raises(AttackspanError, match="no such folder"):
        attackspan.load(checkpoint / "nowhere")


def test_statements_are_paired_with_what_their_roles_take_within_reach() -> None:
    spans = [("actor", 0, 2), ("attack", 3, 4), ("condemnation", 0, 6), ("actor", 7 + REACH, 9 + REACH)]
    assert candidate_pairs(spans, default_schema()) == [(2, 0), (2, 1)]


SPANS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(1, 12)), max_size=12)


@given(SPANS)
def test_spans_that_cross_are_nested_by_shortening_the_longer(drawn: list[tuple[str, int, int]]) -> None:
    spans: list[Found] = []
    for label, start, length in sorted(drawn, key=lambda one: one[1]):
        if all(other != label or stop <= start for other, _, stop, _ in spans):
            spans.append((label, start, start + length, 0.5))
    nested = nest(spans)
    for left, right in pairwise(nested):
        assert (left[1], -left[2]) <= (right[1], -right[2])
    for i, left in enumerate(nested):
        assert any(left[0] == one[0] and one[1] <= left[1] < left[2] <= one[2] for one in spans)
        for right in nested[i + 1 :]:
            assert not left[1] < right[1] < left[2] < right[2]
    if all(not a[1] < b[1] < a[2] < b[2] for a in spans for b in spans):
        assert sorted(nested) == sorted(spans)


def test_the_shorter_of_two_crossing_spans_stays_whole() -> None:
    assert nest([("a", 0, 10, 0.5), ("b", 8, 12, 0.5)]) == [("a", 0, 8, 0.5), ("b", 8, 12, 0.5)]
