"""spaCy's ``spancat``, one for all labels, on the candidates of a ``span_finder``.

All n-grams up to the length of a clause (76 words) would be some 20 000 candidates an article; the span finder learns
where spans begin and end and pairs the two, up to ``LONGEST`` tokens apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import spacy
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from thinc.api import fix_random_seed

from attackspan.document import Document
from attackspan.eval.peers.adapter import Predict, Settings, main, say
from attackspan.eval.peers.found import Found, labelled
from attackspan.schema import default_schema

EPOCHS = 6
LONGEST = 80
BATCH_WORDS = 1000
DROPOUT = 0.1
SPANS, CANDIDATES = "sc", "candidates"
FINDER_THRESHOLD = 0.3  # below one half: a candidate too many costs little, one that is missing can never be found


def train(documents: Sequence[Document], folder: Path, settings: Settings) -> None:
    """Train finder and categoriser together, the one on what the other suggests."""
    fix_random_seed(settings.seed)
    nlp = spacy.blank("en")
    finder = {"spans_key": CANDIDATES, "threshold": FINDER_THRESHOLD, "max_length": LONGEST}
    nlp.add_pipe("span_finder", config=finder)
    suggester = {"@misc": "spacy.preset_spans_suggester.v1", "spans_key": CANDIDATES}
    spancat: Any = nlp.add_pipe("spancat", config={"spans_key": SPANS, "suggester": suggester})
    for label in default_schema().names:
        spancat.add_label(label)
    examples = [_example(nlp, document) for document in documents]
    optimizer = nlp.initialize(lambda: examples)
    for epoch in range(round(settings.epochs)):
        random.shuffle(examples)
        losses: dict[str, float] = {}
        for batch in minibatch_by_words(examples, size=BATCH_WORDS):
            nlp.update(batch, sgd=optimizer, drop=DROPOUT, losses=losses, annotates=["span_finder"])
        say(f"epoch {epoch + 1}: " + ", ".join(f"{name} loss {loss:.0f}" for name, loss in losses.items()))
    with nlp.use_params(optimizer.averages):
        nlp.to_disk(folder)


def load(folder: Path) -> Predict:
    """The pipeline of a folder."""
    nlp = spacy.load(folder)

    def predict(documents: Sequence[Document]) -> Iterator[Document]:
        for document, parsed in zip(documents, nlp.pipe(one.text for one in documents), strict=True):
            group = parsed.spans[SPANS]
            found = [
                Found(span.label_, span.start_char, span.end_char, float(score))
                for span, score in zip(group, group.attrs.get("scores", ()), strict=True)
            ]
            yield labelled(document, found)

    return predict


def _example(nlp: Any, document: Document) -> Example:
    gold = nlp.make_doc(document.text)
    spans = [gold.char_span(one.start, one.end, one.label, alignment_mode="expand") for one in document.spans]
    gold.spans[SPANS] = [span for span in spans if span is not None]
    gold.spans[CANDIDATES] = list(gold.spans[SPANS])
    return Example(nlp.make_doc(document.text), gold)


if __name__ == "__main__":
    main(load, train, EPOCHS)
