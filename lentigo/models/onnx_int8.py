"""Write a network of ONNX in 8-bit whole numbers, with ranges taken from real images.

Weights keep 7 bits: of 8 the sums overflow on processors without VNNI, which there changed
the order of images (correlation of logits 0.75 rather than 0.998).
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from lentigo.files import written_beside
from lentigo.models.backend import Images


def write_int8(network: Path, path: Path, *, views: Iterator[Images]) -> None:
    """Write the ONNX file `network` quantised to `path`.

    `views` are batches of what the network sees, (N, C, S, S) `uint8`: images that it
    learnt from, a hundred of which are enough.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        written_beside(path) as temporary,
        redirect_stdout(io.StringIO()),  # it prints how far it is
    ):
        made_ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(network), str(made_ready), skip_symbolic_shape=True)
        quantize_static(
            str(made_ready),
            str(temporary),
            _Batches(views),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            calibrate_method=CalibrationMethod.Percentile,
        )


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    """Batches one after the other, as the quantiser asks for them."""

    def __init__(self, views: Iterator[Images]) -> None:
        self._views = views

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch by the name of the input; None after the last one."""
        batch = next(self._views, None)
        return None if batch is None else {"images": np.ascontiguousarray(batch)}
