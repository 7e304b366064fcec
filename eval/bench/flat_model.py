"""The other sides of the benchmarks: a flat token classifier on the same encoder, and spaCy's ner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.training import Example
from spacy.util import filter_spans
from transformers import AutoModelForTokenClassification, AutoTokenizer

from attackspan.document import Document
from attackspan.training.encoder import packaged_encoder

LABELS = [
    "O",
    *(f"{prefix}-{label}" for label in ("actor", "attack", "attribution", "condemnation") for prefix in "BI"),
]


def save_flat_model(folder: Path, window: int = 256) -> None:
    """Write a fp32 checkpoint of the packaged encoder with a token classifier that says O everywhere.

    Its weights do not matter for its speed; that it finds no span spares it all work of building entities.
    """
    model = AutoModelForTokenClassification.from_pretrained(
        packaged_encoder(),
        dtype=torch.float32,
        id2label=dict(enumerate(LABELS)),
        label2id={n: i for i, n in enumerate(LABELS)},
    )
    with torch.no_grad():
        model.classifier.bias[0] = 100.0
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(packaged_encoder(), model_max_length=window).save_pretrained(folder)


def trained_spacy(documents: list[Document], updates: int = 20) -> Any:
    """spaCy's English tokenizer with an ``ner`` trained for a few updates on documents: enough to find spans at all.

    It is flat, so of spans that nest it gets the longest.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    examples = []
    for document in documents:
        text = nlp.make_doc(document.text)
        spans = [text.char_span(one.start, one.end, one.label, alignment_mode="expand") for one in document.spans]
        text.ents = filter_spans([span for span in spans if span])
        examples.append(Example(nlp.make_doc(document.text), text))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(updates):
        nlp.update(examples, sgd=optimizer)
    return nlp
