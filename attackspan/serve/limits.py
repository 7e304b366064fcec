"""How much the service takes on, and what it says where that is too much."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one request, one client and all together may ask for.

    Attributes:
        body: bytes of a request's body.
        documents: documents in a request.
        queue: requests that wait for the model.
        per_client: requests of one address that are being worked on at once.
        batch: characters that the model reads in one go, unless a single document has more.
        patience: seconds in which a body has to arrive.
    """

    body: int = 1_000_000
    documents: int = 64
    queue: int = 64
    per_client: int = 16
    batch: int = 16_384
    patience: float = 30.0


class Refusal(Exception):
    """A request that is turned away.

    Attributes:
        status: the HTTP status.
        wait: seconds after which to try again, where that helps.
    """

    def __init__(self, status: int, message: str, wait: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait
