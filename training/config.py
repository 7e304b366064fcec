"""The training configuration: a YAML file and ``key=value`` overrides, checked against one dataclass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from attackspan.errors import AttackspanError

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass
class TrainConfig:
    """What a training run is made of; configs/default.yaml explains each key.

    Raises:
        AttackspanError: by ``load_config``, where a key is unknown or missing or a value cannot be.
    """

    data: str = MISSING
    silver: list[str] = MISSING
    output: str = MISSING
    encoder: str = MISSING
    window: int = MISSING
    overlap: int = MISSING
    feature_size: int = MISSING
    dropout: float = MISSING
    epochs: float = MISSING
    batch_size: int = MISSING
    learning_rate: float = MISSING
    head_learning_rate: float = MISSING
    weight_decay: float = MISSING
    warmup: float = MISSING
    patience: int = MISSING
    precision: str = MISSING
    seed: int = MISSING
    tensorboard: bool = MISSING


def load_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a configuration.

    Args:
        path: a YAML file.
        overrides: ``key=value`` strings, stronger than the file.

    Raises:
        AttackspanError: the file is missing or no YAML, or a key or value is wrong; the message names it.
    """
    for override in overrides:
        if "=" not in override:
            raise AttackspanError(f"{override!r}: an override is written key=value")
    config = OmegaConf.structured(TrainConfig)
    for where, read in (
        (str(path), lambda: OmegaConf.load(path)),
        ("override", lambda: OmegaConf.from_dotlist(list(overrides))),
    ):
        try:
            config = OmegaConf.merge(config, read())
        except (OSError, YAMLError, OmegaConfBaseException, OverflowError, TypeError, ValueError) as error:
            key = getattr(error, "full_key", None)  # of OmegaConf's own errors
            place = f"{where}: {key}" if key else where
            hint = "; a list is written [one,other]" if "ListConfig" in str(error) else ""
            raise AttackspanError(f"{place}: {str(error).splitlines()[0].rstrip('.')}{hint}") from error
    if missing := sorted(OmegaConf.missing_keys(config)):
        raise AttackspanError(f"{path}: no value for {', '.join(map(str, missing))}")
    checked = cast(TrainConfig, OmegaConf.to_object(config))
    _require(path, "precision", checked.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
    _require(path, "window", checked.window > 0, "above 0")
    _require(path, "overlap", 0 <= checked.overlap < checked.window, "at least 0 and less than window")
    for name in ("epochs", "batch_size", "learning_rate", "head_learning_rate", "feature_size", "patience"):
        _require(path, name, getattr(checked, name) > 0, "above 0")
    for name in ("dropout", "warmup"):
        _require(path, name, 0 <= getattr(checked, name) < 1, "at least 0 and less than 1")
    return checked


def _require(path: Path, key: str, holds: bool, wanted: str) -> None:
    if not holds:
        raise AttackspanError(f"{path}: {key} has to be {wanted}")
