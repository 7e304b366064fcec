"""What the network needs before its matrix products go to int8: smooth activations, and embeddings in int8 by row.

Activations are quantised with one scale a tensor, so a few large channels cost all others their precision. Remedies:
Xiao et al., SmoothQuant, ICML 2023: divide each input channel of a linear layer by a factor and multiply its weights
by the same, which changes nothing in float. Here each layer gets the exponent, which balances the two, that makes the
least error on sample texts. Dettmers et al., LLM.int8(), NeurIPS 2022: where the error stays large, the few largest
channels are multiplied in float, the others in int8.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from attackspan.model.network import AttackspanModel

EXPONENTS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""How much of the activations' range moves into the weights: the choices for each layer."""
LARGE_ERROR = 2e-4
"""Squared error of a layer's output, as a share of the output's, above which its largest channels stay in float."""
LARGE_CHANNELS = 8
"""How many those are."""


def quantisable(model: AttackspanModel, ids: Tensor, mask: Tensor) -> tuple[AttackspanModel, frozenset[str]]:
    """A copy of the network that computes the same in float and loses little in int8.

    Args:
        model: the trained network, on the CPU.
        ids: int64 (B, T), token ids of sample texts.
        mask: int64 (B, T).

    Returns:
        The copy, and the names of the linear layers in it that should stay in float.
    """
    ready = copy.deepcopy(model).eval()
    in_float = set()
    for names, sample in _inputs(model, ids, mask):
        layers = [model.encoder.get_submodule(name) for name in names]
        weight = torch.cat([layer.weight.detach() for layer in layers])
        factors, error = _smoothest(weight, sample)
        none = torch.zeros(0, dtype=torch.int64)
        share = _Share(factors, none)
        if error > LARGE_ERROR:
            channels = sample.abs().amax(0).topk(min(LARGE_CHANNELS, sample.shape[1])).indices
            share = _Share(_smoothest(weight, sample.index_fill(1, channels, 0.0))[0], channels)
            in_float |= {f"encoder.{name}.large" for name in names}
        for name, layer in zip(names, layers, strict=True):
            parent, _, last = name.rpartition(".")
            setattr(ready.encoder.get_submodule(parent), last, _SmoothLinear(layer, share))
    ready.encoder.set_input_embeddings(_Int8Embedding(model.encoder.get_input_embeddings().weight.detach()))
    return ready, frozenset(in_float)


class _Share(nn.Module):
    """A layer's input in two: all channels divided by their factors, for int8, and the largest ones as they are.

    One for all layers that read the same input, so that it is divided and quantised once.
    """

    def __init__(self, factors: Tensor, large: Tensor) -> None:
        super().__init__()
        self.factors = factors
        self.register_buffer("shrink", (1 / factors).index_fill(0, large, 0.0))
        self.register_buffer("large", large)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        return states * self.shrink, states.index_select(-1, self.large)  # type: ignore[arg-type, operator]


class _SmoothLinear(nn.Module):
    """A linear layer in two: its weights multiplied by its input's factors, and those of the largest channels."""

    def __init__(self, layer: nn.Linear, share: _Share) -> None:
        super().__init__()
        self.share = share
        self.linear = copy.deepcopy(layer)
        self.linear.weight.data = layer.weight.detach() * share.factors
        channels: Tensor = share.large  # type: ignore[assignment]
        self.large = None
        if len(channels):
            self.large = nn.Linear(len(channels), layer.out_features, bias=False)
            self.large.weight.data = layer.weight.detach()[:, channels]

    def forward(self, states: Tensor) -> Tensor:
        shrunk, large = self.share(states)
        output: Tensor = self.linear(shrunk)
        return output if self.large is None else output + self.large(large)


class _Int8Embedding(nn.Module):
    """An embedding table in int8 with one scale a row."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
        self.register_buffer("scale", scale)
        self.register_buffer("rows", (weight / scale).round().to(torch.int8))

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows[ids].float() * self.scale[ids]  # type: ignore[index]


def _inputs(model: AttackspanModel, ids: Tensor, mask: Tensor) -> list[tuple[list[str], Tensor]]:
    """The linear layers of the encoder, by what they read: names and their common input (tokens, channels)."""
    seen: list[tuple[list[str], Tensor]] = []

    def keep(name: str) -> object:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if inputs[0].shape[:-1] != mask.shape:
                return  # a pooler sees one token a text; nobody uses what it makes of it
            sample = inputs[0].detach()[mask.bool()]
            for names, other in seen:
                if sample.shape == other.shape and torch.equal(sample, other):
                    names.append(name)
                    return
            seen.append(([name], sample))

        return hook

    layers = [(name, layer) for name, layer in model.encoder.named_modules() if isinstance(layer, nn.Linear)]
    handles = [layer.register_forward_hook(keep(name)) for name, layer in layers]  # type: ignore[arg-type]
    with torch.inference_mode():
        model.eval().encode(ids, mask)
    for handle in handles:
        handle.remove()
    return seen


def _smoothest(weight: Tensor, sample: Tensor) -> tuple[Tensor, float]:
    """The factors of the input's channels by the best exponent, and the relative squared error that int8 makes then."""
    exact = sample @ weight.T
    choices = []
    for exponent in EXPONENTS:
        activations = sample.abs().amax(0).clamp(min=1e-3)
        weights = weight.abs().amax(0).clamp(min=1e-3)
        factors = activations**exponent / weights ** (1 - exponent)
        factors = factors / factors.median()
        error = _as_uint8(sample / factors) @ _as_int8(weight * factors).T - exact
        choices.append((factors, float(error.square().sum() / exact.square().sum())))
    return min(choices, key=lambda pair: pair[1])


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
