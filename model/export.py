"""The trained network to ONNX: the encoder with its tagger in int8, the attribute and link heads in fp32."""

from __future__ import annotations

import ast
import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedModel

from attackspan.model.network import AttackspanModel
from attackspan.model.quantise import quantisable

_ATTENTION = "attackspan"
"""The name of ``_attention`` in transformers."""


def export(model: AttackspanModel, folder: Path, sample: Mapping[str, Tensor]) -> None:
    """Write ``encoder.onnx`` and ``relations.onnx`` into ``folder``.

    The encoder's matrix products and embeddings are quantised to int8: weights with one scale a channel, activations
    with one a tensor, found at run time. The heads are small and stay in float32.

    Args:
        model: the trained network.
        folder: it exists.
        sample: ``input_ids`` and ``attention_mask`` (B, T) of some training texts, by which the quantisation is set up.
    """
    model = model.float().cpu().eval()
    ready, in_float = quantisable(model, sample["input_ids"], sample["attention_mask"])
    _join_attention(ready.encoder, sample["input_ids"][:1, : int(sample["attention_mask"][0].sum())])
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        full = Path(scratch) / "encoder.onnx"
        torch.onnx.export(
            _Encoder(ready).eval(),
            (torch.ones((2, 9), dtype=torch.int64),),
            full,
            input_names=["input_ids"],
            output_names=["logits", "features"],
            dynamic_shapes=({0: batch, 1: time},),
            dynamo=True,
            external_data=False,
        )
        quantize_dynamic(
            full,
            folder / "encoder.onnx",
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=_nodes(full, in_float | {"tagger", "project"}),
        )
        features = torch.zeros((7, model.config.feature_size))
        spans, pairs = torch.tensor([[0, 2], [3, 4], [1, 6]]), torch.tensor([[0, 1], [2, 0]])
        tokens, span, pair = (torch.export.Dim(name) for name in ("tokens", "span", "pair"))
        torch.onnx.export(
            model.relations,
            (features, spans, pairs),
            folder / "relations.onnx",
            input_names=["features", "spans", "pairs"],
            output_names=["attributes", "links"],
            dynamic_shapes=({0: tokens}, {0: span}, {0: pair}),
            dynamo=True,
            external_data=False,
        )


def _nodes(path: Path, modules: Collection[str]) -> list[str]:
    """The graph's nodes that stem from these modules of the network, by the scopes that the exporter notes."""
    nodes = []
    for node in onnx.load(path).graph.node:
        scopes = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "[]")
        if any(scope.startswith(f"model.{module}") for scope in ast.literal_eval(scopes) for module in modules):
            nodes.append(node.name)
    return nodes


class _Encoder(nn.Module):
    """The part of the network that the tagger runs on every window; a window has no padding, so there is no mask."""

    def __init__(self, model: AttackspanModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        logits, features = self.model.encode(input_ids)
        return logits.flatten(2), features


def _join_attention(encoder: PreTrainedModel, ids: Tensor) -> None:
    """Have the encoder's attention exported as one node, which ONNX Runtime computes a block at a time, in cache.

    An encoder whose attention does more than softmax(q k / scale) v, as with relative positions or local windows, keeps
    its own in plain products; so does one that takes no other implementation.
    """
    encoder.set_attn_implementation("eager")
    with torch.inference_mode():
        expected = encoder(input_ids=ids).last_hidden_state
        try:
            encoder.set_attn_implementation(_ATTENTION)
            joined = encoder(input_ids=ids).last_hidden_state
        except ValueError:
            joined = None
    if joined is None or not torch.allclose(joined, expected, atol=1e-3):
        encoder.set_attn_implementation("eager")


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *, scaling: float, **_: object
) -> tuple[Tensor, None]:
    """Attention (B, T, H, D) of queries, keys and values (B, H, T, D): one node where a graph is exported."""
    if not torch.compiler.is_exporting():
        return functional.scaled_dot_product_attention(query, key, value, scale=scaling).transpose(1, 2), None
    batch, heads, time, size = query.shape
    inputs = [states.transpose(1, 2).reshape(batch, time, heads * size) for states in (query, key, value)]
    output = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        inputs,
        {"num_heads": heads, "scale": float(scaling)},
        dtype=query.dtype,
        shape=inputs[0].shape,
        version=1,
    )
    return output.view(batch, time, heads, size), None


AttentionInterface.register(_ATTENTION, _attention)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporters' chatter about versions and shapes is for their own developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
