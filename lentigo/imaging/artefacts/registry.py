"""All artefacts by name: summary, detector and threshold of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.artefacts.bubble import bubble
from lentigo.imaging.artefacts.frame import frame
from lentigo.imaging.artefacts.hair import hair
from lentigo.imaging.artefacts.ink import ink
from lentigo.imaging.artefacts.ruler import LIMIT as RULER_LIMIT
from lentigo.imaging.artefacts.ruler import ruler
from lentigo.imaging.artefacts.sticker import sticker
from lentigo.imaging.artefacts.vignette import vignette


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """Anything in an image that is neither skin nor lesion, with its detector."""

    name: str
    summary: str
    """The meaning of the score, in a few words."""
    function: Callable[[NDArray[np.uint8]], float]
    """The detector: from (S, S, 3) RGB, 0–255, to a score from 0 to 1."""
    limit: float
    """Threshold: an image has the artefact if its score is at least this."""

    def present(self, score: float) -> bool:
        """Tell whether an image with this score has the artefact; false for NaN."""
        return score >= self.limit


# The limits were set on 150 images of ISIC 2017 and 150 of HAM10000, drawn at random and
# labelled by eye; the comments say how many of them are called right there. What other
# images of the same archives say is in docs/artefacts.md.
_ALL = (
    # 66 of 69 with plain hair, 148 of 151 without; faint hair left out.
    Artefact(
        name="hair", summary="share covered by dark hairs", function=hair, limit=0.006
    ),
    # 72 of 81 with a scale, 200 of 202 without. Three even marks without a line reach 0.5.
    Artefact(
        name="ruler",
        summary="evenness of the best row of tick marks",
        function=ruler,
        limit=RULER_LIMIT,
    ),
    # 12 of 18 with ink, 265 of 266 without.
    Artefact(
        name="ink",
        summary="share under violet or blue strokes of a pen",
        function=ink,
        limit=0.002,
    ),
    # The smallest patch that is looked at, 60 of 128 × 128 pixels; 10 of 10, 289 of 289.
    Artefact(
        name="sticker",
        summary="share under coloured patches at the border",
        function=sticker,
        limit=0.0036,
    ),
    # 3 of 8 with bubbles or glints, 246 of 248 without: outlines alone are not seen.
    Artefact(
        name="bubble",
        summary="share that is small white glints of gel",
        function=bubble,
        limit=0.0025,
    ),
    # 16 of 17 that fall off smoothly, 198 of 202 that do not.
    Artefact(
        name="vignette",
        summary="how much darker the corners are",
        function=vignette,
        limit=0.12,
    ),
    # 43 of 49 with black corners or a black border, 187 of 187 without.
    Artefact(
        name="frame",
        summary="share that is black frame or black corners",
        function=frame,
        limit=0.001,
    ),
)

ARTEFACTS: dict[str, Artefact] = {artefact.name: artefact for artefact in _ALL}
"""Name → artefact."""


def artefact_scores(image: NDArray[np.uint8]) -> dict[str, float]:
    """Return the score of every artefact in one image, (S, S, 3) RGB, 0–255.

    Raises `ImageError` if the array is not `uint8` RGB or a side is below 32 pixels.
    """
    square = checked(image)
    return {name: artefact.function(square) for name, artefact in ARTEFACTS.items()}


SMALLEST = 32
"""Smallest side in pixels of an image that is searched for artefacts."""


def checked(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `image` as a contiguous array.

    Raises `ImageError` if it is not (H, W, 3) `uint8`, or H or W is below `SMALLEST`.
    """
    image = np.asarray(image)
    right = image.ndim == 3 and image.shape[2:] == (3,) and image.dtype == np.uint8
    if not right or min(image.shape[:2]) < SMALLEST:
        raise ImageError(
            f"Artefacts are looked for in an RGB image of at least {SMALLEST} pixels: an "
            f"array (height, width, 3) of type uint8, not {image.shape} of {image.dtype}."
        )
    # OpenCV takes neither mirrored nor otherwise strided arrays.
    return np.ascontiguousarray(image)
