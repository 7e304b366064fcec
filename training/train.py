"""Fine-tune an encoder on a built dataset: read the data, train, calibrate, export, write the checkpoint.

Runs on a CPU or a GPU, and unchanged under ``accelerate launch -m attackspan.training.train CONFIG [key=value …]``.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from attackspan.document import Document, data_hash
from attackspan.errors import AttackspanError
from attackspan.eval.bootstrap import RESAMPLES
from attackspan.eval.evaluate import show
from attackspan.eval.matching import pair
from attackspan.eval.metrics import Scores, score
from attackspan.eval.slices import Slice, slices
from attackspan.model.bf16 import bf16_here
from attackspan.model.checkpoint import MANIFEST, alone, last_whole_epoch, read_json, write_manifest
from attackspan.model.export import export
from attackspan.model.network import AttackspanConfig, AttackspanModel
from attackspan.model.predictor import Settings, Tagger
from attackspan.model.session import OnnxSession
from attackspan.model.tokens import Tokenizer
from attackspan.model.torch_session import TorchSession
from attackspan.schema import Schema
from attackspan.textfiles import replacing
from attackspan.training.attention import use_bf16_products
from attackspan.training.batches import TokenBatches
from attackspan.training.calibrate import calibration, temperatures
from attackspan.training.card import model_card
from attackspan.training.config import TrainConfig, load_config
from attackspan.training.dataset import load_dataset
from attackspan.training.distil import Silver, facts, read_silver
from attackspan.training.encoder import load_encoder
from attackspan.training.examples import Collator, Example, examples
from attackspan.training.guards import LossGuard, complaints, cut, spans_of, warn
from attackspan.training.mixture import Mixture, NextShare

SAMPLE = 16
"""Training windows that the int8 export is set up by."""
TRUST = 0.5
"""The teachers' part in the tags of a text that is marked too; a mark still counts for more than their doubt."""


def train(config: TrainConfig) -> Scores | None:
    """Train by the configuration and write the checkpoint folder ``config.output``.

    A run that was killed goes on from its last whole epoch when it is started again with the same configuration.

    Returns:
        The exported model's figures on the validation split; ``None`` where there is none, and on every process of a
        distributed run but the first.

    Raises:
        AttackspanError: no training data, spans that the encoder's tokens cannot hold, or an output folder that holds a
            finished model or a run of another configuration.
    """
    began = time.monotonic()
    splits, schema = load_dataset(config.data)
    if not splits["train"]:
        raise AttackspanError(f"{config.data}: no training documents")
    output = Path(config.output)
    run: dict[str, Any] = {
        "config": asdict(config),
        "data_sha256": data_hash([*splits["train"], *splits["validation"]]),
    }
    if config.silver:
        run["silver"] = [facts(Path(path), schema) for path in config.silver]
    if not _first_process():
        return _train(config, splits, schema, run, began)
    _claim(output, run)
    with alone(output):
        return _train(config, splits, schema, run, began)


def _train(
    config: TrainConfig, splits: Mapping[str, list[Document]], schema: Schema, run: Mapping[str, Any], began: float
) -> Scores | None:
    output = Path(config.output)
    set_seed(config.seed)
    encoder, tokenizer = load_encoder(config.encoder)
    network = AttackspanModel(_network_config(config, schema, encoder.config.to_dict()))
    network.encoder.load_state_dict(encoder.state_dict(), strict=False)
    if not torch.cuda.is_available():
        use_bf16_products(network.encoder, torch.tensor([tokenizer.encode(["Gunmen attacked."])[0].ids.tolist()]))
    mixture = _mixture(config, splits["train"], tokenizer, schema)
    collator = Collator(tokenizer.pad_id, config.window + len(tokenizer.prefix) + len(tokenizer.suffix))
    processes = int(os.environ.get("WORLD_SIZE", "1"))  # torchrun and accelerate say so
    batches = TokenBatches(mixture, config.batch_size, config.seed, _process(), processes)
    callbacks: list[TrainerCallback] = [NextShare(mixture), LossGuard()]
    if splits["validation"]:
        callbacks.append(EarlyStoppingCallback(config.patience))
    trainer = SpanTrainer(
        model=network,
        args=_arguments(config, output, bool(splits["validation"]), len(batches)),
        train_dataset=mixture,
        eval_dataset=splits["validation"] or None,
        data_collator=collator,
        optimizers=(_optimizer(network, config), None),
        callbacks=callbacks,
    )
    trainer.batches = batches
    trainer.network, trainer.tokenizer, trainer.gold = network, tokenizer, splits["validation"]
    trainer.trained = spans_of(splits["train"])
    trainer.train(resume_from_checkpoint=last_whole_epoch(output / "epochs"))
    if not trainer.is_world_process_zero():
        return None

    network.config.temperatures = temperatures(_tagger(network, tokenizer), splits["validation"])
    network.config.calibration = calibration(_tagger(network, tokenizer), splits["validation"])
    reference = list(_tagger(network, tokenizer).predict(splits["validation"]))
    network.save_pretrained(output)
    tokenizer.backend.save(str(output / "tokenizer.json"))
    export(network, output, collator(mixture.gold[:SAMPLE]))
    exported = list(Tagger(OnnxSession(output), tokenizer, _settings(network)).predict(splits["validation"]))
    scores = torch_scores = None
    parts: list[Slice] = []
    if splits["validation"]:
        scores, torch_scores = (score(splits["validation"], found, schema) for found in (exported, reference))
        pairs = pair(splits["validation"], exported, schema)
        parts = slices(pairs, schema, tokenizer, splits["train"], config.seed, RESAMPLES)
    history = [entry for entry in trainer.state.log_history if "eval_f1" in entry]
    card = model_card(
        run,
        splits,
        scores,
        torch_scores,
        parts,
        agreement(reference, exported),
        history,
        time.monotonic() - began,
        trainer.args.bf16,
    )
    (output / "README.md").write_text(card, "utf-8")
    write_manifest(output)  # last: a folder with a manifest is a whole checkpoint
    shutil.rmtree(output / "epochs", ignore_errors=True)
    return scores


class SpanTrainer(Trainer):
    """transformers' Trainer, with batches of as many tokens each, evaluating by the very path that predicts."""

    batches: TokenBatches
    network: AttackspanModel
    tokenizer: Tokenizer
    gold: Sequence[Document]
    trained: Mapping[str, int]

    def get_train_dataloader(self) -> DataLoader[Example]:
        """The batches of this process; the Trainer asks for them."""
        return DataLoader(
            self.batches.mixture,
            batch_sampler=self.batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Strict and overlap micro F1 on the validation documents, in points of 1."""
        tagger = _tagger(self.network, self.tokenizer, self.args.bf16)
        scores = score(self.gold, list(tagger.predict(self.gold)), tagger.schema)
        if self.is_world_process_zero():
            warn(complaints(scores, self.trained))
        metrics = {
            "eval_f1": scores.labels.strict.micro.counts.f1,
            "eval_overlap_f1": scores.labels.overlap.micro.counts.f1,
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def agreement(reference: Sequence[Document], exported: Sequence[Document]) -> float:
    """Share of all spans (label and offsets) that the torch model and its int8 export have in common; 1 where none."""
    pairs = [
        ({(s.label, s.start, s.end) for s in a.spans}, {(s.label, s.start, s.end) for s in b.spans})
        for a, b in zip(reference, exported, strict=True)
    ]
    total = sum(len(a) + len(b) for a, b in pairs)
    return 2 * sum(len(a & b) for a, b in pairs) / total if total else 1.0


def _process() -> int:
    return int(os.environ.get("RANK", "0"))  # torchrun and accelerate number their processes


def _first_process() -> bool:
    return _process() == 0


def _claim(output: Path, run: dict[str, Any]) -> None:
    """Take the output folder for this run, or for going on with it."""
    if (output / MANIFEST).exists():
        raise AttackspanError(f"{output}: holds a finished model; choose another output=")
    record = output / "run.json"
    if record.exists():
        if read_json(record) != run:
            raise AttackspanError(f"{output}: holds a run with another configuration or data; choose another output=")
    elif output.exists() and any(output.iterdir()):
        raise AttackspanError(f"{output}: not empty, and no training run; choose another output=")
    output.mkdir(parents=True, exist_ok=True)
    with replacing(record) as file:
        file.write(f"{json.dumps(run, indent=2)}\n".encode())


def _mixture(config: TrainConfig, gold: Sequence[Document], tokenizer: Tokenizer, schema: Schema) -> Mixture:
    size, overlap = config.window, config.overlap
    silver = _read_once(config.silver, schema)
    marked = []
    for document in gold:
        read = silver.pop(document.text, None)
        marked += examples(document, tokenizer, schema, size, overlap, read.tags if read else None, TRUST)
    if _first_process() and (lost := sum(len(cut(document, tokenizer, size, overlap)) for document in gold)):
        warn([f"{lost} spans lie across the windows' cuts: their attributes and links are not learnt (raise overlap)"])
    unmarked = [
        window
        for one in silver.values()
        for window in examples(one.document, tokenizer, schema, size, overlap, one.tags)
    ]
    return Mixture(marked, unmarked, math.ceil(config.epochs))


def _read_once(paths: Sequence[str], schema: Schema) -> dict[str, Silver]:
    """Each silver text, as the first file that has it reads it."""
    silver: dict[str, Silver] = {}
    for path in paths:
        for one in read_silver(Path(path), schema):
            silver.setdefault(one.document.text, one)
    return silver


def _network_config(config: TrainConfig, schema: Schema, encoder: dict[str, Any]) -> AttackspanConfig:
    limit = encoder.get("max_position_embeddings") or math.inf
    if config.window + 2 > limit:
        raise AttackspanError(f"window={config.window}: the encoder reads {limit} tokens with its special ones")
    # Dropout between tokens keeps torch from its fused attention kernel, which makes a step on a CPU many times slower.
    no_dropout: dict[str, Any] = {
        name: 0.0 for name in ("attention_probs_dropout_prob", "attention_dropout") if name in encoder
    }
    return AttackspanConfig(
        encoder_config={**encoder, **no_dropout},
        label_schema=schema.to_dict(),
        feature_size=config.feature_size,
        dropout=config.dropout,
        window=config.window,
        overlap=config.overlap,
    )


def _optimizer(network: AttackspanModel, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW with a higher rate for the heads, which start from nothing; no decay for biases and norms."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        groups.setdefault((name.startswith("encoder."), parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": config.learning_rate if in_encoder else config.head_learning_rate,
                "weight_decay": config.weight_decay if decays else 0.0,
            }
            for (in_encoder, decays), parameters in groups.items()
        ],
        fused=True,
    )


def _arguments(config: TrainConfig, output: Path, evaluate: bool, steps: int) -> TrainingArguments:
    if config.tensorboard:
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(output / "tensorboard")
    return TrainingArguments(
        output_dir=str(output / "epochs"),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        lr_scheduler_type="linear",
        warmup_steps=int(config.warmup * steps * config.epochs),
        max_grad_norm=1.0,
        bf16=config.precision == "bf16" or (config.precision == "auto" and bf16_here()),
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        eval_strategy="epoch" if evaluate else "no",
        save_strategy="epoch",
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,
        load_best_model_at_end=evaluate,
        metric_for_best_model="f1" if evaluate else None,
        logging_steps=max(1, steps // 4),
        logging_nan_inf_filter=False,  # LossGuard wants to see them
        report_to="tensorboard" if config.tensorboard else "none",
        remove_unused_columns=False,
        label_names=["tags"],
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _tagger(network: AttackspanModel, tokenizer: Tokenizer, bf16: bool = False) -> Tagger:
    network.eval()
    return Tagger(TorchSession(network, bf16), tokenizer, _settings(network))


def _settings(network: AttackspanModel) -> Settings:
    return Settings.from_config(network.config.to_dict(), "the network")


def main(arguments: Sequence[str]) -> None:
    """Train by a configuration file and overrides, and print the final table."""
    config = load_config(Path(arguments[0]), arguments[1:])
    scores = train(config)
    if scores is not None:
        show(scores)
    if _first_process():
        print(f"model written to {config.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
