"""Strict UTF-8 text with line numbers, atomic files, and errors that say where: what every format needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from attackspan.errors import AttackspanError

LONGEST = 600
"""Characters of an error's message, the path left out."""


def problem(path: Path, line: int | None, message: object) -> AttackspanError:
    """An error to raise: one line that starts with ``path:line: ``, or ``path: `` where no line is to blame.

    What a file says is quoted in it; where that is long, the middle is left out.
    """
    where = f"{path}:{line}" if line else f"{path}"
    words = str(message)
    if len(words) > LONGEST:
        words = f"{words[: LONGEST // 2]} … {words[-LONGEST // 2 :]}"
    return AttackspanError(" ".join(f"{where}: {words}".splitlines()))


def lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""The lines of a text file with their numbers from 1, each with its line end as it stands in the file.

    Only ``\n`` ends a line. A leading byte order mark is dropped.

    Raises:
        AttackspanError: the file cannot be read or is not UTF-8.
    """
    offset = 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    at = offset + error.start
                    raise problem(path, number, f"not UTF-8 at byte {at}: {error.reason}; convert the file") from error
                yield number, line.removeprefix("\ufeff") if offset == 0 else line
                offset += len(raw)
    except OSError as error:
        raise problem(path, None, error.strerror) from error


def whole(path: Path) -> str:
    """A text file as one string.

    Raises:
        AttackspanError: the file cannot be read, is not UTF-8 or is empty.
    """
    text = "".join(line for _, line in lines(path))
    if not text:
        raise empty(path)
    return text


def utf8(path: Path, name: str, text: str) -> bytes:
    """The text of a document as UTF-8, to be written to a path.

    Args:
        name: the document's id, for the error.

    Raises:
        AttackspanError: the text has half of a surrogate pair, which is no character.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        bad = text[error.start]
        raise problem(path, None, f"document {name!r}: UTF-8 cannot hold {bad!r} at offset {error.start}") from error


def empty(path: Path) -> AttackspanError:
    """The error to raise where a file holds nothing."""
    return problem(path, None, "the file is empty")


def is_scratch(path: Path) -> bool:
    """Whether a file has the name of those that ``replacing`` writes to, and leaves behind where it is killed."""
    return re.fullmatch(r"\.[0-9a-f]{16}\.tmp", path.name) is not None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that becomes ``path`` when the block ends well; until then ``path`` stays as it was.

    Raises:
        AttackspanError: the file cannot be written.
    """
    # Hidden, so that reading the folder passes it over; made by open(), so that it has the usual permissions.
    scratch = path.with_name(f".{token_hex(8)}.tmp")
    try:
        try:
            with scratch.open("xb") as file:
                yield file
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise problem(path, None, error.strerror) from error
