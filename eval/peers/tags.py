"""Ranges of words as BIO tags and back, and nested spans as flat ones and back.

A flat tagger gives each word one label. Where spans nest the inner label wins, so of a statement (an attribution or a
condemnation) only the pieces between the actors and attacks inside it are left; ``join`` puts it together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Piece:
    """A labelled range of words, from ``first`` to before ``stop``."""

    label: str
    first: int
    stop: int
    score: float | None = None


def bio(count: int, pieces: Iterable[Piece]) -> list[str]:
    """The tags of ``count`` words. Where pieces overlap the shorter wins, and each rest of the longer begins with B."""
    owners: list[Piece | None] = [None] * count
    for piece in sorted(pieces, key=lambda piece: piece.first - piece.stop):
        owners[piece.first : piece.stop] = [piece] * (piece.stop - piece.first)
    tags = []
    for before, owner in zip([None, *owners], owners, strict=False):
        tags.append(f"{'I' if owner is before else 'B'}-{owner.label}" if owner else OUTSIDE)
    return tags


def pieces(tags: Sequence[str], scores: Sequence[float] | None = None) -> list[Piece]:
    """The pieces that tags stand for, with the mean of their words' scores; an I that continues nothing begins one."""
    found: list[Piece] = []
    for index, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        prefix, label = tag.split("-", 1)
        if prefix == "I" and found and (found[-1].label, found[-1].stop) == (label, index):
            found[-1] = replace(found[-1], stop=index + 1)
        else:
            found.append(Piece(label, index, index + 1))
    if scores is None:
        return found
    return [replace(one, score=sum(scores[one.first : one.stop]) / (one.stop - one.first)) for one in found]


def join(flat: Iterable[Piece], statements: Sequence[str]) -> list[Piece]:
    """Flat pieces with the statements whole: each takes in all that touches its pieces, other statements apart.

    Actors and attacks next to a statement's words lie inside it in nearly all annotated news, so little is guessed.
    """
    found: list[Piece] = []
    for group in _touching(flat):
        found.extend(piece for piece in group if piece.label not in statements)
        for label in statements:
            mine = [index for index, piece in enumerate(group) if piece.label == label]
            if mine:
                first, last = mine[0], mine[-1]
                while first > 0 and group[first - 1].label not in statements:
                    first -= 1
                while last + 1 < len(group) and group[last + 1].label not in statements:
                    last += 1
                scores = [score for index in mine if (score := group[index].score) is not None]
                score = sum(scores) / len(scores) if scores else None
                found.append(Piece(label, group[first].first, group[last].stop, score))
    return found


def _touching(flat: Iterable[Piece]) -> list[list[Piece]]:
    """Groups of pieces that follow one another without a word between."""
    groups: list[list[Piece]] = []
    for piece in sorted(flat, key=lambda piece: piece.first):
        if groups and groups[-1][-1].stop == piece.first:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups
