"""A document put together from the spans and links of a file, each with its line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path

from attackspan.document import Document, Link, Span
from attackspan.errors import AttackspanError
from attackspan.textfiles import problem

Build = Callable[[tuple[Span, ...], tuple[Link, ...]], Document]


def assemble(path: Path, pieces: Sequence[tuple[int, Span | Link]], build: Build) -> Document:
    """Build a document, or say on which line of its file it is wrong.

    Args:
        pieces: spans and links with their line numbers, a link behind the spans that it ties.
        build: makes the document of spans and links.

    Raises:
        AttackspanError: the document is not valid.
    """

    def beginning(count: int) -> Document:
        found = [piece for _, piece in pieces[:count]]
        return build(
            tuple(piece for piece in found if isinstance(piece, Span)),
            tuple(piece for piece in found if isinstance(piece, Link)),
        )

    def failure(count: int) -> AttackspanError | None:
        try:
            beginning(count)
        except AttackspanError as error:
            return error
        return None

    try:
        return beginning(len(pieces))
    except AttackspanError:
        # A document names what is wrong but no line; the line is that on which its shortest wrong beginning ends.
        count = bisect_left(range(len(pieces)), True, key=lambda count: failure(count) is not None)
        raise problem(path, pieces[count - 1][0], failure(count)) from None
