"""Our own rules (``attackspan suggest``): the floor. Nothing is trained."""

from __future__ import annotations

from pathlib import Path

from attackspan.eval.peers.adapter import Predict, main
from attackspan.training.suggest import suggest


def load(_: Path) -> Predict:
    """The rules, which need no folder."""
    return lambda documents: map(suggest, documents)


if __name__ == "__main__":
    main(load, parts=())
