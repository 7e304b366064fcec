"""attackspan reads news about attacks and returns labelled spans: who did it, who says so, who condemned what.

>>> import attackspan
>>> document = attackspan.predict("The ministry condemned the bombing.")  # doctest: +SKIP
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attackspan.automodel import register
from attackspan.document import Document, Link, Span, Statement
from attackspan.errors import AttackspanError, extra
from attackspan.schema import Schema, default_schema

if TYPE_CHECKING:
    from attackspan.model.network import AttackspanConfig as AttackspanConfig
    from attackspan.model.network import AttackspanModel as AttackspanModel
    from attackspan.model.predictor import Tagger

__version__ = "0.1.0"
__all__ = [
    "AttackspanError",
    "Document",
    "Link",
    "Schema",
    "Span",
    "Statement",
    "default_schema",
    "load",
    "predict",
]


def load(name: str | Path, *, device: str = "cpu", threads: int | None = None) -> Tagger:
    """Open a fine-tuned model.

    Args:
        name: a checkpoint folder, as ``attackspan train`` writes it, or a hub id (``user/name``).
        device: ``cpu`` runs the int8 export, without torch; ``cuda`` runs the network under torch in bf16.
        threads: on the CPU, how many windows of text to work on at once; all of the process's cores by default.

    Returns:
        A tagger: ``tagger.predict(texts)`` streams Documents for any iterable of texts.

    Raises:
        AttackspanError: there is no such model, a file of it is missing or altered, or there is no such device.
    """
    from attackspan.model.predictor import Tagger  # numpy and onnxruntime only once they are needed

    return Tagger.load(name, device=device, threads=threads)


def predict(text: str) -> Document:
    """Label one text with the model that ships with the package, which is opened on the first call."""
    return _default().predict(text)


@cache
def _default() -> Tagger:
    from attackspan.model.checkpoint import DEFAULT

    return load(DEFAULT)


def __getattr__(name: str) -> Any:
    """The transformers classes, for which torch is imported only once they are asked for."""
    if name not in ("AttackspanConfig", "AttackspanModel"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extra("train"):
        from attackspan.model import network
    return getattr(network, name)


register()
