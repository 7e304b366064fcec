"""What several tests share: the shipped model, and a small encoder that trains in seconds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from samples import SEED

import attackspan
from attackspan.document import Document
from attackspan.formats import read_xml
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.predictor import Tagger

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest runs a process for each core


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return attackspan.load(DEFAULT)


@pytest.fixture(scope="session")
def seed() -> Document:
    return read_xml(SEED)


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two narrow layers with the packaged encoder's tokenizer."""
    import torch  # here, so that the tests of prediction run without the training extra too
    from transformers import BertConfig, BertModel

    from attackspan.training.encoder import packaged_encoder

    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, max_position_embeddings=128
    )
    BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(packaged_encoder() / name, folder)
    return folder
