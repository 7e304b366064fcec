"""The int8 export computes what torch computes, whatever the encoder's attention and positions are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoConfig

from attackspan.model.export import export
from attackspan.model.network import AttackspanConfig, AttackspanModel
from attackspan.model.session import OnnxSession
from attackspan.model.torch_session import TorchSession

SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 300}
ENCODERS = {
    "bert": {},
    "roberta": {"pad_token_id": 1, "max_position_embeddings": 140},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "modernbert": {"local_attention": 16, "global_attn_every_n_layers": 2, "pad_token_id": 0},
}
JOINED = {"bert", "roberta"}


@pytest.fixture(scope="module", params=ENCODERS)
def network(request: pytest.FixtureRequest) -> AttackspanModel:
    torch.manual_seed(1)
    encoder = AutoConfig.for_model(request.param, **{**SIZE, **ENCODERS[request.param]}).to_dict()
    return AttackspanModel(AttackspanConfig(encoder_config=encoder, feature_size=16)).eval()


def test_every_encoder_exports_to_what_it_computes(network: AttackspanModel, tmp_path: Path) -> None:
    # Windows as long as a token's vector: the pooler's input, a vector a text, then has the shape of the mask.
    ids = torch.randint(5, 300, (4, SIZE["hidden_size"]), generator=torch.Generator().manual_seed(2))
    export(network, tmp_path, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    windows = [np.arange(5, 5 + length) for length in (1, 7, 64, 130)]
    exported = list(OnnxSession(tmp_path, threads=2).encode(windows))
    reference = list(TorchSession(network).encode(windows))
    for ours, theirs in zip(exported, reference, strict=True):
        for left, right in zip(ours, theirs, strict=True):
            assert left.shape == right.shape
            assert np.corrcoef(left.ravel(), right.ravel())[0, 1] > 0.99
    types = {node.op_type for node in onnx.load(tmp_path / "encoder.onnx").graph.node}
    assert ("MultiHeadAttention" in types) == (network.encoder.config.model_type in JOINED)
    assert "MatMulInteger" in types
