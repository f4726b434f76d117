"""The interface of a trained network, the same for each engine: squares in, logits out.

This module does not import torch. `lentigo.models.engines` lists the engines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError
from lentigo.imaging.decoding.square import Fit
from lentigo.models.metadata import Metadata, MetadataEncoding

Images = NDArray[np.uint8]
Logits = NDArray[np.float64]

DEVICES = ("auto", "cpu", "cuda", "mps")
EARLY = "early"
"""Name of the early features as output of a network, and of the signal of abstention."""


@dataclass(frozen=True)
class Preparation:
    """The settings by which an image file becomes the square that a predictor takes."""

    size: int
    """Side of the square, in pixels."""
    fit: Fit
    """How a rectangular image becomes square; see `ImagingConfig.fit`."""
    max_pixels: int
    """Highest number of pixels (width · height) of an image file."""


@dataclass(frozen=True)
class Looked:
    """Logits and features of a network for N squares."""

    answers: Logits
    """The result of `Predictor.answers`, (1 + D, N)."""
    features: NDArray[np.float32]
    """F pooled features of each square, neither mirrored nor turned, (N, F)."""
    energy: Logits
    """Minus the log of the summed exponentials of all scores, (N,): high if no diagnosis is
    likely (Liu et al. 2020, arXiv:2010.03759). NaN for a network with a single logit."""
    spread: Logits
    """Standard deviation of the melanoma logit over the looks, (N,); NaN for one look."""
    early: NDArray[np.float32] | None = None
    """E early features of each square, (N, E): means of the feature maps of the first
    stages (`lentigo.models.early`). None if the network's file does not give them."""
    each_look: NDArray[np.float32] | None = None
    """The pooled features of each of L looks, (L, N, F); None where they are not kept."""


class Predictor(Protocol):
    """A trained network with everything that it needs to answer for a square image."""

    @property
    def engine(self) -> str:
        """The name of the engine that computes the network, a key of `ENGINES`."""
        ...

    @property
    def preparation(self) -> Preparation:
        """The settings by which a file becomes the square that `answers` takes."""
        ...

    @property
    def image_size(self) -> int:
        """The side, in pixels, to which a square is resized as input of the network."""
        ...

    @property
    def view(self) -> tuple[str, ...]:
        """The views whose channels are the network's input; see `ImagingConfig.view`."""
        ...

    def use(self, device: str) -> None:
        """Compute on `device` from now on: one of `DEVICES`, `auto` for the fastest.

        Raises `ConfigError` if this machine has no such device.
        """
        ...

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """The D diagnoses besides melanoma in `answers`; empty for most networks."""
        ...

    @property
    def metadata(self) -> MetadataEncoding | None:
        """The encoding of age, sex and site; None if only the image is taken."""
        ...

    def answers(
        self,
        squares: Images,
        *,
        looks: int | None = None,
        metadata: Metadata | None = None,
    ) -> Logits:
        """Return the network's answers for N squares, (N, S, S, 3) RGB to (1 + D, N).

        The first row holds melanoma logits, of which the logit shift is already subtracted,
        so that their logistic function is a probability. Each further row holds, for one of
        the D `diagnoses`, the logarithm of its share among lesions that are not melanoma.
        All are means over 1, 2 (with the mirror image) or 8 `looks` (turned, too); by
        default as many as the network was evaluated with. S is `preparation.size`. Answers
        that are NaN or infinite are kept. `metadata`, (N, M), is the encoded age, sex and
        site of the patients; by default they count as unknown. A network that takes only
        the image ignores it.
        """
        ...

    def looked(
        self,
        squares: Images,
        *,
        looks: int | None = None,
        metadata: Metadata | None = None,
    ) -> Looked | None:
        """Return the answers together with the features, from the same passes.

        The arguments are those of `answers`. None if the network's file gives no features,
        as ONNX files of earlier exports. The features are those of the image alone;
        `metadata` does not change them.
        """
        ...


def spread_of(logits: Logits) -> Logits:
    """Return the standard deviation over L looks, (L, N) to (N,); NaN for one look."""
    return logits.std(axis=0) if len(logits) > 1 else np.full(logits.shape[1], np.nan)


def check_device(name: str) -> None:
    """Raise `ConfigError` if `name` is not one of `DEVICES`; "cuda:1" counts as "cuda"."""
    if name.partition(":")[0] not in DEVICES:
        raise no_device(name)


def no_device(name: str) -> ConfigError:
    """Build the error to raise for a device that this machine does not have."""
    return ConfigError(
        f"There is no device {name!r} here. Give cpu, or auto for the fastest there is."
    )
