"""Words of a text, as the peers that need their own tokeniser see it: runs of letters and digits, and single signs."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"\w+|[^\w\s]")
_ENDS = frozenset(".!?")
_CLOSING = frozenset("\"'”’)]")


@dataclass(frozen=True, slots=True)
class Words:
    """A text and the offsets of its words, in order. A range of words is half-open, like a range of characters."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Words:
        """The words of a text."""
        found = [match.span() for match in _WORD.finditer(text)]
        return cls(text, tuple(start for start, _ in found), tuple(end for _, end in found))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> str:
        return self.text[self.starts[index] : self.ends[index]]

    def covering(self, start: int, end: int) -> tuple[int, int]:
        """The range of words that a range of characters touches."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)

    def characters(self, first: int, stop: int) -> tuple[int, int]:
        """The characters from the first word of a range to its last."""
        return self.starts[first], self.ends[stop - 1]

    def sentences(self, limit: int) -> list[tuple[int, int]]:
        """Ranges of words that end at a full stop or a line break, none longer than ``limit``."""
        bounds = [0, *(index for index in range(1, len(self)) if self._begins(index)), len(self)]
        return [
            (first, min(first + limit, stop)) for begin, stop in pairwise(bounds) for first in range(begin, stop, limit)
        ]

    def _begins(self, index: int) -> bool:
        """Whether a sentence begins at this word: behind a line break, or as a capital behind a stop and a space."""
        gap = self.text[self.ends[index - 1] : self.starts[index]]
        if "\n" in gap or not gap:
            return bool(gap)
        before = index - 1
        while before > 0 and self[before] in _CLOSING:
            before -= 1
        return self[before] in _ENDS and not self[index][0].islower()
