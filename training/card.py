"""The model card: what a checkpoint was trained on, how, with what figures, for whom."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from attackspan.document import Document
from attackspan.eval.evaluate import f1_and_interval, to_markdown
from attackspan.eval.metrics import Scores
from attackspan.eval.slices import Slice

_LIBRARIES = ("attackspan", "torch", "transformers", "onnxruntime", "tokenizers")
_DIMENSIONS = ("source", "length in words", "position")


def model_card(
    run: Mapping[str, Any],
    splits: Mapping[str, Sequence[Document]],
    scores: Scores | None,
    reference: Scores | None,
    parts: Sequence[Slice],
    agreement: float,
    history: Sequence[Mapping[str, float]],
    seconds: float,
    bf16: bool,
) -> str:
    """The card in Markdown, with the hub's front matter.

    Args:
        run: the configuration and the data's hash, as in ``run.json``.
        splits: the documents that it was trained and chosen on.
        scores: the int8 export's figures on the validation split, if there is one.
        reference: the same of the torch model in fp32.
        parts: the export's figures on parts of that split; those by source, length and position are shown.
        agreement: share of the validation split's spans that torch and int8 have in common.
        history: the Trainer's evaluations, one an epoch.
        seconds: from the start of the run (its last start, where it was resumed) to the end of the export.
        bf16: whether it trained under bf16 autocast.
    """
    config = run["config"]
    words = sum(len(document.text.split()) for document in splits["train"])
    lines = [
        "---",
        _metadata(config, scores),
        "---",
        "",
        "# attackspan model",
        "",
        "Labels spans in news about attacks, with their attributes and the links between them. Use it with",
        '`attackspan.load("this folder").predict(texts)`.',
        "",
        "## Data",
        "",
        f"{len(splits['train'])} training documents ({words} words), {len(splits['validation'])} for validation; "
        f"sha256 of both together `{run['data_sha256']}`.",
        "",
        *(line for told in run.get("silver", ()) for line in (_silver(told), "")),
        "## Training",
        "",
        f"On {date.today()}, {seconds / 60:.1f} minutes on {_machine()}, {'bf16 autocast' if bf16 else 'float32'}. "
        + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
        + ".",
        "",
        "| key | value |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in config.items()),
    ]
    if scores is not None and reference is not None:
        strict, overlap = (side.micro.counts.f1 for side in (reference.labels.strict, reference.labels.overlap))
        lines += [
            "",
            "## Figures",
            "",
            f"The int8 export on the validation split, one seed ({config['seed']}). The epoch was chosen, and the "
            "scores were calibrated, on this same split, so expect a little less on other news of its kind.",
            "",
            to_markdown(scores).strip(),
            "",
            "| part | documents | spans | strict F1 [95 %] | overlap F1 [95 %] |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_row(part) for part in parts if part.dimension in _DIMENSIONS),
            "",
            f"The torch model in fp32 reaches {100 * strict:.1f} strict and {100 * overlap:.1f} overlap micro F1; "
            f"it and the export share {100 * agreement:.1f} % of their spans.",
            "",
            "| epoch | strict F1 | overlap F1 |",
            "|---:|---:|---:|",
            *(f"| {e['epoch']:.0f} | {100 * e['eval_f1']:.1f} | {100 * e['eval_overlap_f1']:.1f} |" for e in history),
        ]
    lines += [
        "",
        "## Limits",
        "",
        "It reads what a text says and does not know what is true: an attribution that it finds is somebody's claim.",
        "It misses spans and finds wrong ones at the rates above, more often in text unlike its training data (other",
        "languages, social media, law, history). Do not use it to accuse, target or decide about people; have a person",
        "read the sentence behind every span that matters.",
    ]
    return "\n".join(lines) + "\n"


def _row(part: Slice) -> str:
    figures = f"{f1_and_interval(part.strict)} | {f1_and_interval(part.overlap)}"
    return f"| {part.dimension}: {part.value} | {part.documents} | {part.strict.counts.gold} | {figures} |"


def _metadata(config: Mapping[str, Any], scores: Scores | None) -> str:
    """The hub's YAML, with the figures as its ``model-index``: shares in [0, 1]."""
    results = []
    if scores is not None:
        strict, overlap = (side.micro.counts for side in (scores.labels.strict, scores.labels.overlap))
        data = Path(config["data"]).name
        results = [
            EvalResult(
                task_type="token-classification",
                dataset_type=data,
                dataset_name=data,
                dataset_split="validation",
                metric_type=kind,
                metric_name=f"{criterion} micro {kind}",
                metric_value=round(value, 4),
            )
            for criterion, kind, value in (
                ("strict", "f1", strict.f1),
                ("strict", "precision", strict.precision),
                ("strict", "recall", strict.recall),
                ("overlap", "f1", overlap.f1),
            )
        ]
    return ModelCardData(
        library_name="attackspan",
        license="apache-2.0",
        pipeline_tag="token-classification",
        tags=["span-labelling", "conflict", "news", "attribution"],
        model_name=Path(config["output"]).name if results else None,
        eval_results=results or None,
    ).to_yaml()


def _silver(facts: Mapping[str, Any]) -> str:
    return (
        "Texts as teachers read them (`attackspan distil`; of those marked here, half of each tag is theirs): "
        + "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    )


def _machine() -> str:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    name = torch.cpu.get_capabilities().get("cpu_name") or platform.machine()
    return f"{os.cpu_count()} cores of {name}"
