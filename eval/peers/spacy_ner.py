"""spaCy's ``ner`` for each label, since one cannot hold nested spans: blank English with a tok2vec of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import spacy
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from spacy.util import filter_spans
from thinc.api import fix_random_seed

from attackspan.document import Document
from attackspan.eval.peers.adapter import Predict, Settings, main, say
from attackspan.eval.peers.found import Found, labelled
from attackspan.schema import default_schema

EPOCHS = 4
LABELS = default_schema().names
BATCH_WORDS = 1000
DROPOUT = 0.1


def train(documents: Sequence[Document], folder: Path, settings: Settings) -> None:
    """Train one pipeline after the other."""
    for label in LABELS:
        _train_one(label, documents, folder / label, settings)


def load(folder: Path) -> Predict:
    """The pipelines of a folder as one predictor."""
    pipelines = [spacy.load(folder / label) for label in LABELS]

    def predict(documents: Sequence[Document]) -> Iterator[Document]:
        texts = [document.text for document in documents]
        for document, *parsed in zip(documents, *(nlp.pipe(texts) for nlp in pipelines), strict=True):
            found = [Found(ent.label_, ent.start_char, ent.end_char) for doc in parsed for ent in doc.ents]
            yield labelled(document, found)

    return predict


def _train_one(label: str, documents: Sequence[Document], folder: Path, settings: Settings) -> None:
    fix_random_seed(settings.seed)
    nlp = spacy.blank("en")
    ner: Any = nlp.add_pipe("ner")
    ner.add_label(label)
    examples = [_example(nlp, document, label) for document in documents]
    optimizer = nlp.initialize(lambda: examples)
    for epoch in range(round(settings.epochs)):
        random.shuffle(examples)
        losses: dict[str, float] = {}
        for batch in minibatch_by_words(examples, size=BATCH_WORDS):
            nlp.update(batch, sgd=optimizer, drop=DROPOUT, losses=losses)
        say(f"{label}, epoch {epoch + 1}: loss {losses['ner']:.0f}")
    with nlp.use_params(optimizer.averages):
        nlp.to_disk(folder)


def _example(nlp: Any, document: Document, label: str) -> Example:
    gold = nlp.make_doc(document.text)
    spans = [gold.char_span(one.start, one.end, label, alignment_mode="expand") for one in document.spans
             if one.label == label]  # fmt: skip
    gold.ents = filter_spans([span for span in spans if span is not None])
    return Example(nlp.make_doc(document.text), gold)


if __name__ == "__main__":
    main(load, train, EPOCHS)
