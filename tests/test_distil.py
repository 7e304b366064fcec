"""A teacher's reading: written, read back, learnt from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tokenizers
import torch
from samples import ROOT
from test_training import SCHEMA, SEEDS, TOKENIZER, config

import attackspan
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.formats import read, write
from attackspan.model.network import ATTRIBUTE_WEIGHT, AttackspanConfig, AttackspanModel
from attackspan.model.predictor import Tagger
from attackspan.model.tokens import Tokenizer
from attackspan.model.viterbi import decode
from attackspan.schema import Label, Schema
from attackspan.training.build import build
from attackspan.training.distil import distil, facts, read_silver
from attackspan.training.examples import Collator, examples
from attackspan.training.mixture import Mixture
from attackspan.training.train import _mixture, train


@pytest.fixture(scope="module")
def texts() -> list[Document]:
    found = list(read(SEEDS[:6]))
    return [*found, Document("nothing", "  ")]


@pytest.fixture(scope="module")
def silver(tagger: Tagger, texts: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("silver") / "silver.parquet"
    assert distil([tagger], texts, path, {"teacher": "the shipped model"}) == 6
    return path


def test_what_the_teacher_says_reads_back(silver: Path, tagger: Tagger, texts: list[Document]) -> None:
    assert facts(silver, SCHEMA) == {"teacher": "the shipped model"}
    found = list(read_silver(silver, SCHEMA))
    assert [one.document for one in found] == list(tagger.predict(texts[:6]))
    for one in found:
        np.testing.assert_allclose(one.tags.astype(np.float32).sum(-1), 1, atol=2e-3)
        spans = decode([np.log(one.tags.astype(np.float32) + 1e-7)])[0]
        assert sum(map(len, spans)) == pytest.approx(len(one.document.spans), abs=2)


def test_of_several_teachers_the_mean_counts(
    silver: Path, tagger: Tagger, texts: list[Document], tmp_path: Path
) -> None:
    hot = Tagger(
        tagger.session, tagger.tokenizer, replace(tagger.settings, temperatures=dict.fromkeys(SCHEMA.names, 9.0))
    )
    distil([hot], texts, tmp_path / "hot.parquet", {})
    distil([tagger, hot], texts, tmp_path / "both.parquet", {})
    distil([tagger, hot, tagger], texts, tmp_path / "twice.parquet", {})
    alone, other, both, twice = (
        [one.tags.astype(np.float32) for one in read_silver(path, SCHEMA)]
        for path in (silver, tmp_path / "hot.parquet", tmp_path / "both.parquet", tmp_path / "twice.parquet")
    )
    for a, b, mean, two_to_one in zip(alone, other, both, twice, strict=True):
        np.testing.assert_allclose(mean, (a + b) / 2, atol=2e-3)
        np.testing.assert_allclose(two_to_one, (2 * a + b) / 3, atol=2e-3)
    backend = tokenizers.Tokenizer.from_str(tagger.tokenizer.backend.to_str())
    backend.add_special_tokens(["emned"])
    other_tokens = Tagger(tagger.session, Tokenizer(backend), tagger.settings)
    alike = [one for one in texts[:6] if "emned" not in one.text]
    assert distil([tagger, other_tokens], texts, tmp_path / "alike.parquet", {}) == len(alike) < 6
    assert [one.document.id for one in read_silver(tmp_path / "alike.parquet", SCHEMA)] == [one.id for one in alike]
    shouting = Tagger(tagger.session, tagger.tokenizer, replace(tagger.settings, schema=Schema((Label("PER"),))))
    with pytest.raises(AttackspanError, match="different schemas"):
        distil([tagger, shouting], texts, tmp_path / "no.parquet", {})


def test_another_file_or_schema_is_an_error(silver: Path, tmp_path: Path) -> None:
    with pytest.raises(AttackspanError, match="another schema"):
        facts(silver, Schema((Label("PER"),)))
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(AttackspanError, match="attackspan distil"):
        facts(tmp_path / "text.parquet", SCHEMA)
    with pytest.raises(AttackspanError, match="attackspan distil"):
        facts(tmp_path / "missing.parquet", SCHEMA)


def test_no_text_is_an_error_and_writes_nothing(tagger: Tagger, tmp_path: Path) -> None:
    with pytest.raises(AttackspanError, match="no text"):
        distil([tagger], [Document("blank", " ")], tmp_path / "s.parquet", {})
    assert not list(tmp_path.iterdir())


def test_a_window_learns_the_teachers_tags(silver: Path) -> None:
    one = next(read_silver(silver, SCHEMA))
    units = TOKENIZER.encode([one.document.text])[0].units
    (example,) = examples(one.document, TOKENIZER, SCHEMA, 2000, 0, one.tags)
    np.testing.assert_array_equal(example["tags"][1 + units], one.tags.astype(np.float32))
    with pytest.raises(AttackspanError, match="teacher's tokens"):
        examples(one.document, TOKENIZER, SCHEMA, 2000, 0, one.tags[1:])


@pytest.fixture
def network() -> AttackspanModel:
    torch.manual_seed(0)
    encoder = {"model_type": "bert", "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
               "intermediate_size": 32, "vocab_size": 30522}  # fmt: skip
    return AttackspanModel(AttackspanConfig(encoder_config=encoder)).eval()


def test_the_loss_of_certain_tags_is_cross_entropy(network: AttackspanModel, seed: Document) -> None:
    batch = Collator(0, 102)(examples(replace(seed, links=()), TOKENIZER, SCHEMA, 100, 20))
    output = network(batch["input_ids"], batch["attention_mask"], batch["tags"])
    certain = torch.where(batch["tags"].sum(-1) > 0, batch["tags"].argmax(-1), -100)
    expected = torch.nn.functional.cross_entropy(output["logits"].flatten(0, 2), certain.flatten())
    torch.testing.assert_close(output["loss"], expected * len(SCHEMA.labels))


def test_tags_and_links_count_in_full_and_attributes_little(network: AttackspanModel, seed: Document) -> None:
    batch = Collator(0, 102)(examples(seed, TOKENIZER, SCHEMA, 100, 20))
    output = network(**batch)
    tags = network(batch["input_ids"], batch["attention_mask"], batch["tags"])["loss"]
    known = batch["links"] >= 0
    links = torch.nn.functional.binary_cross_entropy_with_logits(
        output["link_logits"][known], batch["links"][known].float()
    )
    kinds, stances = output["attribute_logits"].split([len(one.values) for _, one in SCHEMA.attributes], -1)
    attributes = sum(
        torch.nn.functional.cross_entropy(logits, target)
        for logits, target in zip((kinds, stances), batch["attributes"].T, strict=True)
    )
    torch.testing.assert_close(output["loss"], tags + links + ATTRIBUTE_WEIGHT * attributes)
    assert ATTRIBUTE_WEIGHT < 0.1


@pytest.mark.parametrize(("gold", "silver", "epochs"), [(3, 10, 2), (5, 0, 3), (1, 7, 3)])
def test_every_silver_window_comes_once_a_run_and_gold_in_each_epoch(gold: int, silver: int, epochs: int) -> None:
    marked = [{"input_ids": [0], "name": f"gold {n}"} for n in range(gold)]
    unmarked = [{"input_ids": [0] * (n % 4), "name": f"silver {n}"} for n in range(silver)]
    mixture = Mixture(marked, unmarked, epochs)
    seen = []
    for mixture.epoch in range(epochs):
        names = [mixture[index]["name"] for index in range(len(mixture))]
        assert names == [one["name"] for one in mixture]  # type: ignore[attr-defined]
        assert names[:gold] == [one["name"] for one in marked]
        seen += names[gold:]
    assert len(seen) == len(set(seen)) == silver // epochs * epochs
    lengths = [len(mixture[index]["input_ids"]) for index in range(gold, len(mixture))]
    assert lengths == sorted(lengths)


def test_of_what_is_marked_half_is_learnt_from_the_teacher(
    silver: Path, small_encoder: Path, tmp_path: Path, tagger: Tagger
) -> None:
    settings = config(tmp_path, tmp_path, small_encoder, silver=[str(silver)], window=2000)
    gold = list(read(SEEDS[2:8]))
    mixture = _mixture(settings, gold, TOKENIZER, SCHEMA)
    assert (len(mixture.gold), len(mixture.silver)) == (6, 2)
    teacher = {one.document.text: one.tags.astype(np.float32) for one in read_silver(silver, SCHEMA)}
    both = [document.text in teacher for document in gold]
    assert sorted(both) == [False] * 2 + [True] * 4
    for document, window in zip(gold, mixture.gold, strict=True):
        (own,) = examples(document, TOKENIZER, SCHEMA, 2000, 0)
        expected = own["tags"]
        if document.text in teacher:
            units = 1 + TOKENIZER.encode([document.text])[0].units
            expected[units] = (expected[units] + teacher[document.text]) / 2
        np.testing.assert_allclose(window["tags"], expected, rtol=1e-6)
        np.testing.assert_array_equal(window["attributes"], own["attributes"])
        np.testing.assert_array_equal(window["links"], own["links"])


def test_a_text_in_several_files_is_learnt_from_the_first(
    silver: Path, tagger: Tagger, small_encoder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.parquet"
    hot = replace(tagger.settings, temperatures=dict.fromkeys(SCHEMA.names, 9.0))
    distil([Tagger(tagger.session, tagger.tokenizer, hot)], list(read(SEEDS[4:9])), other, {})
    read_as = {
        order: _mixture(
            config(tmp_path, tmp_path, small_encoder, silver=list(order), window=2000), [], TOKENIZER, SCHEMA
        )
        for order in ((str(silver), str(other)), (str(other), str(silver)), (str(silver),), (str(other),))
    }
    assert [len(mixture.silver) for mixture in read_as.values()] == [9, 9, 6, 5]
    both, turned, first, second = (
        sum(window["tags"].max(-1).sum() for window in mixture.silver) for mixture in read_as.values()
    )
    assert first < both < first + second
    assert turned < both  # the hot one is less certain of the two texts that both hold


def test_a_student_trains_on_both_and_its_card_says_so(
    silver: Path, small_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build({"train": SEEDS[6:10], "validation": SEEDS[10:12]}, tmp_path / "data", SCHEMA, TOKENIZER)
    alone = train(config(tmp_path / "data", tmp_path / "alone", small_encoder, epochs=1))
    both = train(config(tmp_path / "data", tmp_path / "both", small_encoder, epochs=1, silver=[str(silver)]))
    assert alone is not None and both is not None
    run = json.loads((tmp_path / "both" / "run.json").read_text())
    assert run["silver"] == [{"teacher": "the shipped model"}]
    assert "the shipped model" in (tmp_path / "both" / "README.md").read_text()
    steps = {
        name: json.loads((tmp_path / name / "run.json").read_text())["config"]["silver"] for name in ("alone", "both")
    }
    assert steps == {"alone": [], "both": [str(silver)]}


class TestScores:
    def test_a_threshold_leaves_out_what_scores_less_and_its_links(self, tagger: Tagger, seed: Document) -> None:
        every = tagger.predict(seed)
        some = tagger.predict(seed, threshold=0.8)
        actors = tagger.predict(seed, threshold={"actor": 0.8})
        assert {(s.label, s.start, s.end) for s in some.spans} == {
            (s.label, s.start, s.end)
            for s in every.spans
            if s.score >= 0.8  # type: ignore[operator]
        }
        assert 0 < len(some.spans) < len(actors.spans) < len(every.spans)
        assert all(s.score >= 0.8 for s in actors.spans if s.label == "actor")  # type: ignore[operator]
        assert len(some.links) <= len(every.links)

    @pytest.mark.parametrize(
        ("threshold", "message"),
        [({"actors": 0.5}, "threshold for 'actors'"), (1.5, "between 0 and 1"), (-1, "between")],
    )
    def test_a_wrong_threshold_is_said_before_anything_is_read(
        self, tagger: Tagger, threshold: float | dict[str, float], message: str
    ) -> None:
        with pytest.raises(AttackspanError, match=message):
            tagger.predict(iter(["text"]), threshold=threshold)

    def test_calibration_moves_scores_and_no_span(self, tagger: Tagger, seed: Document) -> None:
        slope, offset = 0.5, -1.0
        changed = Tagger(
            tagger.session,
            tagger.tokenizer,
            replace(tagger.settings, calibration=dict.fromkeys(SCHEMA.names, (slope, offset))),
        )
        plain = Tagger(tagger.session, tagger.tokenizer, replace(tagger.settings, calibration={}))
        for span, moved in zip(plain.predict(seed).spans, changed.predict(seed).spans, strict=True):
            assert (span.label, span.start, span.end) == (moved.label, moved.start, moved.end)
            if 0.001 < span.score < 0.999:  # type: ignore[operator]
                expected = slope * math.log(span.score / (1 - span.score)) + offset  # type: ignore[operator]
                assert moved.score == pytest.approx(1 / (1 + math.exp(-expected)), abs=5e-3)


def test_scores_of_the_shipped_model_mean_what_they_say_on_unseen_seeds(tagger: Tagger) -> None:
    from attackspan.eval.calibration import calibration
    from attackspan.eval.matching import pair

    gold = list(read([ROOT / "seeds" / "dev"]))
    found = calibration(list(pair(gold, list(tagger.predict(gold)), SCHEMA)), SCHEMA)
    assert found is not None and found.error < 0.1


def test_distil_from_the_command_line_says_what_it_read(tmp_path: Path) -> None:
    from test_cli import run

    write(list(read(SEEDS[:3])), tmp_path / "texts.jsonl")
    model = attackspan.model.checkpoint.DEFAULT
    write_to = ("--sample", 2, "--teacher", model, "-o")
    done = run("distil", tmp_path / "texts.jsonl", *write_to, tmp_path / "s.parquet")
    assert done.returncode == 0, done.stderr
    told = facts(tmp_path / "s.parquet", SCHEMA)
    assert told["documents"] == 2 and list(told["teachers"]) == [str(model)]
    wrong = run("distil", tmp_path / "texts.jsonl", *write_to, tmp_path / "s.txt")
    assert wrong.returncode == 2 and b".parquet" in wrong.stderr
