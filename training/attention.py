"""Attention in bf16 for training on a CPU, where torch's fused kernel takes most of a step on its way back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

_NAME = "attackspan-bf16"


def use_bf16_products(encoder: PreTrainedModel, ids: Tensor) -> bool:
    """Have the encoder's attention computed as plain bf16 products under autocast, where that changes nothing else.

    An encoder whose attention is more than softmax(q k / scale + mask) v, as with relative positions, keeps its own; so
    does one that takes no other implementation.

    Args:
        encoder: on the CPU.
        ids: int64 (B, T), token ids to compare both ways on, in fp32.

    Returns:
        Whether the encoder has it now.
    """
    before: str = encoder.config._attn_implementation
    training = encoder.training
    encoder.eval()
    mask = torch.ones_like(ids)
    mask[:, ids.shape[1] // 2 :] = 0  # as if padded
    with torch.inference_mode():
        expected = encoder(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
        try:
            encoder.set_attn_implementation(_NAME)
            plain = encoder(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
            taken = encoder.config._attn_implementation == _NAME
            same = taken and torch.allclose(plain, expected, atol=1e-3)
        except ValueError:
            same = False
    if not same:
        encoder.set_attn_implementation(before)
    encoder.train(training)
    return same


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *, scaling: float, **_: object
) -> tuple[Tensor, None]:
    """Attention (B, T, H, D) of queries, keys and values (B, H, T, D); ``mask`` (B, 1 or H, T, T) is True to attend."""
    if query.dtype != torch.bfloat16:
        output = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scaling)
        return output.transpose(1, 2), None
    with torch.autocast("cpu", enabled=False):  # it would turn the softmax, and all copies of it, to fp32
        scores = (query * scaling) @ key.transpose(-1, -2)
        if mask is not None:
            scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, -1e4)
        return (scores.softmax(-1) @ value).transpose(1, 2), None


AttentionInterface.register(_NAME, _attention)
AttentionMaskInterface.register(_NAME, sdpa_mask)
