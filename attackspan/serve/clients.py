"""Who is being served: how many requests of each address are under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from attackspan.serve.limits import Refusal


class Clients:
    """Lets each address have a few requests under way at once, so that none takes the queue for itself."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """A request of an address, for as long as the block lasts.

        Raises:
            Refusal: the address has as many under way as it may (429).
        """
        if self._under_way[address] >= self._most:
            raise Refusal(429, f"{self._most} requests of yours are under way; send this once one is answered", wait=1)
        self._under_way[address] += 1
        try:
            yield
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]
