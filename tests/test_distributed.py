"""Training on several processes: ``accelerate launch`` takes the steps of one process with the same global batch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from samples import ROOT
from transformers import AutoConfig

from attackspan.document import Document, Link, Span
from attackspan.formats import write
from attackspan.model.checkpoint import verify
from attackspan.schema import default_schema
from attackspan.training.build import build
from attackspan.training.config import load_config
from attackspan.training.encoder import load_tokenizer
from attackspan.training.train import train

WORDS = [
    ("rebels", "bombed", "mayor"),
    ("soldiers", "attacked", "president"),
    ("police", "raided", "minister"),
    ("militia", "robbed", "governor"),
    ("fighters", "burned", "king"),
    ("troops", "destroyed", "pope"),
    ("pirates", "stormed", "senator"),
    ("prisoners", "invaded", "ambassador"),
]
KINDS = [value.name for value in default_schema()["attack"].attributes[0].values]


def document(number: int) -> Document:
    """A text with the same count of tokens, spans and links as every other, in other words."""
    actor, attack, speaker = WORDS[number]
    text = f"{actor} {attack} the city. the {speaker} condemned it."
    marked = [
        ("a1", "actor", actor, {}),
        ("t1", "attack", attack, {"kind": KINDS[number]}),
        ("a2", "actor", speaker, {}),
        ("c1", "condemnation", f"the {speaker} condemned it", {}),
    ]
    spans = tuple(
        Span(name, label, text.index(part), text.index(part) + len(part), part, None, attributes)
        for name, label, part, attributes in marked
    )
    return Document(f"d{number}", text, spans, (Link("by", "c1", "a2"), Link("attack", "c1", "t1")))


def losses(shown: str) -> list[float]:
    """The loss of each step, as the Trainer prints it."""
    return [float(loss) for loss in re.findall(r"'loss': '?([\d.]+)", shown)]


def test_two_processes_have_the_loss_of_one_with_the_same_global_batch(
    small_encoder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    encoder = tmp_path / "encoder"  # without dropout, which every process draws for itself
    encoder.mkdir()
    for path in small_encoder.iterdir():
        (encoder / path.name).write_bytes(path.read_bytes())
    AutoConfig.from_pretrained(encoder, hidden_dropout_prob=0.0).save_pretrained(encoder)
    documents = [document(number) for number in range(len(WORDS))]
    tokenizer = load_tokenizer("packaged")
    assert len({len(tokens) for tokens in tokenizer.encode([one.text for one in documents])}) == 1
    write(documents, tmp_path / "d.jsonl")
    build({"train": [tmp_path / "d.jsonl"]}, tmp_path / "data", default_schema(), tokenizer)

    path = ROOT / "configs" / "default.yaml"
    shared = [f"data={tmp_path / 'data'}", f"encoder={encoder}", "dropout=0", "epochs=3", "precision=fp32"]
    shared += ["window=100", "overlap=20"]
    train(load_config(path, [*shared, f"output={tmp_path / 'one'}", "batch_size=4"]))
    one = losses(capfd.readouterr().out)
    # On a machine without a GPU, too, --multi_gpu is what makes accelerate start more than one process.
    launch = ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    overrides = [*shared, f"output={tmp_path / 'two'}", "batch_size=2"]
    command = [sys.executable, "-m", *launch, "-m", "attackspan.training.train", str(path), *overrides]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    assert len(one) == 6
    assert one[-1] < 0.9 * one[0]
    assert losses(done.stdout) == pytest.approx(one, rel=1e-3)
    verify(tmp_path / "two", ["encoder.onnx", "model.safetensors"])  # written once, and whole
    assert done.stdout.count("model written to") == 1
