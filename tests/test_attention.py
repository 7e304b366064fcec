"""Training in bf16 computes what the encoder's own attention does; memory settings survive a restart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_export import ENCODERS, SIZE
from transformers import AutoConfig, AutoModel

from attackspan.training.attention import use_bf16_products
from attackspan.training.memory import TUNABLES

IDS = torch.randint(5, 300, (3, 60), generator=torch.Generator().manual_seed(3))
MASK = (torch.arange(60) < torch.tensor([[60], [41], [7]])).long()


@pytest.mark.parametrize("name", ENCODERS)
def test_bf16_products_change_neither_states_nor_gradients(name: str) -> None:
    torch.manual_seed(1)
    settings = {**SIZE, **ENCODERS[name], "attention_dropout": 0.0, "attention_probs_dropout_prob": 0.0}
    encoder = AutoModel.from_config(AutoConfig.for_model(name, **settings)).eval()

    def run(bf16: bool) -> tuple[torch.Tensor, torch.Tensor]:
        encoder.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            states = encoder(input_ids=IDS, attention_mask=MASK).last_hidden_state[MASK.bool()].float()
        (states * torch.linspace(-1, 1, states.numel()).reshape(states.shape)).sum().backward()
        gradient = encoder.get_input_embeddings().weight.grad
        assert gradient is not None
        return states.detach(), gradient.clone()

    expected, slope = run(bf16=False)
    assert use_bf16_products(encoder, IDS[:1]) == (name != "deberta-v2")  # which adds positions to its scores
    states, gradient = run(bf16=True)
    assert torch.allclose(states, expected, atol=0.1)
    assert torch.corrcoef(torch.stack((gradient.ravel(), slope.ravel())))[0, 1] > 0.99


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
@pytest.mark.parametrize("given", [None, "glibc.malloc.top_pad=1"])
def test_the_restarted_program_has_its_arguments_and_the_settings(given: str | None, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\nfrom attackspan.training.memory import restart_with_huge_pages\n"
        "print('began')\nrestart_with_huge_pages()\nprint(os.environ['GLIBC_TUNABLES'], sys.argv[1:], os.getpid())\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    environment |= {"GLIBC_TUNABLES": given} if given else {}
    process = subprocess.Popen(
        [sys.executable, program, "a b", "-x"], env=environment, stdout=subprocess.PIPE, text=True
    )
    shown = process.communicate()[0].splitlines()
    assert process.returncode == 0
    assert shown.count("began") == (1 if given else 2)
    assert shown[-1] == f"{given or TUNABLES} ['a b', '-x'] {process.pid}"
