"""The service on a socket: one process, started and stopped with care."""

from __future__ import annotations

import asyncio
import logging
import socket
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any

import uvicorn

from attackspan.errors import AttackspanError
from attackspan.model.predictor import Tagger
from attackspan.serve.app import create_app
from attackspan.serve.batching import Batcher
from attackspan.serve.limits import Limits
from attackspan.serve.metrics import Metrics


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        AttackspanError: the address cannot be had.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise AttackspanError(f"cannot listen on {host} port {port}: {error.strerror}; choose another") from error


def run(tagger: Tagger, listening: socket.socket, limits: Limits, hosts: Sequence[str]) -> None:
    """Serve until SIGINT or SIGTERM, then answer what waits, and return.

    Args:
        tagger: the model.
        listening: from ``listen``.
        limits: what is taken on.
        hosts: the names that requests may call us by.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    batcher = Batcher(tagger, limits, Metrics())
    config = uvicorn.Config(
        create_app(batcher, hosts),
        log_config=None,
        access_log=False,  # its lines hold what stands behind a ? in the address
        server_header=False,
        timeout_keep_alive=75,  # clients that rest a little find their connection as they left it
        timeout_graceful_shutdown=30,
    )
    _Server(config, batcher).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Stops in two steps: new requests get 503 until those that wait are answered, then the socket is closed."""

    def __init__(self, config: uvicorn.Config, batcher: Batcher) -> None:
        super().__init__(config)
        self._batcher = batcher

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal does not wait."""
        stop = super().handle_exit
        if self._batcher.stopping:
            stop(sig, frame)
        else:
            loop = asyncio.get_running_loop()  # signals are handled between two steps of the loop's thread
            drained = asyncio.run_coroutine_threadsafe(self._batcher.drain(), loop)
            drained.add_done_callback(lambda _: stop(sig, frame))


class _Formatter(logging.Formatter):
    """Logs an exception's place and type, not its message: that may quote a document."""

    def formatException(self, ei: Any) -> str:
        kind, _, trace = ei
        return f"{''.join(traceback.format_tb(trace))}{kind.__name__}"
