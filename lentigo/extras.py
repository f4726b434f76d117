"""Table of the libraries that each extra of the installation brings.

    pip install lentigo            lesion tables, metrics of an evaluation
    pip install lentigo[predict]   plus predictions by a trained model
    pip install lentigo[serve]     plus the service with its web page
    pip install lentigo[data]      plus Parquet, splits, figures, views, audits
    pip install lentigo[train]     plus training
    pip install lentigo[ray]       plus a cluster of machines
    pip install lentigo[tune]      plus a search for settings
    pip install lentigo[tensorboard], lentigo[mlflow]   plus curves during a training

A library is imported only where it is used, so that each part works without the libraries
of the others.
"""

from __future__ import annotations

from importlib.util import find_spec

from lentigo.errors import LentigoError

DATA, TRAIN = "data", "train"

EXTRAS = {
    "pyarrow": DATA,
    "cv2": DATA,
    "sklearn": DATA,
    "matplotlib": DATA,
    "numba": DATA,
    "torch": TRAIN,
    "torchvision": TRAIN,
    "timm": TRAIN,
    "safetensors": TRAIN,
    "lightning_fabric": TRAIN,
    "onnx": TRAIN,
    "onnxscript": TRAIN,
    "onnxruntime": "predict",
    "fastapi": "serve",
    "uvicorn": "serve",
    "python_multipart": "serve",
    "prometheus_client": "serve",
    "openvino": "openvino",
    "highdicom": "sr",
    "ray": "ray",
    "optuna": "tune",
    "tensorboard": "tensorboard",
    "mlflow": "mlflow",
}
"""The extra that brings each optional library, by the name under which it is imported."""

_PACKAGES = {
    "cv2": "OpenCV",
    "ray": "Ray",
    "optuna": "Optuna",
    "tensorboard": "TensorBoard",
    "mlflow": "MLflow",
    "fastapi": "FastAPI",
    "sklearn": "scikit-learn",
    "lightning_fabric": "Lightning Fabric",
}
"""The usual name of a library that is imported under another name."""


class NotInstalledError(LentigoError):
    """A library is not installed; the message names the extra that brings it."""


def libraries(extra: str) -> list[str]:
    """Return the libraries of `EXTRAS` under one extra, by the names of their imports.

    `libraries("predict")` is `["onnxruntime"]`. An unknown extra gives an empty list.
    """
    return [library for library, brought_by in EXTRAS.items() if brought_by == extra]


def not_installed(library: str, *, what: str = "This") -> NotInstalledError:
    """Return the error that says which extra brings `library`, which `what` needs."""
    name = _PACKAGES.get(library, library)
    return NotInstalledError(
        f"{what} needs {name}: pip install 'lentigo[{EXTRAS[library]}]'."
    )


def require(library: str, *, what: str) -> None:
    """Raise `NotInstalledError` if `library`, which `what` needs, is not installed."""
    if find_spec(library) is None:
        raise not_installed(library, what=what)
