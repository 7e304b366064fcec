"""Documents in a ``datasets.DatasetDict`` on disk: train, validation and test, with the schema beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from datasets import Dataset, DatasetDict, Features, Value, load_from_disk
from huggingface_hub import DatasetCardData

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.schema import Schema

SPLITS = ("train", "validation", "test")
SCHEMA = "schema.json"

_STRING = Value("string")
_FEATURES = Features(
    {
        "id": _STRING,
        "text": Value("large_string"),
        "title": _STRING,
        "source": _STRING,
        "date": _STRING,
        "spans": [
            {
                "id": _STRING,
                "label": _STRING,
                "start": Value("int64"),
                "end": Value("int64"),
                "attributes": [{"name": _STRING, "value": _STRING}],
            }
        ],
        "links": [{"role": _STRING, "head": _STRING, "tail": _STRING}],
    }
)


def to_dataset(documents: Sequence[Document]) -> Dataset:
    """One row a document; scores are not kept, for these are markings and not predictions."""
    rows = []
    for document in documents:
        row = document.to_dict()
        for span in row["spans"]:
            del span["text"], span["score"]
            span["attributes"] = [{"name": name, "value": value} for name, value in span["attributes"].items()]
        for link in row["links"]:
            del link["score"]
        rows.append(row)
    return Dataset.from_list(rows, features=_FEATURES)


def from_dataset(dataset: Dataset, schema: Schema) -> list[Document]:
    """The documents of one split, validated again."""
    documents = []
    for row in dataset:
        for span in row["spans"]:
            span["attributes"] = {one["name"]: one["value"] for one in span["attributes"]}
        documents.append(Document.from_dict(row, schema))
    return documents


def load_dataset(folder: str | Path) -> tuple[dict[str, list[Document]], Schema]:
    """The splits that ``attackspan build`` wrote (an empty one as an empty list), and their schema.

    Raises:
        AttackspanError: the folder is no such dataset.
    """
    folder = Path(folder)
    if not (folder / "dataset_dict.json").is_file():
        raise AttackspanError(f"{folder}: no dataset there; make one with: attackspan build DOCUMENTS -o {folder}")
    schema = Schema.load(folder / SCHEMA)
    try:
        loaded = load_from_disk(str(folder))
    except (OSError, ValueError) as error:
        raise AttackspanError(f"{folder}: unreadable dataset: {str(error).splitlines()[0]}") from error
    return {split: from_dataset(loaded[split], schema) if split in loaded else [] for split in SPLITS}, schema


def save_dataset(splits: dict[str, list[Document]], schema: Schema, folder: Path) -> None:
    """Write the splits that have documents, and the schema."""
    DatasetDict({split: to_dataset(documents) for split, documents in splits.items() if documents}).save_to_disk(
        str(folder)
    )
    (folder / SCHEMA).write_text(json.dumps(schema.to_dict(), indent=2) + "\n", "utf-8")


def metadata(splits: Iterable[str]) -> str:
    """The YAML of a dataset's card: it tells the hub and ``datasets.load_dataset`` where each split lies."""
    files = [{"split": split, "path": f"{split}/*.arrow"} for split in splits]
    return DatasetCardData(
        task_categories=["token-classification"],
        tags=["span-labelling"],
        configs=[{"config_name": "default", "data_files": files}],
    ).to_yaml()
