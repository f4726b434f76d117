"""Trace a network for ONNX once for all test processes.

A process traces networks of one structure once (`lentigo.models.onnx_export`); a trace
takes 4 s. The processes of one session share them here through files, which give the same
bytes.
"""

from __future__ import annotations

from functools import wraps
from pathlib import Path

import torch
from torch import nn

from lentigo.files import written_beside
from lentigo.models import onnx_export
from lentigo.models.network import Classifier


def trace_once(folder: Path) -> None:
    """Keep in `folder` what the exporter traces, and take it from there."""
    trace = onnx_export._followed

    @wraps(trace)
    def followed(
        network: Classifier, outputs: nn.Module, size: int
    ) -> torch.onnx.ONNXProgram:
        structure = onnx_export.structure(outputs)
        if structure is None:
            return trace(network, outputs, size)
        kept = folder / f"{structure}-{size}.onnx"
        if not kept.exists():
            program = trace(network, outputs, size)
            with written_beside(kept) as temporary:
                temporary.write_bytes(program.model_proto.SerializeToString())
            return program
        import onnx
        import onnx_ir

        model = onnx.ModelProto.FromString(kept.read_bytes())
        return torch.onnx.ONNXProgram(onnx_ir.from_proto(model), None)

    onnx_export._followed = followed
