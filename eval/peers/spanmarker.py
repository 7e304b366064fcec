"""SpanMarker on the same encoder, sentence by sentence, flat: the inner label wins where spans nest.

SpanMarker scores every range of up to ``LONGEST`` words (``entity_max_length``), each by two marker tokens, so its time
grows with that length. Longer pieces of clauses are out of its reach; what it finds of a clause is joined.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from datasets import Dataset
from span_marker import SpanMarkerModel
from span_marker import Trainer as SpanMarkerTrainer
from transformers import TrainingArguments, set_seed

from attackspan.document import Document
from attackspan.eval.peers.adapter import Predict, Settings, main, say
from attackspan.eval.peers.bf16 import autocast
from attackspan.eval.peers.found import characters, labelled, ranges
from attackspan.eval.peers.tags import OUTSIDE, Piece, bio, join
from attackspan.eval.peers.words import Words
from attackspan.model.bf16 import bf16_here
from attackspan.schema import default_schema

EPOCHS = 0.4
LONGEST = 8
SENTENCE = 60  # words
TOKENS, MARKERS = 128, 64  # of a sentence; pairs of markers beside it
BATCH = 8
WARMUP = 50  # steps
LEARNING_RATE = 1e-4
LABELS = default_schema().names
STATEMENTS = tuple(label for label in LABELS if default_schema()[label].roles)
TAGS = (OUTSIDE, *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))


def train(documents: Sequence[Document], folder: Path, settings: Settings) -> None:
    """Fine-tune the encoder as a SpanMarker."""
    set_seed(settings.seed)
    model = SpanMarkerModel.from_pretrained(
        settings.encoder,
        labels=list(TAGS),
        model_max_length=TOKENS,
        marker_max_length=MARKERS,
        entity_max_length=LONGEST,
    )
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        weight_decay=0.01,
        warmup_steps=WARMUP,
        bf16=bf16_here(),
        use_cpu=True,
        seed=settings.seed,
        save_strategy="no",
        logging_steps=20,
        report_to="none",
        disable_tqdm=True,
    )
    rows: dict[str, list[object]] = {"tokens": [], "ner_tags": []}
    for document in documents:
        words = Words.of(document.text)
        tags = bio(len(words), ranges(document, words, LABELS))
        for first, stop in words.sentences(SENTENCE):
            rows["tokens"].append(_readable(words, first, stop))
            rows["ner_tags"].append([TAGS.index(tag) for tag in tags[first:stop]])
    say(f"{len(rows['tokens'])} sentences")
    trainer = SpanMarkerTrainer(model=model, args=arguments, train_dataset=Dataset.from_dict(rows))
    trainer.train()
    model.save_pretrained(folder, safe_serialization=True)


def load(folder: Path) -> Predict:
    """The model of a folder."""
    model = SpanMarkerModel.from_pretrained(str(folder)).eval()

    def predict(documents: Sequence[Document]) -> Iterator[Document]:
        for document in documents:
            words = Words.of(document.text)
            bounds = words.sentences(SENTENCE)
            with torch.inference_mode(), autocast():
                rows = model.predict([_readable(words, *bound) for bound in bounds], batch_size=BATCH)
            flat = [
                Piece(one["label"], first + one["word_start_index"], first + one["word_end_index"], one["score"])
                for (first, _), row in zip(bounds, rows, strict=True)
                for one in row
            ]
            yield labelled(document, characters(words, join(flat, STATEMENTS)))

    return predict


def _readable(words: Words, first: int, stop: int) -> list[str]:
    """The words of a sentence, with a dash for lone marks that the tokenizer would drop and so shift the rest."""
    listed = [words[index] for index in range(first, stop)]
    return ["-" if unicodedata.category(word[0])[0] in "MC" else word for word in listed]


if __name__ == "__main__":
    main(load, train, EPOCHS, parts=("model.safetensors", "config.json", "tokenizer*.json"))
