"""spaCy's DocBin: a Doc a document, its spans in a span group that carries all else that is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attackspan.document import Document
from attackspan.errors import AttackspanError, extra
from attackspan.schema import Schema, default_schema
from attackspan.textfiles import empty, problem, replacing

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, SpanGroup

KEY = "attackspan"
"""The usual span group, what is known of it in its ``attrs``, and what is known of a document in ``doc.user_data``."""


def read_docbin(path: str | Path, schema: Schema | None = None) -> Iterator[Document]:
    """Read the documents of a file one after the other.

    Spans are taken as ``to_document`` says. A Doc that this module did not write gets the id
    ``<file name without ending>-<number from 1>``.

    Args:
        schema: what the file labels; by default what it says itself, if ``write_docbin`` wrote it, else attacks in the
            news.

    Raises:
        AttackspanError: spaCy is not installed, the file cannot be read, is no DocBin or holds no Doc, or a Doc makes
            no valid document or has the id of one before it.
    """
    path = Path(path)
    first: dict[str, int] = {}
    for number, doc in enumerate(_docs(path), 1):
        try:
            document = to_document(doc, f"{path.stem}-{number}", schema)
        except AttackspanError as error:
            raise problem(path, None, f"Doc {number}: {error}") from error
        if document.id in first:
            raise problem(
                path, None, f"Doc {number}: the id {document.id!r} stands already in Doc {first[document.id]}"
            )
        first[document.id] = number
        yield document
    if not first:
        raise empty(path)


def write_docbin(documents: Iterable[Document], path: str | Path) -> Counter[str]:
    """Write documents as Docs in the tokens of spaCy's English tokeniser.

    Args:
        documents: taken one at a time; the DocBin is put together in memory.
        path: replaced as a whole when it is complete.

    Returns:
        How many spans begin or end inside a token. In the span group they take in the whole token, as spaCy's spans
        have to; ``read_docbin`` gives them back as they were, like everything else.

    Raises:
        AttackspanError: spaCy is not installed, the file cannot be written, or a document holds a lone surrogate.
    """
    with extra("spacy"):
        import spacy
        from spacy.tokens import DocBin

    path = Path(path)
    tokenizer = spacy.blank("en").tokenizer
    found = DocBin(attrs=["ORTH"], store_user_data=True)
    cut = 0
    for document in documents:
        try:
            doc = tokenizer(document.text)
            cut += mark(doc, document)
            about = {"id": document.id, "title": document.title, "source": document.source, "date": document.date}
            doc.user_data[KEY] = about
            found.add(doc)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise problem(
                path, None, f"document {document.id!r}: spaCy cannot hold the lone surrogate {character!r}"
            ) from error
    with replacing(path) as file:
        file.write(found.to_bytes())
    return Counter({"spans that cut spaCy's tokens": cut} if cut else {})


def mark(doc: Doc, document: Document, key: str = KEY) -> int:
    """Put a document's spans into a span group of a Doc of the same text.

    A span that begins or ends inside a token takes in the whole token. The offsets, attributes and scores of the spans,
    the links and the schema are kept in the group's ``attrs``, from where ``to_document`` takes them.

    Returns:
        How many spans begin or end inside a token.
    """
    wide = [
        doc.char_span(span.start, span.end, span.label, alignment_mode="expand", span_id=span.id)
        for span in document.spans
    ]
    spans = cast("list[Span]", wide)  # there is none only outside the text
    doc.spans[key] = spans
    doc.spans[key].attrs[KEY] = {
        "schema": document.schema.to_dict(),
        "spans": {
            span.id: {"start": span.start, "end": span.end, "score": span.score, "attributes": dict(span.attributes)}
            for span in document.spans
        },
        "links": document.to_dict()["links"],
    }
    return sum(
        (one.start_char, one.end_char) != (span.start, span.end)
        for one, span in zip(spans, document.spans, strict=True)
    )


def to_document(doc: Doc, name: str, schema: Schema | None = None) -> Document:
    """The document that a Doc holds.

    Its spans are those of the group that ``mark`` made, else of the group ``attackspan``, else of ``sc`` (where spaCy's
    own span categoriser puts them), else of the only group, else the entities. What ``mark`` kept holds as long as its
    span is there: a span that was moved since has its new offsets, one that was taken out takes its links with it, one
    that was added has no attributes.

    Args:
        name: the id of a document that has none.
        schema: its labels; by default those that ``mark`` kept, else attacks in the news.

    Raises:
        AttackspanError: there are several groups of other names, or the document is not valid.
    """
    group = _group(doc)
    try:
        kept = group.attrs.get(KEY, {}) if group is not None else {}
        spans = _spans(doc, doc.ents if group is None else group, kept.get("spans", {}))
        ids = {span["id"] for span in spans}
        links = [link for link in kept.get("links", ()) if {link["head"], link["tail"]} <= ids]
        data = {"id": name, **doc.user_data.get(KEY, {}), "text": doc.text, "spans": spans, "links": links}
        if schema is None:
            schema = Schema.from_dict(kept["schema"]) if kept else default_schema()
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError) as error:
        raise AttackspanError(f"what is kept under {KEY!r} is not as attackspan writes it: {error!r}") from error
    return Document.from_dict(data, schema)


def _spans(doc: Doc, spans: Iterable[Span], known: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Spans in the form of ``Document.to_dict``, with what is kept of them by their ids."""
    free = (f"s{number}" for number in count(1) if f"s{number}" not in known)
    found = []
    for span in spans:
        data = {"start": span.start_char, "end": span.end_char}
        before = known.get(span.id_) if known else None
        if before is None:
            found.append({**data, "id": next(free), "label": span.label_})
            continue
        wide = doc.char_span(before["start"], before["end"], alignment_mode="expand")
        moved = wide is None or (wide.start, wide.end) != (span.start, span.end)
        found.append({**before, **(data if moved else {}), "id": span.id_, "label": span.label_})
    return found


def _group(doc: Doc) -> SpanGroup | None:
    """The span group to read, ``None`` where there is none."""
    groups: Mapping[str, SpanGroup] = doc.spans
    marked = [name for name, group in groups.items() if KEY in group.attrs]
    for name in (*marked, KEY, "sc"):
        if name in groups:
            return groups[name]
    if len(groups) > 1:
        raise AttackspanError(f"which span group? It has {', '.join(groups)}; name the one to read {KEY!r}")
    return next(iter(groups.values()), None)


def _docs(path: Path) -> Iterator[Doc]:
    """The Docs of a file, which is read as a whole at once."""
    with extra("spacy"):
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab
    try:
        yield from DocBin().from_bytes(path.read_bytes()).get_docs(Vocab())
    except OSError as error:
        raise problem(path, None, error.strerror) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise problem(path, None, "not a DocBin of spaCy 3, or a damaged one") from error
