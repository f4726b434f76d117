"""Say what a trained network is to its callers: squares in, logits out, whatever computes.

No file here imports torch. A backend is a module that computes networks; which one a model
folder is for, its files tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError, LentigoError
from lentigo.imaging.decoding.square import Fit

Images = NDArray[np.uint8]
Logits = NDArray[np.float64]

BACKENDS = {"torch": "lentigo.models.folder"}
"""Modules with a `load_model_folder` that gives a `Predictor`, by the backend's name."""

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Preparation:
    """The way from an image file to the square that a predictor takes."""

    size: int
    """Side of the square, in pixels."""
    fit: Fit
    """How a rectangle becomes that square; see `ImagingConfig.fit`."""
    max_pixels: int
    """A file of more pixels is refused."""


class Predictor(Protocol):
    """A trained network with all that it needs to answer for a square of an image."""

    @property
    def backend(self) -> str:
        """Name what computes the network, as in `BACKENDS`."""
        ...

    @property
    def preparation(self) -> Preparation:
        """Return how a file becomes the square that `logits` takes."""
        ...

    @property
    def image_size(self) -> int:
        """Return the side of what the network sees of that square, in pixels."""
        ...

    @property
    def view(self) -> tuple[str, ...]:
        """Name the views that the network sees; see `ImagingConfig.view`."""
        ...

    @property
    def operating_points(self) -> tuple[Mapping[str, Any], ...]:
        """Return the thresholds that were chosen on validation images."""
        ...

    def use(self, device: str) -> None:
        """Compute on `device` from now on: one of `DEVICES`, `auto` for the fastest.

        Raises `ConfigError` where there is no such device.
        """
        ...

    def logits(self, squares: Images) -> Logits:
        """Return the logit of melanoma of each square, (N, S, S, 3) RGB to (N,).

        S is `preparation.size`. The logistic function of a logit is a probability: nothing
        is left to be subtracted. An answer that is no number stays in.
        """
        ...


def load_predictor(folder: Path, *, backend: str = "torch") -> Predictor:
    """Load a model folder into the backend that computes it.

    Raises:
        DatasetNotFoundError: there is no `model.json`.
        ModelError: the description or the weights are damaged or of a later format.
        LentigoError: the backend is not installed.
    """
    try:
        module = import_module(BACKENDS[backend])
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "lentigo":
            raise
        raise LentigoError(
            f"Loading {folder} needs {error.name}: pip install 'lentigo[train]'."
        ) from error
    return cast("Predictor", module.load_model_folder(folder))


def check_device(name: str) -> None:
    """Refuse a device that no backend knows, before one is loaded."""
    if name.partition(":")[0] not in DEVICES:
        raise no_device(name)


def no_device(name: str) -> ConfigError:
    """Build the error for a device that is not there."""
    return ConfigError(
        f"There is no device {name!r} here. Give cpu, or auto for the fastest there is."
    )
