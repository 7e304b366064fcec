"""Documents in, a model out: the builder, the examples and a small real training run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from samples import ROOT, SEED
from transformers import AutoConfig, AutoModel

import attackspan
from attackspan.document import Document, Span, data_hash
from attackspan.errors import AttackspanError
from attackspan.eval.bench.gradients import main as gradients
from attackspan.formats import read, write
from attackspan.model.checkpoint import sha256
from attackspan.model.network import IGNORED, AttackspanConfig, AttackspanModel
from attackspan.model.predictor import Settings, Tagger
from attackspan.model.tokens import Tokenizer
from attackspan.model.torch_session import TorchSession
from attackspan.model.viterbi import decode
from attackspan.schema import default_schema
from attackspan.training.build import build, near_duplicates, split
from attackspan.training.config import TrainConfig, load_config
from attackspan.training.dataset import load_dataset
from attackspan.training.encoder import load_encoder, load_tokenizer
from attackspan.training.examples import Collator, examples
from attackspan.training.train import agreement, train

SEEDS = [SEED, *sorted((ROOT / "seeds").glob("*/as-[ab]*.xml"), key=lambda path: path.name)]
SCHEMA = default_schema()
TOKENIZER = load_tokenizer("packaged")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("data") / "seeds"
    build({"all": SEEDS}, output, SCHEMA, TOKENIZER)
    return output


@pytest.fixture(scope="session")
def trained(dataset: Path, small_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "seeds"
    train(config(dataset, output, small_encoder))
    return output


def config(dataset: Path, output: Path, encoder: Path, **changes: object) -> TrainConfig:
    settings = {"epochs": 2, "window": 100, "overlap": 20, "precision": "fp32", "learning_rate": 1e-3, **changes}
    overrides = [f"{key}={value}" for key, value in settings.items()]
    return load_config(
        ROOT / "configs" / "default.yaml", [f"data={dataset}", f"output={output}", f"encoder={encoder}", *overrides]
    )


class TestBuild:
    def test_every_document_is_in_one_split_as_it_was(self, dataset: Path) -> None:
        splits, schema = load_dataset(dataset)
        assert schema == SCHEMA
        together = [document for documents in splits.values() for document in documents]
        assert sorted(together, key=lambda d: d.id) == sorted(read(SEEDS), key=lambda d: d.id)
        assert all(splits.values())

    def test_the_same_seed_gives_the_same_split(self) -> None:
        documents = list(read(SEEDS))
        assert split(documents, (0.2, 0.1), 5) == split(documents, (0.2, 0.1), 5)
        assert split(documents, (0.2, 0.1), 5) != split(documents, (0.2, 0.1), 6)
        assert [len(part) for part in split(documents, (0.2, 0.12), 5).values()] == [17, 5, 3]

    def test_near_duplicates_stay_on_one_side(self) -> None:
        documents = list(read(SEEDS))
        copies = [Document(f"{one.id}-copy", one.text.replace(" was ", " is "), source=one.source) for one in documents]
        pairs = set(near_duplicates([*documents, *copies]))
        assert {(one.id, f"{one.id}-copy") for one in documents} <= pairs
        assert not near_duplicates(documents)
        for part in split([*documents, *copies], (0.3, 0.3), 1).values():
            ids = {document.id for document in part}
            assert {f"{name}-copy" for name in ids if not name.endswith("-copy")} <= ids

    def test_given_splits_are_taken_as_they_are_and_what_they_share_is_told(
        self, tmp_path: Path, seed: Document
    ) -> None:
        write([replace(seed, id="twin")], tmp_path / "twin.jsonl")
        built = build({"train": SEEDS, "validation": [tmp_path / "twin.jsonl"]}, tmp_path / "data", SCHEMA, TOKENIZER)
        assert {name: len(part) for name, part in built.splits.items()} == {"train": 25, "validation": 1}
        assert built.straddling == [(seed.id, "twin")]
        assert f"- {seed.id} and twin" in (tmp_path / "data" / "README.md").read_text()

    def test_the_card_counts(self, dataset: Path) -> None:
        card = (dataset / "README.md").read_text()
        counts = dict(line.strip("| \n").split(" | ", 1) for line in card.splitlines() if line.startswith("| "))
        for label in SCHEMA.names:
            total = sum(span.label == label for document in read(SEEDS) for span in document.spans)
            assert sum(map(int, counts[label].split(" | "))) == total
        splits, _ = load_dataset(dataset)
        assert data_hash(d for documents in splits.values() for d in documents) in card
        assert len(json.loads((dataset / "build.json").read_text())["inputs_sha256"]) == 25

    def test_both_files_of_a_brat_pair_are_hashed(self, tmp_path: Path, seed: Document) -> None:
        write([seed], tmp_path / "a.ann")
        build({"train": [tmp_path / "a.ann"]}, tmp_path / "data", SCHEMA, TOKENIZER)
        hashes = json.loads((tmp_path / "data" / "build.json").read_text())["inputs_sha256"]
        assert hashes == {str(path): sha256(path) for path in (tmp_path / "a.ann", tmp_path / "a.txt")}

    def test_spans_inside_tokens_are_all_listed_or_widened(self, tmp_path: Path) -> None:
        text = "Moscows raid and Damascuss reply"
        spans = (Span("a1", "actor", 0, 6, "Moscow"), Span("a2", "actor", 17, 25, "Damascus"))
        write([Document("d", text, spans), Document("e", text, spans[:1])], tmp_path / "d.jsonl")
        inputs = {"train": [tmp_path / "d.jsonl"]}
        small = load_tokenizer("packaged")
        small.backend.normalizer = None  # cased words are unknown to the vocabulary, so each is one token
        with pytest.raises(AttackspanError, match=r"3 spans .*d: actor 'a1' \[0:6\].*d: actor 'a2' .*; e: actor 'a1'"):
            build(inputs, tmp_path / "data", SCHEMA, small)
        assert not (tmp_path / "data").exists()
        built = build(inputs, tmp_path / "data", SCHEMA, small, snap=True)
        assert len(built.snapped) == 3
        assert [s.text for s in load_dataset(tmp_path / "data")[0]["train"][0].spans] == ["Moscows", "Damascuss"]

    def test_what_cannot_be_built_is_an_error_and_leaves_nothing(self, tmp_path: Path, dataset: Path) -> None:
        with pytest.raises(AttackspanError, match="exists already"):
            build({"all": SEEDS}, dataset, SCHEMA, TOKENIZER)
        with pytest.raises(AttackspanError, match="too few to split in three"):
            build({"all": [SEED]}, tmp_path / "data", SCHEMA, TOKENIZER)
        with pytest.raises(AttackspanError, match="stands in 2 documents"):
            build({"train": [SEED], "test": [SEED]}, tmp_path / "data", SCHEMA, TOKENIZER)
        with pytest.raises(AttackspanError, match="no training documents"):
            build({"validation": [SEED]}, tmp_path / "data", SCHEMA, TOKENIZER)
        assert not list(tmp_path.iterdir())


class TestExamples:
    def test_the_gold_tags_decode_to_the_gold_spans(self, seed: Document) -> None:
        tokens = TOKENIZER.encode([seed.text])[0]
        (example,) = examples(seed, TOKENIZER, SCHEMA, 2000, 0)
        tags = example["tags"][1:-1]
        logits = (9.0 * tags).astype(np.float32)
        found = {
            (label, tokens.starts[start], tokens.ends[stop - 1])
            for label, spans in zip(SCHEMA.names, decode([logits])[0], strict=True)
            for start, stop, _ in spans
        }
        assert found == {(span.label, span.start, span.end) for span in seed.spans}
        assert not example["tags"][[0, -1]].any()

    def test_targets_are_those_of_the_document(self, seed: Document) -> None:
        (example,) = examples(seed, TOKENIZER, SCHEMA, 2000, 0)
        kinds = dict(SCHEMA.attributes)[SCHEMA["attack"]].names
        expected = [kinds.index(span.attributes["kind"]) for span in seed.spans if span.label == "attack"]
        assert [value for value in example["attributes"][:, 0] if value != IGNORED] == expected
        assert (example["links"] == 1).sum() == len(seed.links)

    def test_windows_together_hold_every_span_that_a_cut_does_not_split(self, seed: Document) -> None:
        made = examples(seed, TOKENIZER, SCHEMA, 100, 40)
        assert len(made) > 5
        assert sum(len(one["spans"]) for one in made) >= len(seed.spans)

    def test_a_batch_lays_spans_over_its_tokens_in_a_row(self, seed: Document) -> None:
        made = examples(seed, TOKENIZER, SCHEMA, 60, 20)
        batch = Collator(0, 62)(made)
        flat = batch["input_ids"].flatten()
        expected = [example["input_ids"][start:stop] for example in made for start, stop in example["spans"].tolist()]
        assert [flat[start:stop].tolist() for start, stop in batch["spans"].tolist()] == expected
        labels = [example["spans"][pair].tolist() for example in made for pair in example["pairs"]]
        offsets = batch["spans"][batch["pairs"]]
        widths = (offsets[..., 1] - offsets[..., 0]).tolist()
        assert widths == [[b - a for a, b in pair] for pair in labels]


def test_the_pull_of_each_head_on_the_encoder_is_measured(trained: Path, dataset: Path) -> None:
    shown = CliRunner().invoke(gradients, [str(trained), str(dataset), "--batches", "2"])
    assert shown.exit_code == 0, shown.output
    (row,) = [line for line in shown.output.splitlines() if line.startswith("| gold")]
    figures = [float(figure) for figure in re.findall(r"[\d.]+", row)]
    assert len(figures) == 6 and min(figures) > 0


class TestConfig:
    @pytest.mark.parametrize(
        ("overrides", "message"),
        [
            (["colour=red"], "colour"),
            (["epochs=many"], "epochs: .*many"),
            (["silver={a: 1}"], "override: "),
            (["silver=one.parquet"], r"silver: .*a list is written \[one,other\]"),
            (["precision=fp8"], "precision has to be one of auto, fp32, bf16"),
            (["overlap=400"], "overlap has to be"),
            (["batch_size=0"], "batch_size has to be above 0"),
            (["epochs"], "'epochs': an override is written key=value"),
        ],
    )
    def test_a_wrong_value_or_key_is_an_error_that_names_it(self, overrides: list[str], message: str) -> None:
        with pytest.raises(AttackspanError, match=message) as caught:
            load_config(ROOT / "configs" / "default.yaml", overrides)
        assert "\n" not in str(caught.value)

    def test_a_wrong_file_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        for content in ("data: [", "nope: 1", "data: x"):
            (tmp_path / "c.yaml").write_text(content)
            with pytest.raises(AttackspanError, match=r"c\.yaml"):
                load_config(tmp_path / "c.yaml")
        with pytest.raises(AttackspanError, match=r"none\.yaml"):
            load_config(tmp_path / "none.yaml")


class TestTrain:
    def test_the_checkpoint_holds_everything_and_nothing_else(self, trained: Path) -> None:
        assert {path.name for path in trained.iterdir()} == {
            *("README.md", "config.json", "encoder.onnx", "manifest.json", "model.safetensors", "relations.onnx"),
            *("run.json", "tokenizer.json"),
        }
        assert "strict F1" in (trained / "README.md").read_text()
        settings = json.loads((trained / "config.json").read_text())
        assert set(settings["temperatures"]) == set(SCHEMA.names)
        roles = {f"{label.name}.{role.name}" for label, role in SCHEMA.roles}
        assert roles <= set(settings["calibration"]) <= {*SCHEMA.names, *roles}

    def test_the_export_computes_what_torch_computes(self, trained: Path, seed: Document) -> None:
        assert isinstance(AutoConfig.from_pretrained(trained), AttackspanConfig)
        network = AutoModel.from_pretrained(trained, dtype=torch.float32).eval()
        assert isinstance(network, AttackspanModel)
        exported = attackspan.load(trained)
        tokens = exported.tokenizer.encode([seed.text])
        reference = Tagger(TorchSession(network), exported.tokenizer, exported.settings)
        for ours, theirs in zip(exported.encode(tokens), reference.encode(tokens), strict=True):
            assert np.corrcoef(ours[0].ravel(), theirs[0].ravel())[0, 1] > 0.98
        states, ranges, pairs = theirs[0], np.array([[0, 3], [5, 6], [9, 12]]), np.array([[0, 1], [2, 0]])
        for left, right in zip(
            exported.session.relate(states, ranges, pairs), reference.session.relate(states, ranges, pairs), strict=True
        ):
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)

    def test_the_network_runs_under_torch_on_a_device_by_name(self, trained: Path, seed: Document) -> None:
        assert attackspan.load(trained, device="meta").session is not None
        with pytest.raises(AttackspanError, match="device 'nowhere'"):
            attackspan.load(trained, device="nowhere")
        (trained / "model.safetensors").rename(trained / "away")
        with pytest.raises(AttackspanError, match=r"model\.safetensors"):
            attackspan.load(trained, device="cuda")
        (trained / "away").rename(trained / "model.safetensors")

    def test_a_finished_or_foreign_folder_is_left_alone(
        self, trained: Path, dataset: Path, small_encoder: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(AttackspanError, match="holds a finished model"):
            train(config(dataset, trained, small_encoder))
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(AttackspanError, match="not empty"):
            train(config(dataset, tmp_path, small_encoder))
        assert (tmp_path / "thesis.txt").read_text() == "mine"

    def test_it_learns_its_own_training_data(self, small_encoder: Path, tmp_path: Path) -> None:
        text = "Rebels shelled the depot. Nobody knew why the depot burned."
        spans = (
            Span("a1", "actor", 0, 6, "Rebels"),
            Span("t1", "attack", 7, 14, "shelled", None, {"kind": "shelling"}),
        )
        write([Document(str(n), text, spans) for n in range(8)], tmp_path / "d.jsonl")
        write([Document("v", text, spans)], tmp_path / "v.jsonl")
        inputs = {"train": [tmp_path / "d.jsonl"], "validation": [tmp_path / "v.jsonl"]}
        build(inputs, tmp_path / "data", SCHEMA, TOKENIZER)
        settings = config(tmp_path / "data", tmp_path / "run", small_encoder, epochs=40, patience=40, batch_size=4)
        scores = train(settings)
        assert scores is not None
        assert scores.labels.strict.micro.counts.f1 == 1.0
        assert scores.attributes["attack.kind"].value == 1.0

    def test_other_labels_from_conll_train_the_same_way(self, small_encoder: Path, tmp_path: Path) -> None:
        sentence = "Anna B-PER\nBell I-PER\nleft O\nOslo B-LOC\nfor O\nAcme B-ORG\n. O\n"
        (tmp_path / "ner.conll").write_text("\n-DOCSTART- O\n\n".join(f"{sentence}\nBye {n} O\n" for n in range(9)))
        command = [sys.executable, "-m", "attackspan", "build", "--train", "ner.conll", "-o", "data"]
        subprocess.run(command, cwd=tmp_path, check=True)
        assert load_dataset(tmp_path / "data")[1].names == ("LOC", "ORG", "PER")
        settings = config(tmp_path / "data", tmp_path / "run", small_encoder, epochs=40, batch_size=4)
        assert train(settings) is None  # there is no validation split
        document = attackspan.load(tmp_path / "run").predict("Anna Bell left Oslo for Acme .")
        assert [(span.label, span.text) for span in document.spans] == [
            ("PER", "Anna Bell"),
            ("LOC", "Oslo"),
            ("ORG", "Acme"),
        ]
        assert not document.statements()

    def test_a_killed_run_goes_on_to_the_same_weights(
        self, trained: Path, dataset: Path, small_encoder: Path, tmp_path: Path
    ) -> None:
        output = tmp_path / "killed"
        overrides = [f"{key}={getattr(config(dataset, output, small_encoder), key)}" for key in KEYS]
        command = [
            sys.executable,
            "-m",
            "attackspan.training.train",
            str(ROOT / "configs" / "default.yaml"),
            *overrides,
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not list(output.glob("epochs/checkpoint-*/trainer_state.json")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (output / "manifest.json").exists()
        with pytest.raises(AttackspanError, match="another configuration"):
            train(config(dataset, output, small_encoder, seed=99))
        subprocess.run(command, check=True, capture_output=True)
        ours, theirs = (AttackspanModel.from_pretrained(folder).state_dict() for folder in (output, trained))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)

    def test_no_data_is_an_error(self, small_encoder: Path, tmp_path: Path) -> None:
        with pytest.raises(AttackspanError, match="no dataset there; make one with: attackspan build"):
            train(config(tmp_path / "none", tmp_path / "run", small_encoder))
        with pytest.raises(AttackspanError, match=r"encoder .*nowhere"):
            load_tokenizer(str(tmp_path / "nowhere"))

    def test_a_checkpoint_of_ours_gives_its_encoder(self, trained: Path) -> None:
        encoder, tokenizer = load_encoder(str(trained))
        ours = AttackspanModel.from_pretrained(trained).encoder.state_dict()
        assert all(torch.equal(weights, ours[name]) for name, weights in encoder.state_dict().items())
        assert tokenizer.backend.to_str() == Tokenizer.load(trained / "tokenizer.json").backend.to_str()


KEYS = ("data", "output", "encoder", "epochs", "window", "overlap", "precision", "learning_rate")


def test_the_torch_model_and_its_settings_survive_saving(tmp_path: Path) -> None:
    network = AttackspanModel(
        AttackspanConfig(
            encoder_config={
                "model_type": "bert",
                "hidden_size": 24,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 32,
                "vocab_size": 99,
            },
            temperatures={"actor": 1.5},
            calibration={"actor": (1.5, 0.5)},
        )
    ).eval()
    network.save_pretrained(tmp_path)
    again = AttackspanModel.from_pretrained(tmp_path).eval()
    ids = torch.arange(6).reshape(2, 3)
    spans, pairs = torch.tensor([[0, 2], [3, 6]]), torch.tensor([[0, 1]])
    for name, value in network(ids, torch.ones_like(ids), spans=spans, pairs=pairs).items():
        torch.testing.assert_close(again(ids, torch.ones_like(ids), spans=spans, pairs=pairs)[name], value)
    assert Settings.from_config(again.config.to_dict(), "here") == Settings(
        SCHEMA, 382, 32, {"actor": 1.5}, {"actor": (1.5, 0.5)}
    )


def test_agreement_is_the_share_of_common_spans() -> None:
    spans = (Span("a1", "actor", 0, 1, "x"), Span("a2", "actor", 2, 3, "y"))
    both, one, none = (Document("d", "x y", part) for part in (spans, spans[:1], ()))
    assert agreement([both], [both]) == agreement([none], [none]) == 1.0
    assert agreement([both], [one]) == pytest.approx(2 / 3)
    assert agreement([both], [none]) == 0.0


def test_the_packaged_encoder_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    from attackspan.training import encoder

    monkeypatch.setattr(encoder, "PACKAGE_SHA256", "0" * 64)
    with pytest.raises(AttackspanError, match=r"model\.safetensors: altered"):
        encoder.packaged_encoder()
    monkeypatch.setattr(encoder, "PACKAGE", "no-such-package")
    with pytest.raises(AttackspanError, match="pip install no-such-package"):
        encoder.packaged_encoder()
