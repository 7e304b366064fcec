"""Whether and how the peers under torch compute in bf16."""

from __future__ import annotations

import torch


def bf16_here() -> bool:
    """Whether this CPU multiplies bf16 natively (AVX512-BF16, AMX, or its like)."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "sve_bf16", "arm_bf16"))


def autocast() -> torch.autocast:
    """bf16 autocast where the CPU has it, else nothing."""
    return torch.autocast("cpu", torch.bfloat16, enabled=bf16_here())
