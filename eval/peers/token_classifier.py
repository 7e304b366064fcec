"""transformers' token classification as its examples do it: one flat BIO sequence, Trainer, windows with a stride.

The inner label wins where spans nest. A word's tag is that of its first token; where windows overlap, the word is read
in the one in which it is farther from an edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
    set_seed,
)

from attackspan.document import Document
from attackspan.eval.peers.adapter import Predict, Settings, main
from attackspan.eval.peers.bf16 import autocast
from attackspan.eval.peers.found import characters, labelled, ranges
from attackspan.eval.peers.tags import OUTSIDE, bio, join, pieces
from attackspan.eval.peers.words import Words
from attackspan.model.bf16 import bf16_here
from attackspan.schema import default_schema

EPOCHS = 4
WINDOW, STRIDE, BATCH = 384, 32, 8
LEARNING_RATE = 3e-4
LABELS = default_schema().names
STATEMENTS = tuple(label for label in LABELS if default_schema()[label].roles)
TAGS = (OUTSIDE, *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))
IGNORED = -100  # by the loss


def train(documents: Sequence[Document], folder: Path, settings: Settings) -> None:
    """Fine-tune the encoder with a token classifier on it."""
    set_seed(settings.seed)
    tokenizer: Any = AutoTokenizer.from_pretrained(settings.encoder)
    model: Any = AutoModelForTokenClassification.from_pretrained(
        settings.encoder,
        dtype=torch.float32,
        id2label=dict(enumerate(TAGS)),
        label2id={tag: index for index, tag in enumerate(TAGS)},
    )
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        weight_decay=0.01,
        warmup_steps=0.1,
        bf16=bf16_here(),
        use_cpu=True,
        seed=settings.seed,
        save_strategy="no",
        logging_steps=20,
        report_to="none",
        disable_tqdm=True,
    )
    windows: Any = [window for document in documents for window in _examples(tokenizer, document)]
    trainer = Trainer(
        model,
        arguments,
        DataCollatorForTokenClassification(tokenizer),
        train_dataset=windows,
    )
    trainer.train()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def load(folder: Path) -> Predict:
    """The classifier of a folder."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()

    def predict(documents: Sequence[Document]) -> Iterator[Document]:
        texts = [Words.of(document.text) for document in documents]
        windows = [(number, one) for number, words in enumerate(texts) for one in _windows(tokenizer, words)]
        windows.sort(key=lambda window: len(window[1]["input_ids"]))
        best = [[(-1, OUTSIDE, 1.0)] * len(words) for words in texts]  # distance from an edge, tag, probability
        for begin in range(0, len(windows), BATCH):
            batch = windows[begin : begin + BATCH]
            inputs = [{key: window[key] for key in ("input_ids", "attention_mask")} for _, window in batch]
            with torch.inference_mode(), autocast():
                logits = model(**tokenizer.pad(inputs, return_tensors="pt")).logits
            chances, tags = logits.float().softmax(-1).max(-1)
            for (number, window), row, chance in zip(batch, tags.tolist(), chances.tolist(), strict=True):
                for position, word in _first_tokens(window["word_ids"]):
                    distance = min(position, len(window["word_ids"]) - 1 - position)
                    if distance > best[number][word][0]:
                        best[number][word] = (distance, TAGS[row[position]], chance[position])
        for document, words, rated in zip(documents, texts, best, strict=True):
            flat = pieces([tag for _, tag, _ in rated], [chance for _, _, chance in rated])
            yield labelled(document, characters(words, join(flat, STATEMENTS)))

    return predict


def _examples(tokenizer: Any, document: Document) -> Iterator[dict[str, list[int]]]:
    """The document's windows with the tag of each word at its first token."""
    words = Words.of(document.text)
    tags = bio(len(words), ranges(document, words, LABELS))
    for window in _windows(tokenizer, words):
        labels = [IGNORED] * len(window["input_ids"])
        for position, word in _first_tokens(window["word_ids"]):
            labels[position] = TAGS.index(tags[word])
        yield {"input_ids": window["input_ids"], "attention_mask": window["attention_mask"], "labels": labels}


def _windows(tokenizer: Any, words: Words) -> Iterator[dict[str, list[Any]]]:
    """The text's windows: ids, attention, and the word of each token."""
    encoded = tokenizer(
        [words[index] for index in range(len(words))],
        is_split_into_words=True,
        truncation=True,
        max_length=WINDOW,
        stride=STRIDE,
        return_overflowing_tokens=True,
    )
    for number, ids in enumerate(encoded["input_ids"]):
        yield {
            "input_ids": ids,
            "attention_mask": encoded["attention_mask"][number],
            "word_ids": encoded.word_ids(number),
        }


def _first_tokens(words: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """Position and word of each token that begins a word."""
    for position, word in enumerate(words):
        if word is not None and (position == 0 or words[position - 1] != word):
            yield position, word


if __name__ == "__main__":
    main(load, train, EPOCHS, parts=("model.safetensors", "config.json", "tokenizer*.json"))
