"""Compute a member of a model folder with OpenVINO, from its ONNX file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from lentigo.errors import ModelError
from lentigo.machine import cores
from lentigo.models.backend import Logits
from lentigo.models.onnx_engine import OnnxPredictor, opened, predictor_of, read_network
from lentigo.models.schema import Description, Member
from lentigo.models.signal_stack import kept_signal_stack


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    """A compiled OpenVINO network with the `run` method of an ONNX Runtime session."""

    network: Any

    def run(self, _: None, given: dict[str, NDArray[Any]]) -> list[Logits]:
        with kept_signal_stack():
            answer = self.network(given)
        return [np.asarray(answer[output]) for output in self.network.outputs]


def load_member(
    folder: Path, description: Description, member: Member, engine: str = "openvino"
) -> OnnxPredictor:
    """Load the network `member` of a model folder into OpenVINO.

    Raises `ModelError` if its file is not the one described in `model.json`, is no plain
    feed-forward network, or does not answer for a black image.
    """
    path, content = read_network(folder, description, member, engine)
    settings = {
        # Exact: it would take bf16 where the processor has it.
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": cores(),
    }

    def compiled() -> Any:
        with kept_signal_stack():
            core = openvino.Core()
            return core.compile_model(core.read_model(content, b""), "CPU", settings)

    try:
        network = opened(path, content, compiled)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(
            f"{path} cannot be run by OpenVINO: {reason}. Take another engine."
        ) from error
    compiled_network = _Compiled(network=network)
    return predictor_of(compiled_network, path, member, engine=engine, size=len(content))
