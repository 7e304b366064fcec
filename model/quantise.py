"""What the network needs before its matrix products go to int8: smooth activations, and embeddings in int8 by row.

Activations are quantised with one scale a tensor, so a few large channels cost all others their precision.
Xiao et al., SmoothQuant, ICML 2023: divide each input channel of a linear layer by a factor and multiply its weights
by the same, which changes nothing in float. Here each layer gets the exponent, which balances the two, that makes the
least error on sample texts; a layer whose error stays large is left in float.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from attackspan.model.network import AttackspanModel

EXPONENTS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""How much of the activations' range moves into the weights: the choices for each layer."""
LARGE_ERROR = 1.5e-3
"""Squared error of a layer's output, relative to the output's own square, above which the layer stays in float."""


def quantisable(model: AttackspanModel, ids: Tensor, mask: Tensor) -> tuple[AttackspanModel, frozenset[str]]:
    """A copy of the network that computes the same in float and loses little in int8.

    Args:
        model: the trained network, on the CPU.
        ids: int64 (B, T), token ids of sample texts.
        mask: int64 (B, T).

    Returns:
        The copy, and the names of the linear layers in it that should stay in float.
    """
    inputs = _inputs(model, ids, mask)
    ready = copy.deepcopy(model).eval()
    kept = set()
    for name, sample in inputs.items():
        parent, _, last = name.rpartition(".")
        layer = model.encoder.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        smooth, error = min((_smoothed(layer, sample, exponent) for exponent in EXPONENTS), key=lambda pair: pair[1])
        setattr(ready.encoder.get_submodule(parent), last, smooth)
        if error > LARGE_ERROR:
            kept.add(f"encoder.{name}")
    ready.encoder.set_input_embeddings(_Int8Embedding(model.encoder.get_input_embeddings().weight.detach()))
    return ready, frozenset(kept)


class _SmoothLinear(nn.Module):
    """A linear layer with its input channels divided by factors that its weights were multiplied by."""

    def __init__(self, layer: nn.Linear, factors: Tensor) -> None:
        super().__init__()
        self.shrink = nn.Parameter(1 / factors)
        self.linear = copy.deepcopy(layer)
        self.linear.weight.data = layer.weight.detach() * factors

    def forward(self, states: Tensor) -> Tensor:
        return self.linear(states * self.shrink)  # type: ignore[no-any-return]


class _Int8Embedding(nn.Module):
    """An embedding table in int8 with one scale a row."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
        self.register_buffer("scale", scale)
        self.register_buffer("rows", (weight / scale).round().to(torch.int8))

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows[ids].float() * self.scale[ids]  # type: ignore[index]


def _inputs(model: AttackspanModel, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """What each linear layer of the encoder gets to see: (tokens, channels)."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> object:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if inputs[0].shape[:2] == mask.shape:  # a pooler sees one token a text; nobody uses what it makes of it
                seen[name] = inputs[0].detach()[mask.bool()]

        return hook

    layers = [(name, layer) for name, layer in model.encoder.named_modules() if isinstance(layer, nn.Linear)]
    handles = [layer.register_forward_hook(keep(name)) for name, layer in layers]  # type: ignore[arg-type]
    with torch.inference_mode():
        model.eval().encode(ids, mask)
    for handle in handles:
        handle.remove()
    return seen


def _smoothed(layer: nn.Linear, sample: Tensor, exponent: float) -> tuple[_SmoothLinear, float]:
    """The layer smoothed by this exponent, and the relative squared error that int8 would make with it."""
    activations = sample.abs().amax(0).clamp(min=1e-3)
    weights = layer.weight.detach().abs().amax(0).clamp(min=1e-3)
    factors = activations**exponent / weights ** (1 - exponent)
    smooth = _SmoothLinear(layer, factors / factors.median())
    with torch.inference_mode():
        exact = sample @ layer.weight.T
        error = _as_uint8(sample * smooth.shrink) @ _as_int8(smooth.linear.weight).T - exact
        return smooth, float(error.square().sum() / exact.square().sum())


def _as_uint8(values: Tensor) -> Tensor:
    """Rounded as ONNX's DynamicQuantizeLinear does: one scale and zero point for all."""
    low, high = values.min().clamp(max=0), values.max().clamp(min=0)
    scale = (high - low).clamp(min=1e-12) / 255
    zero = (-low / scale).round()
    return ((values / scale).round() + zero).clamp(0, 255).sub(zero) * scale


def _as_int8(weights: Tensor) -> Tensor:
    """Rounded with one scale for each output channel."""
    scale = weights.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
    return (weights / scale).round() * scale
