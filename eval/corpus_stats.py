"""What a corpus holds, as Markdown: the marginals of its plan, its words, how alike its documents are, its spans.

    python -m attackspan.eval.corpus_stats seeds ../shared/corpus/train > seeds/STATS.md

Each argument is a folder of documents; the corpora stand side by side. A folder with a ``plan.csv`` also shows that
plan's genres, regions and countries.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from attackspan import formats
from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.schema import default_schema

GRAM = 5
"""Words in a row that two documents share by chance only in set phrases."""
SEGMENT = 1000
"""Words a type-token ratio is taken over, for it falls with length; the mean over all segments is shown."""
LENGTHS = (0, 100, 250, 600, 10**9)
ERAS = (0, 1995, 2005, 2013, 2020, 10**9)

_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents, with what their plan says of each (empty without a plan)."""

    name: str
    documents: Sequence[Document]
    plan: dict[str, dict[str, str]]


def load(folder: Path) -> Corpus:
    """Read the documents of a folder, its subfolders included, and its ``plan.csv`` where it has one.

    Raises:
        AttackspanError: no document there, or the plan lacks a document that it should list.
    """
    plan_file = folder / "plan.csv"
    documents = list(formats.read([folder]))
    if not plan_file.is_file():
        return Corpus(folder.name, documents, {})
    with plan_file.open(encoding="utf-8", newline="") as file:
        plan = {row["id"]: row for row in csv.DictReader(file)}
    documents = [document for document in documents if document.source == "attackspan"]
    if unplanned := [document.id for document in documents if document.id not in plan]:
        raise AttackspanError(f"{plan_file}: no row for {', '.join(unplanned)}")
    return Corpus(folder.name, documents, plan)


def words(document: Document) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(document.text.lower())


def type_token_ratio(documents: Iterable[Document]) -> float:
    """Different words as a share of all, the mean over segments of ``SEGMENT`` words of all texts in a row.

    Johnson, Studies in language behavior, 1944 (the mean segmental type-token ratio).
    """
    running = [word for document in documents for word in words(document)]
    segments = [running[at : at + SEGMENT] for at in range(0, len(running) - SEGMENT + 1, SEGMENT)] or [running]
    return sum(len(set(segment)) / max(len(segment), 1) for segment in segments) / len(segments)


def overlaps(documents: Sequence[Document]) -> list[tuple[float, str, str]]:
    """Pairs of documents that share ``GRAM``-grams: which share of the shorter one's; the largest first."""
    grams = []
    for document in documents:
        tokens = words(document)
        grams.append({tuple(tokens[at : at + GRAM]) for at in range(len(tokens) - GRAM + 1)})
    holders: dict[tuple[str, ...], list[int]] = {}
    for index, one in enumerate(grams):
        for gram in one:
            holders.setdefault(gram, []).append(index)
    shared = Counter(pair for indices in holders.values() for pair in combinations(indices, 2))
    shares = [
        (count / min(len(grams[left]), len(grams[right])), documents[left].id, documents[right].id)
        for (left, right), count in shared.items()
    ]
    return sorted(shares, reverse=True)


def marginals(corpus: Corpus) -> dict[str, Counter[str]]:
    """Documents in each class of each dimension; a document with two kinds of attack counts in both."""
    every: dict[str, Callable[[Document], Iterable[str]]] = {
        "kind": lambda one: {span.attributes["kind"] for span in one.spans if span.label == "attack"} or {"no attack"},
        "stance": lambda one: {span.attributes["stance"] for span in one.spans if span.label == "attribution"},
        "era": lambda one: [era(one)],
        "words": lambda one: [band(len(one.text.split()), LENGTHS)],
    }
    for column in ("genre", "region", "country") if corpus.plan else ():
        every[column] = lambda one, column=column: [corpus.plan[one.id][column]]  # type: ignore[misc]
    return {
        name: Counter(value for document in corpus.documents for value in sorted(values(document)))
        for name, values in every.items()
    }


def report(corpora: Sequence[Corpus]) -> str:
    """The Markdown page."""
    sizes = [sum(len(document.text.split()) for document in corpus.documents) for corpus in corpora]
    closest = [overlaps(corpus.documents) for corpus in corpora]
    rows = {
        "documents": [f"{len(corpus.documents):,}" for corpus in corpora],
        "words": [f"{size:,}" for size in sizes],
        "words a document, mean": [
            f"{size / len(corpus.documents):.0f}" for size, corpus in zip(sizes, corpora, strict=True)
        ],
        f"type-token ratio, mean over {SEGMENT} words": [
            f"{type_token_ratio(corpus.documents):.3f}" for corpus in corpora
        ],
        f"most {GRAM}-grams shared by two documents": [
            f"{found[0][0]:.1%} ({found[0][1]}, {found[0][2]})" if found else "0" for found in closest
        ],
        f"pairs that share over 5 % of their {GRAM}-grams": [
            str(sum(share > 0.05 for share, *_ in found)) for found in closest
        ],
        "documents without a span": [str(sum(not one.spans for one in corpus.documents)) for corpus in corpora],
    }
    for label in default_schema().names:
        counts = [sum(span.label == label for one in corpus.documents for span in one.spans) for corpus in corpora]
        rows[f"{label} spans (a 1,000 words)"] = [
            f"{count:,} ({1000 * count / size:.1f})" for count, size in zip(counts, sizes, strict=True)
        ]
    page = ["# Corpus statistics", "", "Made by `python -m attackspan.eval.corpus_stats`; see there for the terms.", ""]
    page += _table(["", *(corpus.name for corpus in corpora)], [[name, *cells] for name, cells in rows.items()])
    tables = [marginals(corpus) for corpus in corpora]
    for dimension in dict.fromkeys(name for table in tables for name in table):
        having = [
            (corpus.name, table[dimension]) for corpus, table in zip(corpora, tables, strict=True) if dimension in table
        ]
        values = sorted({value for _, counts in having for value in counts})
        page += ["", f"## Documents by {dimension}", ""]
        page += _table(
            [dimension, *(name for name, _ in having)], [[v, *(str(c[v]) for _, c in having)] for v in values]
        )
    return "\n".join(page) + "\n"


def era(document: Document) -> str:
    """The class of the year of its date."""
    year = _YEAR.search(document.date)
    return band(int(year.group()), ERAS) if year else "no year"


def band(value: int, edges: Sequence[int]) -> str:
    """The name of the class that a number falls in, between two of the edges."""
    low, high = next((low, high) for low, high in pairwise(edges) if low <= value < high)
    if high == edges[-1]:
        return f"{low} on"
    return f"before {high}" if low == 0 else f"{low} to {high - 1}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" for _ in header[1:])]
    return [f"| {' | '.join(row)} |" for row in (header, rule, *rows)]


if __name__ == "__main__":
    print(report([load(Path(argument)) for argument in sys.argv[1:]]), end="")
