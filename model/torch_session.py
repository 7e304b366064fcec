"""Runs the network under torch: in training, and on a GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attackspan.errors import AttackspanError
from attackspan.model.network import AttackspanModel

Floats = npt.NDArray[np.float32]

BATCH_TOKENS = {"cpu": 2_048, "cuda": 16_384}
"""Most tokens, padding included, that the network gets at once: enough to fill it, few enough for a CPU's cache."""


class TorchSession:
    """The counterpart of ``session.OnnxSession``, with the same methods.

    Args:
        model: the network, on the device to run on.
        bf16: multiply in bf16, else in fp32.
    """

    def __init__(self, model: AttackspanModel, bf16: bool = False) -> None:
        self.model = model
        self.bf16 = bf16

    @classmethod
    def load(cls, folder: Path, device: str) -> TorchSession:
        """Open a checkpoint's network on a device, such as ``cuda``; in bf16 on a GPU, in fp32 elsewhere.

        Raises:
            AttackspanError: torch has no such device.
        """
        try:
            model = AttackspanModel.from_pretrained(folder, dtype=torch.float32)
            model.to(device)  # type: ignore[arg-type]
        except (RuntimeError, AssertionError) as error:
            raise AttackspanError(f"device {device!r}: {str(error).splitlines()[0]}") from error
        return cls(model.eval(), bf16=model.device.type == "cuda")

    def encode(self, windows: Sequence[npt.NDArray[np.int64]]) -> Iterator[tuple[Floats, Floats]]:
        """Tag logits (T, L, 5) and features (T, D) of each window's token ids (T,), in order.

        Windows of like length share a batch.
        """
        order = sorted(range(len(windows)), key=lambda index: -len(windows[index]))
        outputs: dict[int, tuple[Floats, Floats]] = {}
        most = BATCH_TOKENS.get(self.model.device.type, BATCH_TOKENS["cuda"])
        while order:
            width = len(windows[order[0]])
            count = max(1, most // width)
            batch, order = order[:count], order[count:]
            ids, mask = np.zeros((2, len(batch), width), np.int64)
            for row, index in enumerate(batch):
                ids[row, : len(windows[index])] = windows[index]
                mask[row, : len(windows[index])] = 1
            with self._inference():
                pair = self.model.encode(self._tensor(ids), self._tensor(mask))
            logits, features = (output.float().cpu().numpy() for output in pair)
            for row, index in enumerate(batch):
                outputs[index] = (logits[row, : len(windows[index])], features[row, : len(windows[index])])
        return iter([outputs[index] for index in range(len(windows))])

    def relate(
        self, features: npt.NDArray[np.float32], spans: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Attribute logits (S, values) and link logits (P, roles)."""
        with self._inference():
            values, links = self.model.relations(self._tensor(features), self._tensor(spans), self._tensor(pairs))
        return values.float().cpu().numpy(), links.float().cpu().numpy()

    @contextlib.contextmanager
    def _inference(self) -> Iterator[None]:
        with torch.inference_mode(), torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.bf16):
            yield

    def _tensor(self, array: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.model.device)
