"""The spaCy component: ``nlp.add_pipe("attackspan")`` labels Docs. spaCy finds it by the package's entry point."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import tee
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from attackspan import load
from attackspan.document import Statement
from attackspan.formats.docbin import KEY, mark, to_document
from attackspan.model.checkpoint import DEFAULT, locate
from attackspan.model.predictor import Tagger
from attackspan.textfiles import replacing


class Component:
    """Fills ``doc.spans[spans_key]`` with what a model finds.

    A span has its label and ``span._.attributes`` (name to value), ``span._.score`` (a probability) and
    ``span._.links`` ((role, span) of each span that it ties); ``doc._.statements`` are the rows of
    ``Document.statements()``. A span that begins or ends inside a token takes in the whole token.

    Args:
        model: a checkpoint folder or hub id, by default the model that ships with attackspan; opened when the first
            text comes.
        spans_key: the span group to fill; what was in it is replaced.
    """

    def __init__(self, model: str | Path | None, spans_key: str) -> None:
        self.model = model or DEFAULT
        self.spans_key = spans_key
        self._tagger: Tagger | None = None
        self._process = 0

    def __call__(self, doc: Doc) -> Doc:
        """Label one Doc.

        Raises:
            AttackspanError: there is no such model, or a file of it is missing or altered.
        """
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 0) -> Iterator[Doc]:
        """Label Docs, in order, several at a time; ``batch_size`` is spaCy's, the tagger counts tokens instead."""
        docs, ahead = tee(stream)
        for doc, found in zip(docs, self._opened().predict(doc.text for doc in ahead), strict=True):
            mark(doc, found, self.spans_key)
            yield doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Copy the checkpoint into a folder, so that the saved pipeline works elsewhere; part of ``nlp.to_disk``."""
        path.mkdir(parents=True, exist_ok=True)
        for source in locate(self.model).iterdir():
            if source.is_file():
                with source.open("rb") as original, replacing(path / source.name) as file:
                    shutil.copyfileobj(original, file)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> Component:
        """Take the checkpoint of a saved pipeline; part of ``spacy.load``."""
        self.model, self._tagger = path, None
        return self

    def _opened(self) -> Tagger:
        # With n_process above 1 this is a fork, in which the threads of a tagger opened before are gone.
        if self._tagger is None or self._process != os.getpid():
            self._tagger, self._process = load(self.model), os.getpid()
        return self._tagger


@Language.factory(KEY, default_config={"model": None, "spans_key": KEY}, assigns=["doc.spans"])
def make(nlp: Language, name: str, model: str | None, spans_key: str) -> Component:
    """Make the component, as spaCy asks for it."""
    return Component(model, spans_key)


def _statements(doc: Doc) -> tuple[Statement, ...]:
    marked = any(KEY in group.attrs for group in doc.spans.values())
    return to_document(doc, "").statements() if marked else ()


def _group(span: Span) -> SpanGroup | None:
    """The group that a span stands in, if it is one that ``mark`` filled."""
    groups: Mapping[str, SpanGroup] = span.doc.spans
    for group in groups.values():
        if span.id_ in group.attrs.get(KEY, {}).get("spans", {}) and span in list(group):
            return group
    return None


def _kept(span: Span) -> dict[str, Any]:
    kept: dict[str, Any] = group.attrs[KEY]["spans"][span.id_] if (group := _group(span)) else {}
    return kept


def _links(span: Span) -> list[tuple[str, Span]]:
    if not (group := _group(span)):
        return []
    by_id = {other.id_: other for other in group}
    links = [link for link in group.attrs[KEY]["links"] if link["head"] == span.id_]
    return [(link["role"], by_id[link["tail"]]) for link in links if link["tail"] in by_id]


# They read what the Doc's span groups hold, for spaCy's own values are kept by a span's offsets, and an actor and an
# attribution may well have the same ones.
Span.set_extension("attributes", getter=lambda span: dict(_kept(span).get("attributes", {})))
Span.set_extension("score", getter=lambda span: _kept(span).get("score"))
Span.set_extension("links", getter=_links)
Doc.set_extension("statements", getter=_statements)
