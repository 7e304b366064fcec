"""Requests that arrive together are read together: one thread runs the model on what waits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from attackspan.document import Document
from attackspan.model.predictor import Tagger
from attackspan.serve.limits import Limits, Refusal
from attackspan.serve.metrics import Metrics

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A request: how many documents it has, those that wait, those that are read, and where the answer goes."""

    count: int
    waiting: deque[Document]
    answer: asyncio.Future[list[Document]]
    read: list[Document] = field(default_factory=list)


class Batcher:
    """Labels the documents of many requests in batches; belongs to one event loop.

    Each batch takes one document of every waiting request in turn, so that a request of many documents does not hold up
    those of one.
    """

    def __init__(self, tagger: Tagger, limits: Limits, metrics: Metrics) -> None:
        self.schema = tagger.schema
        self.limits = limits
        self.metrics = metrics
        self.stopping = False
        self._tagger = tagger
        self._jobs: deque[_Job] = deque()
        self._thread = ThreadPoolExecutor(1, "attackspan-serve")
        self._work: asyncio.Task[None] | None = None
        metrics.watch(lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """How many requests wait for the model."""
        return len(self._jobs)

    async def predict(self, documents: Sequence[Document]) -> list[Document]:
        """Label a request's documents, in their order.

        Raises:
            Refusal: too many requests wait, the service is stopping (both 503), or the model failed (500).
        """
        if self.stopping:
            raise Refusal(503, "the service is stopping; send this again in a while", wait=5)
        if self.waiting >= self.limits.queue:
            raise Refusal(503, f"{self.waiting} requests are waiting already; send this again in a while", wait=1)
        if not documents:
            return []
        job = _Job(len(documents), deque(documents), asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        return await job.answer

    async def drain(self) -> None:
        """Take no more requests, and return once those that wait are answered."""
        self.stopping = True
        if self._work:
            await self._work

    async def _run(self) -> None:
        """Read batches until nothing waits."""
        while batch := self._take():
            documents = [document for _, document in batch]
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._read, documents)
            await asyncio.wait([done])
            if error := done.exception():
                self._fail({job for job, _ in batch}, error)
                continue
            self.metrics.batch(documents)
            for (job, _), document in zip(batch, done.result(), strict=True):
                job.read.append(document)
                if len(job.read) == job.count and not job.answer.cancelled():
                    job.answer.set_result(job.read)

    def _take(self) -> list[tuple[_Job, Document]]:
        """The next batch: at least one document where any waits."""
        batch: list[tuple[_Job, Document]] = []
        characters = 0
        while self._jobs:
            characters += len(self._jobs[0].waiting[0].text)
            if batch and characters > self.limits.batch:
                break
            job = self._jobs.popleft()
            batch.append((job, job.waiting.popleft()))
            if job.waiting:
                self._jobs.append(job)
        return batch

    def _read(self, documents: list[Document]) -> list[Document]:
        return list(self._tagger.predict(documents))

    def _fail(self, jobs: set[_Job], error: BaseException) -> None:
        """Answer the requests of a batch that failed, whatever else of theirs waits."""
        _LOG.error("a batch failed", exc_info=error)
        self._jobs = deque(job for job in self._jobs if job not in jobs)
        for job in jobs:
            if not job.answer.cancelled():
                job.answer.set_exception(Refusal(500, "the model failed on this; the service's log says where"))
