"""What computes the networks tells nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = {
    "onnxruntime": """
from onnx import TensorProto, helper
from lentigo.models import onnx_engine
x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy")
node = helper.make_node("Neg", ["x"], ["y"])
graph = helper.make_graph([node], "one", [x], [y])
network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
network.ir_version = 8
onnx_engine.ort.InferenceSession(network.SerializeToString())
""",
    "openvino": """
import sys
from lentigo.models import openvino_engine
openvino_engine.openvino.Core()
assert not sys.modules["openvino_telemetry"]
""",
}


@pytest.mark.parametrize("engine", PROGRAMS)
def test_no_engine_numbers_this_machine_or_reports_its_use(
    tmp_path: Path, engine: str
) -> None:
    pytest.importorskip(engine)
    kept = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    surroundings = {**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAMS[engine]]
    subprocess.run(command, env=surroundings, check=True, timeout=60)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
