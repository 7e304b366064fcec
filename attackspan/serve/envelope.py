"""Around every answer: the headers that keep browsers safe, a log line without any text, and the metrics."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attackspan.serve.metrics import Metrics

_LOG = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
PATHS = ("/", "/predict", "/schema", "/health", "/metrics", "/openapi.json")


class Envelope:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await self._app(scope, receive, sealed)
        finally:
            path, seconds = _known(scope["path"]), time.perf_counter() - began
            self._metrics.request(path, status, seconds)
            _LOG.info("%s %d %.0f ms", path, status, 1000 * seconds)


def _known(path: str) -> str:
    """The path where it is one of ours: others may hold anything, and there is no end to them."""
    if path.startswith("/static/"):
        return "/static"
    return path if path in PATHS else "other"
