"""Whether this machine multiplies bf16 natively."""

from __future__ import annotations

import torch


def bf16_here() -> bool:
    """Whether there is a GPU that does, or a CPU with AVX512-BF16, AMX or its like."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "sve_bf16", "arm_bf16"))
