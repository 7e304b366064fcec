"""A linear-chain conditional random field for each label, over BIO tags of words (sklearn-crfsuite)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import sklearn_crfsuite

from attackspan.document import Document
from attackspan.eval.peers.adapter import Predict, Settings, main, say
from attackspan.eval.peers.found import characters, labelled, ranges
from attackspan.eval.peers.tags import bio, pieces
from attackspan.eval.peers.words import Words
from attackspan.schema import default_schema

ITERATIONS = 100
LABELS = default_schema().names
WINDOW = 2


def train(documents: Sequence[Document], folder: Path, settings: Settings) -> None:
    """Train one CRF after the other; ``epochs`` are iterations of L-BFGS."""
    texts = [Words.of(document.text) for document in documents]
    rows = [features(words) for words in texts]
    for label in LABELS:
        tags = [bio(len(words), ranges(one, words, [label])) for one, words in zip(documents, texts, strict=True)]
        field = sklearn_crfsuite.CRF(
            c1=0.1,
            c2=0.1,
            max_iterations=round(settings.epochs),
            all_possible_transitions=True,
            model_filename=str(folder / f"{label}.crfsuite"),
        )
        field.fit(rows, tags)
        say(f"{label}: {field.num_attributes_} attributes")


def load(folder: Path) -> Predict:
    """The fields of a folder as one predictor."""
    fields = [sklearn_crfsuite.CRF(model_filename=str(folder / f"{label}.crfsuite")) for label in LABELS]

    def predict(documents: Sequence[Document]) -> Iterator[Document]:
        for document in documents:
            words = Words.of(document.text)
            row = features(words)
            found = [piece for field in fields for piece in pieces(field.predict_single(row))]
            yield labelled(document, characters(words, found))

    return predict


def features(words: Words) -> list[list[str]]:
    """Of each word: itself, its affixes and shape, its neighbours and theirs, and the pairs it makes with them."""
    lower = [words[index].lower() for index in range(len(words))]
    shapes = [shape(words[index]) for index in range(len(words))]
    rows = []
    for index, word in enumerate(lower):
        row = ["bias", *(f"prefix={word[:size]}" for size in (2, 3)), *(f"suffix={word[-size:]}" for size in (2, 3, 4))]
        for offset in range(-WINDOW, WINDOW + 1):
            if 0 <= index + offset < len(lower):
                row += [f"{offset}={lower[index + offset]}", f"{offset}shape={shapes[index + offset]}"]
            else:
                row.append(f"{offset}=edge")
        if index:
            row.append(f"before+this={lower[index - 1]}|{word}")
        if index + 1 < len(lower):
            row.append(f"this+next={word}|{lower[index + 1]}")
        rows.append(row)
    return rows


def shape(word: str) -> str:
    """The word's kinds of character, each run as one: ``Al-Shabaab3`` is ``Xx-Xxd``."""
    kinds = "".join("d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word)
    return re.sub(r"(.)\1+", r"\1", kinds)


if __name__ == "__main__":
    main(load, train, ITERATIONS)
