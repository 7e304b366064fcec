"""What the service counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from attackspan.document import Document


class Metrics:
    """Requests and their seconds, the queue, the batches, and how much was read. Holds numbers only."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()  # its own, so that two services in one process do not mix
        self._requests = Counter(
            "attackspan_requests", "Requests answered", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "attackspan_request_seconds",
            "From a request's head to its answer's end",
            ("path",),
            registry=self._registry,
        )
        self._queue = Gauge("attackspan_queue_requests", "Requests that wait for the model", registry=self._registry)
        self._batches = Histogram(
            "attackspan_batch_documents",
            "Documents that the model read in one go",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self._registry,
        )
        self._documents = Counter("attackspan_documents", "Documents read", registry=self._registry)
        self._characters = Counter("attackspan_characters", "Characters read", registry=self._registry)

    def watch(self, queue: Callable[[], int]) -> None:
        """Ask ``queue`` for the queue's length whenever the figures are read."""
        self._queue.set_function(queue)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def batch(self, documents: Sequence[Document]) -> None:
        """Count the documents of a batch that was read."""
        self._batches.observe(len(documents))
        self._documents.inc(len(documents))
        self._characters.inc(sum(len(document.text) for document in documents))

    def text(self) -> bytes:
        """The figures in Prometheus's text format."""
        return generate_latest(self._registry)
