"""Runs the exported network under ONNX Runtime. Needs no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from attackspan.errors import AttackspanError
from attackspan.model.viterbi import TAGS

Floats = npt.NDArray[np.float32]


class OnnxSession:
    """The two exported graphs: the encoder with its tagger, and the attribute and link heads.

    Each window runs alone and on one thread, as many at once as there are threads: nothing is padded, no thread waits
    for another in the middle of a layer, and what a window says does not depend on its neighbours in a batch.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self._encoder = _open(folder / "encoder.onnx")
        self._relations = _open(folder / "relations.onnx")
        threads = threads or available_cores()
        self._map = ThreadPoolExecutor(threads, "attackspan").map if threads > 1 else map

    def encode(self, windows: Sequence[npt.NDArray[np.int64]]) -> Iterator[tuple[Floats, Floats]]:
        """Tag logits (T, L, 5) and features (T, D) of each window's token ids (T,), in order.

        With several threads, work on all windows begins at once, before the first is asked for.
        """
        return self._map(self._encode, windows)

    def _encode(self, ids: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
        logits, features = self._encoder.run(("logits", "features"), {"input_ids": ids[None]})
        return logits.reshape(len(ids), -1, len(TAGS)), features[0]

    def relate(
        self, features: Floats, spans: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """Attribute logits (S, values) and link logits (P, roles); see ``network.Relations``."""
        inputs = {"features": features, "spans": spans, "pairs": pairs}
        values, links = self._relations.run(("attributes", "links"), inputs)
        return values, links


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(
            path,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # its kernel takes several times as long as the two it joins
        )
    except Exception as error:
        raise AttackspanError(f"{path}: onnxruntime cannot read it: {str(error).splitlines()[0]}") from error
