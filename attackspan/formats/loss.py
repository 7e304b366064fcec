"""What a document holds and a format cannot, counted, so that it can be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attackspan.document import Document


def losses(document: Document, *kinds: str) -> Counter[str]:
    """How often a document holds what a format has no place for.

    Args:
        kinds: any of titles, sources, dates, links, attributes and scores.

    Returns:
        The kinds that occur, with their counts.
    """
    counts = {
        "titles": int(bool(document.title)),
        "sources": int(bool(document.source)),
        "dates": int(bool(document.date)),
        "links": len(document.links),
        "attributes": sum(len(span.attributes) for span in document.spans),
        "scores": sum(score is not None for score in _scores(document)),
    }
    return Counter({kind: counts[kind] for kind in kinds if counts[kind]})


def _scores(document: Document) -> Iterator[float | None]:
    yield from (span.score for span in document.spans)
    yield from (link.score for link in document.links)
