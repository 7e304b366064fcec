"""The one exception that attackspan raises on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class AttackspanError(ValueError):
    """Something the user can put right: the message says what is wrong, where, and what to do.

    The command line prints it on one line and exits with status 2.
    """


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports of what only the extra of this name brings.

    Raises:
        AttackspanError: one of the imported modules is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise AttackspanError(f"needs {error.name}, which an extra brings: pip install 'attackspan[{name}]'") from error
