"""The dataset builder: annotated documents of any format to train, validation and test splits on disk."""

from __future__ import annotations

import json
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from datasketch import MinHash, MinHashLSH

from attackspan import formats
from attackspan.document import Document, Span, data_hash
from attackspan.errors import AttackspanError
from attackspan.formats.folder import sources
from attackspan.model.checkpoint import sha256
from attackspan.model.tokens import Tokenizer, Tokens
from attackspan.schema import Schema
from attackspan.training.dataset import metadata, save_dataset
from attackspan.training.examples import align

NEAR_DUPLICATE = 0.6
"""Estimated Jaccard similarity of two documents' word 5-grams from which they count as near-duplicates."""


@dataclass(frozen=True, slots=True)
class Built:
    """What ``build`` wrote: the documents of each split, the spans it widened, near-duplicates across given splits."""

    splits: Mapping[str, list[Document]]
    snapped: Sequence[str]
    straddling: Sequence[tuple[str, str]]


def build(
    inputs: Mapping[str, Sequence[Path]],
    output: Path,
    schema: Schema,
    tokenizer: Tokenizer,
    *,
    shares: tuple[float, float] = (0.1, 0.1),
    seed: int = 13,
    snap: bool = False,
) -> Built:
    """Read documents, check them, split them and write the dataset with its schema and card.

    Args:
        inputs: split name to files and folders, taken as they are; or the one key ``all``, which is split by document.
        output: a folder that does not exist yet. It appears whole or not at all.
        schema: the labels that the documents may carry.
        tokenizer: the encoder's, for spans have to fall on its tokens.
        shares: of the documents for validation and test, where they are split here.
        seed: of the split.
        snap: widen a span that begins or ends inside a token to the whole token, and list it in the card.

    Returns:
        The documents as written.

    Raises:
        AttackspanError: a document is not valid, an id stands twice, the output exists, there are too few documents to
            split, or spans do not fall on token boundaries (all are listed).
    """
    if output.exists():
        raise AttackspanError(f"{output}: exists already; remove it or choose another -o")
    splits = {name: list(formats.read(paths, schema)) for name, paths in inputs.items()}
    _require_unique(splits)
    snapped = _require_aligned(splits, tokenizer, snap)
    if "all" in splits:
        splits = split(splits["all"], shares, seed)
    if not splits.get("train"):
        raise AttackspanError("no training documents; give at least one")
    where = {document.id: name for name, documents in splits.items() for document in documents}
    everything = [document for documents in splits.values() for document in documents]
    straddling = [(a, b) for a, b in near_duplicates(everything) if where[a] != where[b]]
    built = Built(splits, snapped, straddling)
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        save_dataset(splits, schema, scratch)
        files = [file for paths in inputs.values() for file in formats.files(paths)]
        hashes = {str(path): sha256(path) for file in files for path in sources(file)}
        digest = data_hash(everything)
        record = {"data_sha256": digest, "seed": seed, "snapped": snapped, "inputs_sha256": hashes}
        (scratch / "build.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
        (scratch / "README.md").write_text(card(built, schema, digest, seed), "utf-8")
        scratch.chmod(0o755)
        scratch.replace(output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return built


def split(documents: Sequence[Document], shares: tuple[float, float], seed: int) -> dict[str, list[Document]]:
    """Deal documents to train, validation and test; near-duplicates go to one side together.

    Raises:
        AttackspanError: there are fewer than three documents that are not near-duplicates of each other.
    """
    groups = _groups(documents, near_duplicates(documents))
    if len(groups) < 3:
        raise AttackspanError(
            f"{len(documents)} documents make {len(groups)} groups of near-duplicates, too few to split in three; "
            "add documents, or give the splits with --train and --validation"
        )
    random.Random(seed).shuffle(groups)
    dealt: dict[str, list[Document]] = {"train": [], "validation": [], "test": []}
    wanted = {
        name: max(1, round(share * len(documents))) for name, share in zip(("validation", "test"), shares, strict=True)
    }
    for group in groups:
        name = next((name for name, count in wanted.items() if len(dealt[name]) < count), "train")
        dealt[name] += group
    return dealt


def near_duplicates(documents: Sequence[Document]) -> list[tuple[str, str]]:
    """Pairs of ids of documents whose texts are nearly the same.

    MinHash signatures with locality-sensitive hashing (Broder 1997; Indyk and Motwani 1998) on word 5-grams.
    """
    index = MinHashLSH(threshold=NEAR_DUPLICATE, num_perm=128)
    pairs = []
    for document in documents:
        words = re.findall(r"\w+", document.text.lower())
        signature = MinHash(num_perm=128)
        signature.update_batch(
            [" ".join(words[i : i + 5]).encode("utf-8", "replace") for i in range(max(1, len(words) - 4))]
        )
        pairs += [(str(other), document.id) for other in index.query(signature)]
        index.insert(document.id, signature)
    return pairs


def card(built: Built, schema: Schema, digest: str, seed: int) -> str:
    """The dataset's card, with the hub's metadata: counts, lengths, and what was widened or is nearly the same."""
    splits = {name: documents for name, documents in built.splits.items() if documents}
    counts = {name: _counts(documents) for name, documents in splits.items()}
    rows = ["documents", "words", *schema.names]
    rows += [f"{label.name}.{a.name}={value}" for label, a in schema.attributes for value in a.names]
    rows += [f"{label.name}.{role.name} (links)" for label, role in schema.roles]
    lines = ["---", metadata(splits), "---", ""]
    lines += ["# Dataset", "", f"data sha256 `{digest}`, seed {seed}. Each input file's sha256 is in build.json.", ""]
    lines += [f"| | {' | '.join(splits)} |", "|---|" + "---:|" * len(splits)]
    lines += [f"| {row} | {' | '.join(str(count[row]) for count in counts.values())} |" for row in rows]
    for name, documents in splits.items():
        lengths = [len(document.text.split()) for document in documents]
        quarters = ", ".join(f"{value:.0f}" for value in np.quantile(lengths, (0, 0.25, 0.5, 0.75, 1)))
        lines += ["", f"Words a document in {name} (least, quartiles, most): {quarters}."]
    if built.snapped:
        lines += [
            "",
            f"{len(built.snapped)} spans widened to whole tokens:",
            "",
            *(f"- {one}" for one in built.snapped),
        ]
    if built.straddling:
        lines += ["", "Near-duplicates that the given splits hold on two sides:", ""]
        lines += [f"- {a} and {b}" for a, b in built.straddling]
    return "\n".join(lines) + "\n"


def _counts(documents: Sequence[Document]) -> Counter[str]:
    counts: Counter[str] = Counter(documents=len(documents))
    for document in documents:
        counts["words"] += len(document.text.split())
        labels = {span.id: span.label for span in document.spans}
        for span in document.spans:
            counts[span.label] += 1
            counts.update(f"{span.label}.{name}={value}" for name, value in span.attributes.items())
        counts.update(f"{labels[link.head]}.{link.role} (links)" for link in document.links)
    return counts


def _require_unique(splits: Mapping[str, Sequence[Document]]) -> None:
    ids = Counter(document.id for documents in splits.values() for document in documents)
    if twice := [name for name, count in ids.items() if count > 1]:
        raise AttackspanError(f"document id {twice[0]!r} stands in {ids[twice[0]]} documents; ids have to be unique")


def _require_aligned(splits: dict[str, list[Document]], tokenizer: Tokenizer, snap: bool) -> list[str]:
    """Check that every span falls on token boundaries; with ``snap`` widen those that do not, and say which."""
    problems = []
    for documents in splits.values():
        for index, document in enumerate(documents):
            tokens = tokenizer.encode([document.text])[0]
            _, astray = align(document, tokens)
            problems += [
                f"{document.id}: {one.label} {one.id!r} [{one.start}:{one.end}] {one.text[:40]!r}" for one in astray
            ]
            if astray and snap:
                wide = {one.id: _widen(one, document, tokens) for one in astray}
                documents[index] = replace(document, spans=tuple(wide.get(one.id, one) for one in document.spans))
    if problems and not snap:
        listed = "; ".join(problems)
        raise AttackspanError(
            f"{len(problems)} spans begin or end inside a token (--snap widens them to whole tokens): {listed}"
        )
    return problems


def _widen(span: Span, document: Document, tokens: Tokens) -> Span:
    starts, ends = tokens.starts[tokens.units], tokens.ends[tokens.units]
    touched = np.flatnonzero((starts < span.end) & (ends > span.start))
    if not len(touched):
        raise AttackspanError(f"document {document.id!r}: {span.label} {span.id!r} covers no token of this encoder")
    start, end = int(starts[touched[0]]), int(ends[touched[-1]])
    return replace(span, start=start, end=end, text=document.text[start:end])


def _groups(documents: Sequence[Document], pairs: Iterable[tuple[str, str]]) -> list[list[Document]]:
    """Documents tied by ``pairs``, directly or through others, in lists."""
    group = {document.id: [document] for document in documents}
    for a, b in pairs:
        if group[a] is not group[b]:
            group[a] += group[b]
            for document in group[b]:
                group[document.id] = group[a]
    return list({id(one): one for one in group.values()}.values())
