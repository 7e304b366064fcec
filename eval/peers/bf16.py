"""How the peers under torch compute: in bf16 where the CPU has it."""

from __future__ import annotations

import torch

from attackspan.model.bf16 import bf16_here


def autocast() -> torch.autocast:
    """bf16 autocast where this machine multiplies bf16 natively, else nothing."""
    return torch.autocast("cpu", torch.bfloat16, enabled=bf16_here())
