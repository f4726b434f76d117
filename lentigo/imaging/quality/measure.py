"""Artefacts and quality of many stored images, one row an image."""

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
"""The columns that `measure_images` gives beside one of each artefact."""

_CHUNK = 64
"""Images sent to a process at a time: 12 MB at 256 px, 1 s of work."""
_FEW = 256
"""Fewer images than this are measured before other processes would have started."""


class Images(Protocol):
    """Anything with a length that gives one (S, S, 3) RGB image a whole number."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> Any: ...


def measure_image(image: NDArray[np.uint8]) -> dict[str, float]:
    """The scores of all artefacts and the numbers of `QUALITY` of one image.

    An image that is black all over stands for a file that was not decoded: all NaN.
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
    """Return one row an image: every artefact's score, then the numbers of `QUALITY`.

    `images` may be an array, a memory map or a pixel store's images, (N, S, S, 3) RGB
    bytes. `workers` processes share the work; 0 means one a core where there are enough
    images for it to pay. A few chunks of images are in memory at a time, whatever N is.

    Raises:
        ConfigError: `workers` is negative.
        ImageError: an image is no RGB image of bytes.
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
    """Small images go no faster with OpenCV's threads, and twice as many cores are busy."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
