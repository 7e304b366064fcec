"""What the tests of the service share: the service in this process, and as a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from samples import ROOT

from attackspan.model.predictor import Tagger
from attackspan.serve.app import create_app
from attackspan.serve.batching import Batcher
from attackspan.serve.limits import Limits
from attackspan.serve.metrics import Metrics

Call = tuple[str, str, dict[str, Any]]
"""Method, path and what else ``httpx`` takes."""


def post(data: Any) -> Call:
    return "POST", "/predict", {"json": data}


@asynccontextmanager
async def service(
    tagger: Tagger, limits: Limits | None = None, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Batcher]]:
    """A client of a new service that runs in this event loop."""
    batcher = Batcher(tagger, limits or Limits(), Metrics())
    transport = httpx.ASGITransport(create_app(batcher, **options), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client, batcher


def ask(tagger: Tagger, calls: Sequence[Call], limits: Limits | None = None, **options: Any) -> list[httpx.Response]:
    """The answers of a new service to calls that all come at once."""

    async def run() -> list[httpx.Response]:
        async with service(tagger, limits, **options) as (client, _):
            return list(await asyncio.gather(*(client.request(m, path, **rest) for m, path, rest in calls)))

    return asyncio.run(run())


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``attackspan serve`` on a free port, with its address; killed at the end where it still runs."""
    command = [sys.executable, "-m", "attackspan", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:
        try:
            assert running.stderr
            yield running, running.stderr.readline().split()[-1]
        finally:
            running.kill()
