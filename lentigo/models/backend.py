"""Say what a trained network is to its callers: squares in, logits out, whatever computes.

No file here imports torch. `engines` says what there is to compute networks with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError
from lentigo.imaging.decoding.square import Fit

Images = NDArray[np.uint8]
Logits = NDArray[np.float64]

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


@dataclass(frozen=True)
class Looked:
    """Logits and features of a network for squares."""

    answers: Logits
    """As `Predictor.answers` gives them, (1 + D, N)."""
    features: NDArray[np.float32]
    """Pooled features of each square as it is, neither mirrored nor turned, (N, F)."""
    energy: Logits
    """Minus the logarithm of the summed exponentials of all scores, (N,): high where no
    diagnosis is likely (Liu et al. 2020, arXiv:2010.03759). NaN of one logit."""
    spread: Logits
    """Standard deviation of the logit of melanoma over the looks, (N,); NaN of one look."""


class Predictor(Protocol):
    """A trained network with all that it needs to answer for a square of an image."""

    @property
    def engine(self) -> str:
        """Name what computes the network, as in `ENGINES`."""
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

    def use(self, device: str) -> None:
        """Compute on `device` from now on: one of `DEVICES`, `auto` for the fastest.

        Raises `ConfigError` where there is no such device.
        """
        ...

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """Name the diagnoses beside melanoma that `answers` tells apart; none for most."""
        ...

    def answers(self, squares: Images, *, looks: int | None = None) -> Logits:
        """Return what the network says of each square, (N, S, S, 3) RGB to (1 + D, N).

        First the logit of melanoma, then for each of the D `diagnoses` the logarithm of its
        share among what is no melanoma. All are means over 1, 2 (with the mirror image) or
        8 `looks` (turned, too); by default as many as the network was judged with. S is
        `preparation.size`. The logistic function of a logit is a probability: nothing is
        left to be subtracted. An answer that is no number stays in.
        """
        ...

    def looked(self, squares: Images, *, looks: int | None = None) -> Looked | None:
        """Return the answers with the features behind them, at no further cost.

        None where the file of the engine gives no features: ONNX files of earlier exports.
        """
        ...


def spread_of(logits: Logits) -> Logits:
    """Return the standard deviation of logits over looks, (L, N) to (N,); NaN of one."""
    return logits.std(axis=0) if len(logits) > 1 else np.full(logits.shape[1], np.nan)


def check_device(name: str) -> None:
    """Refuse a device that no backend knows, before one is loaded."""
    if name.partition(":")[0] not in DEVICES:
        raise no_device(name)


def no_device(name: str) -> ConfigError:
    """Build the error for a device that is not there."""
    return ConfigError(
        f"There is no device {name!r} here. Give cpu, or auto for the fastest there is."
    )
