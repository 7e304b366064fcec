"""Runs the exported network under ONNX Runtime. Needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from attackspan.errors import AttackspanError
from attackspan.model.viterbi import TAGS


class OnnxSession:
    """The two exported graphs: the encoder with its tagger, and the attribute and link heads."""

    def __init__(self, folder: Path) -> None:
        self._encoder = _open(folder / "encoder.onnx")
        self._relations = _open(folder / "relations.onnx")

    def encode(
        self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Tag logits (B, T, L, 5) and features (B, T, D) of token ids (B, T)."""
        logits, features = self._encoder.run(("logits", "features"), {"input_ids": ids, "attention_mask": mask})
        return logits.reshape(*ids.shape, -1, len(TAGS)), features

    def relate(
        self, features: npt.NDArray[np.float32], spans: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Attribute logits (S, values) and link logits (P, roles); see ``network.Relations``."""
        inputs = {"features": features, "spans": spans, "pairs": pairs}
        values, links = self._relations.run(("attributes", "links"), inputs)
        return values, links


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise AttackspanError(f"{path}: onnxruntime cannot read it: {str(error).splitlines()[0]}") from error
