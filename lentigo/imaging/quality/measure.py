"""Measure artefacts and quality of many stored images, one row per image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.elsewhere import in_processes
from lentigo.errors import ConfigError
from lentigo.imaging.artefacts.registry import ARTEFACTS, artefact_scores
from lentigo.imaging.kind.dermoscopic import dermoscopic, skin
from lentigo.imaging.kind.page import page
from lentigo.imaging.quality.numbers import exposure, sharpness
from lentigo.imaging.quality.scene import uneven_light
from lentigo.machine import cores
from lentigo.progress import track

QUALITY = (
    "sharpness", "brightness", "contrast", "too_dark", "too_bright", "colourfulness",
    "skin", "dermoscopic", "uneven_light", "page",
)  # fmt: skip
"""The columns of `measure_images` that follow the columns of artefact scores."""

_CHUNK = 64
"""Number of images sent to a process at a time: 12 MB at 256 px, 1 s of work."""
_FEW = 256
"""Fewer images are measured in this process, since starting others would take longer."""


class Images(Protocol):
    """A sequence of (S, S, 3) RGB images: it has a length and takes an index."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> Any: ...


def measure_image(image: NDArray[np.uint8]) -> dict[str, float]:
    """Return the scores of all artefacts and the measures of `QUALITY` of one image.

    `image` is (S, S, 3) RGB, 0–255. An image that is black all over stands for a file that
    was not decoded: all values are NaN. Raises `ImageError` if any other image is not
    `uint8` RGB or has a side below 32 pixels.
    """
    if not image.any():
        return dict.fromkeys((*ARTEFACTS, *QUALITY), math.nan)
    return {
        **artefact_scores(image),
        "sharpness": sharpness(image),
        **exposure(image),
        "skin": skin(image),
        "dermoscopic": dermoscopic(image),
        "uneven_light": uneven_light(image),
        "page": page(image),
    }


def measure_images(images: Images, *, workers: int = 0) -> pd.DataFrame:
    """Return one row per image: every artefact's score, then the measures of `QUALITY`.

    `images` may be an array, a memory map or a pixel store's images, (N, S, S, 3) `uint8`
    RGB: N squares of S × S pixels. `workers` processes share the work; 0 means one per core
    if there are at least 256 images, else this process alone. Only a few chunks of images
    are in memory at a time, whatever N is.

    Raises:
        ConfigError: `workers` is negative.
        ImageError: an image is not `uint8` RGB or a side is below 32 pixels.
    """
    if workers < 0:
        raise ConfigError(f"workers is {workers}; give 0 (one a core) or more.")
    count = cores() if workers == 0 and len(images) >= _FEW else max(workers, 1)
    chunks = _measured(images, min(count, -(-len(images) // _CHUNK)))
    total = -(-len(images) // _CHUNK)
    rows = [row for chunk in track(chunks, total=total, label="Measuring") for row in chunk]
    return pd.DataFrame(rows, columns=[*ARTEFACTS, *QUALITY], dtype="float64")


def _measured(images: Images, workers: int) -> Iterator[list[dict[str, float]]]:
    if workers <= 1:
        yield from (_measure_chunk(chunk) for chunk in _chunks(images))
        return
    yield from in_processes(_measure_chunk, _chunks(images), workers=workers)


def _chunks(images: Images) -> Iterator[list[NDArray[np.uint8]]]:
    for start in range(0, len(images), _CHUNK):
        rows = range(start, min(start + _CHUNK, len(images)))
        yield [np.array(images[row]) for row in rows]


def _measure_chunk(chunk: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
    with _one_thread():
        return [measure_image(image) for image in chunk]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit OpenCV to one thread during a `with` block.

    More threads make small images no faster, but keep twice as many cores busy.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
