"""What a model got wrong, one error at a time, each of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from attackspan.document import Document, Span
from attackspan.eval.matching import OVERLAP, Match, align, match, unmatched
from attackspan.schema import Schema

KINDS = {
    "missed": "no predicted span stands for the gold one",
    "spurious": "the predicted span stands for no gold one",
    "boundary": "the right label on shared text, with other boundaries",
    "label": "another label on text that overlaps by half or more",
    "attribute": "the span was found, with another value",
    "link": "both spans were found, and a link between them is missing or wrong",
}


@dataclass(frozen=True, slots=True)
class Error:
    """One error. A span found with other boundaries and another value is two.

    Attributes:
        document: the document's id.
        kind: one of ``KINDS``.
        label: the gold span's label, or the predicted one's where there is no gold span.
        gold: the gold span; of a link, its head.
        predicted: the predicted span; of a link, its head.
        note: the values or the link in question, ``""`` where the spans say all.
    """

    document: str
    kind: str
    label: str
    gold: Span | None
    predicted: Span | None
    note: str = ""

    @property
    def bounds(self) -> tuple[int, int]:
        """The offsets of all the text that the spans cover."""
        spans = [span for span in (self.gold, self.predicted) if span]
        return min(span.start for span in spans), max(span.end for span in spans)

    @property
    def score(self) -> float:
        """How sure the model was of its span; 0.0 where it has none or gives no scores."""
        return self.predicted.score or 0.0 if self.predicted else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The error as plain dicts, ready for JSON."""
        sides = {"gold": self.gold, "predicted": self.predicted}
        spans = {
            name: span and {"label": span.label, "start": span.start, "end": span.end, "text": span.text}
            for name, span in sides.items()
        }
        return {"document": self.document, "kind": self.kind, "label": self.label, **spans, "note": self.note}


def errors(gold: Document, predicted: Document, schema: Schema) -> list[Error]:
    """The errors of one document in the order of the text.

    Spans are matched as strictly as they can be: exactly; else by half their union; else by any shared character; else,
    for a wrong label, by half their union across labels, the largest share first. What is left was missed or is
    spurious. A link counts only where both its spans were found: without one of them it is that span's error.
    """
    found = match(gold, predicted, schema)
    same_label = [*found.overlap, *_touching(found.overlap, gold, predicted, schema)]
    confused = list(_confused(*unmatched(same_label, gold, predicted, schema)))
    missed, spurious = unmatched([*same_label, *confused], gold, predicted, schema)
    exact = {truth.id for truth, _ in found.strict}
    made = [
        *(Error(gold.id, "missed", span.label, span, None) for span in missed),
        *(Error(gold.id, "spurious", span.label, None, span) for span in spurious),
        *(Error(gold.id, "boundary", t.label, t, g) for t, g in same_label if t.id not in exact),
        *(Error(gold.id, "label", t.label, t, g, f"{t.label} → {g.label}") for t, g in confused),
        *_attributes(gold.id, found.overlap),
        *_links(gold, predicted, found.overlap),
    ]
    order = list(KINDS)
    return sorted(made, key=lambda error: (error.bounds, order.index(error.kind), error.label, error.note))


def _touching(matches: Sequence[Match], gold: Document, predicted: Document, schema: Schema) -> Iterator[Match]:
    """Of the spans left, those of one label that share a character."""
    truths, guesses = unmatched(matches, gold, predicted, schema)
    for label in schema.names:
        left, right = ([span for span in side if span.label == label] for side in (truths, guesses))
        yield from align(left, right, least=0.0)


def _confused(gold: Sequence[Span], predicted: Sequence[Span]) -> Iterator[Match]:
    """Of the spans left, those of different labels that overlap by half, the largest share first."""
    shares = []
    for left, truth in enumerate(gold):
        for right, guess in enumerate(predicted):
            shared = min(truth.end, guess.end) - max(truth.start, guess.start)
            union = max(truth.end, guess.end) - min(truth.start, guess.start)
            if shared > 0 and shared >= OVERLAP * union:
                shares.append((-shared / union, left, right))
    lefts, rights = set(), set()
    for _, left, right in sorted(shares):
        if left not in lefts and right not in rights:
            lefts.add(left)
            rights.add(right)
            yield gold[left], predicted[right]


def _attributes(document: str, matches: Sequence[Match]) -> Iterator[Error]:
    for truth, guess in matches:
        for name, value in truth.attributes.items():
            if guess.attributes[name] != value:
                note = f"{name}: {value} → {guess.attributes[name]}"
                yield Error(document, "attribute", truth.label, truth, guess, note)


def _links(gold: Document, predicted: Document, matches: Sequence[Match]) -> Iterator[Error]:
    """Links between spans that were found, on one side only."""
    there = {truth.id: guess for truth, guess in matches}
    back = {guess.id: truth for truth, guess in matches}
    truths = {(link.role, link.head, link.tail) for link in gold.links}
    guesses = {
        (link.role, back[link.head].id, back[link.tail].id)
        for link in predicted.links
        if link.head in back and link.tail in back
    }
    spans = {span.id: span for span in gold.spans}
    for role, head, tail in truths ^ guesses:
        if head in there and tail in there:
            what = "missing" if (role, head, tail) in truths else "not in gold"
            note = f"{role}: {spans[tail].text} ({what})"
            yield Error(gold.id, "link", spans[head].label, spans[head], there[head], note)
