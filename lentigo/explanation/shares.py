"""Shares of a map's heat on lesion, hair, ruler, ink and black frame."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import working

BoolArray = NDArray[np.bool_]

THINGS = ("lesion", "hair", "ruler", "ink", "frame")


def has_opencv() -> bool:
    """Tell whether OpenCV is installed, which finds all things but the frame."""
    return find_spec("cv2") is not None


def things_in(square: NDArray[np.uint8], lesion: BoolArray | None) -> dict[str, BoolArray]:
    """Return the mask of each of `THINGS` in `square`, (S, S, 3): (S, S) each.

    `lesion` is the mask of the lesion, (S, S), or None where it is not known. A ruler is
    found only by its base line. A thing that cannot be looked for has no entry.
    """
    size = len(square)
    small = working(square)
    if not has_opencv():
        return {"frame": _scaled(corners(small), size)}
    from lentigo.imaging.artefacts.ink import strokes
    from lentigo.imaging.artefacts.ruler import scale_band
    from lentigo.imaging.views.hair import hair_mask

    outside = np.True_ if lesion is None else ~lesion
    return {
        **({} if lesion is None else {"lesion": lesion}),
        "hair": hair_mask(square),
        "ruler": _scaled(scale_band(small), size),
        "ink": _scaled(strokes(small), size) & outside,
        "frame": _scaled(corners(small), size),
    }


def share_on(heat: NDArray[np.float32], where: BoolArray | None) -> float:
    """Return the share of the heat of a map, (S, S), that lies on the mask `where`.

    NaN where the map has no heat, or the mask is None.
    """
    total = float(heat.sum())
    if where is None:
        return math.nan
    return float(heat[where].sum()) / total if total > 0 else math.nan


def _scaled(mask: BoolArray, size: int) -> BoolArray:
    plane = Image.fromarray(mask.astype(np.uint8))
    return np.asarray(plane.resize((size, size), Image.Resampling.NEAREST)) > 0
