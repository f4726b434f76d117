"""On what the heat of a map lies: lesion, hair, ruler, ink, frame."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.artefacts.ink import strokes
from lentigo.imaging.artefacts.ruler import scale_band
from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import working
from lentigo.imaging.views.hair import hair_mask

BoolArray = NDArray[np.bool_]

THINGS = ("lesion", "hair", "ruler", "ink", "frame")


def things_in(square: NDArray[np.uint8], lesion: BoolArray) -> dict[str, BoolArray]:
    """Return where each of `THINGS` is in `square`, (S, S, 3): (S, S) each.

    `lesion` is the mask of the lesion, (S, S). A ruler is seen by its base line only.
    """
    size = len(square)
    small = working(square)
    outside = ~lesion
    return {
        "lesion": lesion,
        "hair": hair_mask(square),
        "ruler": _scaled(scale_band(small), size),
        "ink": _scaled(strokes(small), size) & outside,
        "frame": _scaled(corners(small), size),
    }


def share_on(heat: NDArray[np.float32], where: BoolArray) -> float:
    """Return the share of the heat of a map, (S, S), on a mask; NaN without any heat."""
    total = float(heat.sum())
    return float(heat[where].sum()) / total if total > 0 else math.nan


def _scaled(mask: BoolArray, size: int) -> BoolArray:
    plane = mask.astype(np.uint8)
    large = cv2.resize(plane, (size, size), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large) > 0
