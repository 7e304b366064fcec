"""Our own model: a checkpoint that ``attackspan train`` wrote. It is not trained here."""

from __future__ import annotations

from pathlib import Path

import attackspan
from attackspan.eval.peers.adapter import Predict, main

PARTS = ("encoder.onnx", "relations.onnx", "config.json", "tokenizer.json")


def load(folder: Path) -> Predict:
    """The int8 export of a checkpoint's folder."""
    return attackspan.load(folder).predict


if __name__ == "__main__":
    main(load, parts=PARTS)
