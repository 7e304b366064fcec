"""What every benchmark shares: real articles to run on, two sides measured in turn, the machine, a line of Markdown."""

from __future__ import annotations

import gzip
import json
import platform
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attackspan import formats
from attackspan.model.session import available_cores

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times faster ours is: the median over the rounds, with the least and the most."""

    ours: float
    theirs: float
    rounds: tuple[float, ...]

    def __str__(self) -> str:
        return f"{statistics.median(self.rounds):.1f}x ({min(self.rounds):.1f} to {max(self.rounds):.1f})"


def compare(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Ratio:
    """Time both sides in turn, so that whatever else the machine does falls on both; one round each to warm up.

    Returns:
        The median seconds of either side and the ratio of each round.
    """
    ours(), theirs()
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds)]
    mine, other = (statistics.median(side) for side in zip(*times, strict=True))
    return Ratio(mine, other, tuple(theirs_s / ours_s for ours_s, theirs_s in times))


def articles(count: int) -> list[str]:
    """Real articles: the shared development set, then the shared unlabelled news; the seeds where those are absent."""
    if not SHARED.is_dir():
        seeds = [document.text for document in formats.read([ROOT / "seeds"])]
        return (seeds * -(-count // len(seeds)))[:count]
    texts = [document.text for document in formats.read([SHARED / "corpus" / "dev"])][:count]
    with gzip.open(SHARED / "unlabelled" / "news.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            if len(texts) == count:
                break
            texts.append(json.loads(line)["text"])
    return texts


def machine() -> str:
    """The processor, its cores that this process may use, and the system."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file() and (found := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())):
        name = found.group(1)
    return f"{name}, {available_cores()} cores, {platform.system()}, Python {platform.python_version()}"


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
