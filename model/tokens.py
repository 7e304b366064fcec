"""Text to token ids with character offsets, and the overlapping windows that cover them. Needs no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from attackspan.errors import AttackspanError

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The T tokens of one text, special tokens left out.

    Attributes:
        ids: int64 (T,), vocabulary ids.
        starts: int64 (T,), offset of each token's first character in the text, white space trimmed.
        ends: int64 (T,), offset behind its last character (half-open).
        units: int64 (U,), the tokens that may begin or end a span: those that cover characters of their own. Some
            tokenizers give tokens of white space only, or several for the bytes of one emoji; the first counts.
    """

    ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    units: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


class Tokenizer:
    """A fast tokenizer (``tokenizer.json``) of any kind, seen from the text: ids, offsets, windows.

    Attributes:
        prefix: ids of the special tokens that stand in front of a text.
        suffix: ids of those behind it.
        pad_id: the id that fills a batch up.
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        backend.no_truncation()
        backend.no_padding()
        probe = backend.encode("a")
        content = [index for index, special in enumerate(probe.special_tokens_mask) if not special]
        self.prefix: list[int] = probe.ids[: content[0]]
        self.suffix: list[int] = probe.ids[content[-1] + 1 :]
        self.backend = backend
        pads = (backend.token_to_id(token) for token in ("[PAD]", "<pad>"))
        self.pad_id: int = next((pad for pad in pads if pad is not None), 0)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a ``tokenizer.json``.

        Raises:
            AttackspanError: the file is missing or no tokenizer.
        """
        if not path.is_file():
            raise AttackspanError(f"{path}: no such file; the encoder needs a fast tokenizer (tokenizer.json)")
        try:
            return cls(tokenizers.Tokenizer.from_str(path.read_text("utf-8")))
        except Exception as error:
            raise AttackspanError(f"{path}: not a tokenizer: {error}") from error

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenise each text whole: nothing is cut off, whatever its length."""
        # A lone surrogate has no UTF-8; the tokenizer sees U+FFFD in its place, which keeps the offsets.
        clean = [_SURROGATE.sub("\ufffd", text) for text in texts]
        encodings = self.backend.encode_batch(clean, add_special_tokens=False)
        return [_tokens(text, encoding) for text, encoding in zip(clean, encodings, strict=True)]


def windows(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Half-open token ranges of at most ``size`` that cover ``length`` tokens, neighbours sharing ``overlap`` or more.

    The fewest windows that do so, all of one length and as short as that allows.
    """
    count = max(1, -(-(length - overlap) // (size - overlap)))
    width = -(-(length + (count - 1) * overlap) // count)
    starts = np.linspace(0, length - width, count).astype(int)
    return [(int(start), int(start) + width) for start in starts]


def window_weights(start: int, stop: int, length: int) -> npt.NDArray[np.float32]:
    """How much each token of the window [start, stop) counts where windows overlap: its distance from the cut.

    The text's own beginning and end are no cuts. Shape (stop - start,).
    """
    index = np.arange(stop - start, dtype=np.float32)
    left = index + 1 if start else np.full_like(index, stop - start)
    right = index[::-1] + 1 if stop < length else np.full_like(index, stop - start)
    return np.minimum(left, right)


def _tokens(text: str, encoding: tokenizers.Encoding) -> Tokens:
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    starts, ends = offsets[:, 0].copy(), offsets[:, 1].copy()
    for index in np.flatnonzero(starts < ends):  # metaspace and byte-level tokenizers put the space into the token
        piece = text[starts[index] : ends[index]]
        if piece[0].isspace() or piece[-1].isspace():
            starts[index] += len(piece) - len(piece.lstrip())
            ends[index] = max(starts[index], starts[index] + len(piece.strip()))
    before = np.maximum.accumulate(np.concatenate(([0], ends)))[:-1] if len(ends) else ends
    return Tokens(
        ids=np.array(encoding.ids, dtype=np.int64),
        starts=starts,
        ends=ends,
        units=np.flatnonzero((starts < ends) & (starts >= before)),
    )
