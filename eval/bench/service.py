"""The service under load, on loopback: one client, many that rest between articles, many that never do, and nonsense.

    python -m attackspan.eval.bench.service [--clients 32] [--seconds 120] [--every 4] [--articles 200]

The clients run in this process, a thread each, and so share the service's cores; clients elsewhere would leave it more.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from attackspan.commandline import run_command
from attackspan.eval.bench.compare import articles, machine

NONSENSE = (
    b"",
    b"{",
    b"[1]",
    b'{"text": 1}',
    b'{"documents": 3}',
    b'{"text": "\xff"}',
    b'{"text": "x", "y": 1}',
    b"[" * 9999,
)


@dataclass(frozen=True, slots=True)
class Load:
    """What some clients saw: seconds of each answer, and the statuses that were not 200 (0 where the line broke)."""

    clients: int
    lasted: float
    seconds: list[float] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]

    def row(self, name: str, alone: float) -> str:
        """A line of the table; ``alone`` is the median that everything is compared with."""
        rate, times = len(self.seconds) / self.lasted, f"{1000 * self.median:.0f} | {1000 * self.p95:.0f}"
        counts = f"{self.clients} | {len(self.seconds)} | {len(self.errors)}"
        return f"| {name} | {counts} | {rate:.1f} | {times} | {self.p95 / alone:.1f} |"


class Client:
    """One connection that is kept open, as a program would."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def send(self, body: bytes) -> tuple[int, float]:
        """The status of an answer, and the seconds that it took."""
        began = time.perf_counter()
        try:
            self._connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens it again
            return 0, time.perf_counter() - began
        return response.status, time.perf_counter() - began

    def close(self) -> None:
        self._connection.close()


@contextmanager
def service(clients: int) -> Iterator[int]:
    """The port of a service of its own process."""
    command = [sys.executable, "-m", "attackspan", "serve", "--port", "0", "--per-client", str(clients + 1)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        found = re.search(r":(\d+)$", process.stderr.readline().strip())
        assert found
        drain = threading.Thread(target=process.stderr.read)  # a full pipe would stop the service
        drain.start()
        try:
            yield int(found[1])
        finally:
            process.terminate()
            drain.join()


def load(port: int, bodies: Sequence[bytes], clients: int, lasts: float, every: float = 0.0) -> Load:
    """Let clients send articles in turn, and wait for each answer.

    Args:
        port: of the service on this machine.
        bodies: requests, each client starting at another one.
        clients: how many.
        lasts: seconds.
        every: a client rests between two articles for a time drawn at random, so many seconds in the mean, as people
            and feeds do. 0 lets none rest.
    """
    found = Load(clients, lasts)
    end = time.perf_counter() + lasts

    def work(number: int) -> None:
        client, chance = Client(port), random.Random(number)
        for body in itertools.islice(itertools.cycle(bodies), chance.randrange(len(bodies)), None):
            rest = chance.expovariate(1 / every) if every else 0.0
            if time.perf_counter() + rest > end:
                break
            time.sleep(rest)
            status, seconds = client.send(body)
            if status == 200:
                found.seconds.append(seconds)
            else:
                found.errors.append(status)
        client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def healthy(port: int, count: int, body: bytes) -> str:
    """Send malformed requests; what the service said to them, and whether it still answers."""
    client = Client(port)
    statuses = [client.send(NONSENSE[number % len(NONSENSE)])[0] for number in range(count)]
    after, _ = client.send(body)
    client.close()
    told = ", ".join(f"{statuses.count(status)} × {status}" for status in sorted(set(statuses)))
    return f"{count} malformed requests: {told}; an article after them: {after}"


@click.command()
@click.option("--clients", default=32, show_default=True)
@click.option("--seconds", default=120.0, show_default=True, help="Of each load.")
@click.option("--every", default=4.0, show_default=True, help="Mean seconds that a client rests between two articles.")
@click.option("--articles", "count", default=200, show_default=True)
def main(clients: int, seconds: float, every: float, count: int) -> None:
    """Measure and print Markdown."""
    texts = articles(count)
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    with service(clients) as port:
        load(port, bodies[:10], 1, 1.0)  # to warm up
        alone = load(port, bodies, 1, min(seconds, 30.0))
        paced = load(port, bodies, clients, seconds, every)
        restless = load(port, bodies, clients, seconds)
        after = healthy(port, 1000, bodies[0])
    words = statistics.median(len(text.split()) for text in texts)
    click.echo(f"{machine()}; {count} articles, {words:.0f} words in the middle one; {seconds:g} s each\n")
    click.echo("| load | clients | answers | errors | a second | p50, ms | p95, ms | p95 / p50 alone |")
    click.echo("|---|---:|---:|---:|---:|---:|---:|---:|")
    click.echo(alone.row("one client, one article after the other", alone.median))
    click.echo(paced.row(f"each rests {every:g} s in the mean between two articles", alone.median))
    click.echo(restless.row("each sends the next at once", alone.median))
    click.echo(f"\n{after}")


if __name__ == "__main__":
    run_command(main)
