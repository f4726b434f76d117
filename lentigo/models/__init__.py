"""The network and its files: backbone, head, losses, augmentation, model folder.

ONNX Runtime and OpenVINO report their use to their makers, unless they are told not to
before they are loaded. What this package does stays on the machine.
"""

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
