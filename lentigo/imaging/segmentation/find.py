"""Find the outline of a lesion in its photograph, or take it from a given mask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.doubtful import DOUBTFUL
from lentigo.imaging.segmentation.fitted import PIECES
from lentigo.imaging.segmentation.pieces import (
    Plane,
    border_share,
    filled,
    largest,
    piece_features,
    pieces,
    step_across,
)
from lentigo.imaging.segmentation.pixels import BoolArray, Guess, guess
from lentigo.imaging.views.outline import fitted_mask

Found = Literal["one lesion", "several lesions", "no lesion", "fills the picture"]

SMALLEST, SLIMMEST = 32, 8
"""Least length of the shorter side in pixels, and highest ratio of the longer to the
shorter side."""
FAINTEST = 2.4
"""Least colour step across the lesion's outline, in L*a*b* units, after blurring; below it
there is no lesion. Of 300 lesions 1 in 75 has less, of 112 pieces of bare skin 24 in 25
(of images for fitting)."""
LEAST_CERTAIN = 0.3
"""Estimated Jaccard index below which a piece is not taken for a lesion."""
FILLS = 0.6
"""A lesion fills the image if it covers more than this share of the image edge."""
_OTHER_LEVEL, _OTHER_AREA, _OTHER_STEP, _APART = 0.5, 0.15, 0.6, 0.04
"""Least values for a further lesion: the probability of lesion in both guesses, its area
and its colour step as shares of those of the main lesion, and its distance from the main
lesion as a share of the image's shorter side."""
_HOLE = 0.01
"""Least share of the image of a hole in a mask that covers the image edge, from which the
mask marks the skin."""
_MOST = 5
"""The highest number of lesions counted in one image."""


@dataclass(frozen=True)
class Outline:
    """The outline of the lesion in one image."""

    mask: BoolArray
    """(H, W), True inside the lesion; of several, only the main one; all False without a
    lesion."""
    found: Found
    """What the image shows, one of `Found`."""
    certainty: float
    """The expected Jaccard index with a mask drawn by a person, 0 to 1. NaN if there is no
    lesion, or if the mask was given."""
    others: int = 0
    """Number of further lesions in the image, outside the mask."""
    given: bool = False
    """Whether the mask was given by the caller rather than found."""

    @property
    def area(self) -> int:
        """Number of pixels inside the lesion."""
        return int(np.count_nonzero(self.mask))

    @property
    def centre(self) -> tuple[float, float]:
        """The centre of area, (x, y) in pixels from the upper left corner; NaN if none."""
        y, x = np.nonzero(self.mask)
        return (x.mean() + 0.5, y.mean() + 0.5) if len(x) else (math.nan, math.nan)

    @property
    def doubts(self) -> list[str]:
        """Reasons to look at the outline before its measures are used, as sentences."""
        found = []
        if self.certainty < DOUBTFUL:
            found.append(
                f"The outline is doubtful (certainty {self.certainty:.2f}, below "
                f"{DOUBTFUL:g}): look at it."
            )
        if self.others:
            lesions = f"{1 + self.others} lesions: the main one is outlined."
            found.append(f"The picture shows {lesions}")
        if self.found == "fills the picture":
            found.append("The outline fills the picture.")
        return found

    @property
    def cut_off(self) -> bool:
        """Whether the lesion touches the image edge, so that a part may be missing."""
        return border_share(self.mask) > 0


def find_outline(image: NDArray[np.uint8]) -> Outline:
    """Find the lesion in `image`, (H, W, 3) `uint8` RGB with sides in a ratio of up to 1:8.

    Hairs are removed; black frames and coloured patches are not taken for a lesion. Each
    pixel gets a probability from its colour compared with that of the skin. Thresholds on
    the probability give candidate areas; the one with the highest expected agreement with a
    mask drawn by a person is the lesion. The outline is about as detailed as an image of
    150 pixels. If no area stands out from the skin, there is no lesion and the mask is
    empty, also if a lesion leaves no skin visible.

    Raises `ImageError` if the array is not `uint8` RGB, a side is below 32 pixels, or the
    ratio of the sides is above 8.
    """
    checked = _checked(image)
    seen = guess(checked)
    found = pieces(seen)
    if not found:
        return _nothing(checked)
    expected = PIECES(np.stack([piece_features(each, seen) for each in found]))
    best = found[int(expected.argmax())]
    certainty = float(np.clip(expected.max(), 0, 1))
    if certainty < LEAST_CERTAIN or step_across(best, seen) < FAINTEST:
        return _nothing(checked)
    others = _others(best, seen)
    mask = _enlarged(best, checked)
    return Outline(mask, _answer(mask, others), certainty, others=others)


def given_outline(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Outline:
    """Return the outline of the lesion in `image` from a mask, (h, w), True inside it.

    The mask is resized to the image. Its largest connected area is the lesion; further ones
    of at least 15 % of this area are counted. Holes in the lesion are filled.

    Raises `ImageError` for a mask of other proportions than the image, for one that covers
    most of the image edge and leaves a hole (it marks the skin), and for an image that
    `find_outline` refuses.
    """
    plane = fitted_mask(np.asarray(mask, dtype=bool), _checked(image).shape)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(plane)
    if count < 2:
        return Outline(plane > 0, "no lesion", math.nan, given=True)
    areas = stats[1:, cv2.CC_STAT_AREA]
    marked = labels == 1 + areas.argmax()
    main = filled(marked.astype(np.uint8)) > 0
    hole = float(np.mean(main & ~marked))
    if border_share(marked) > FILLS and hole >= _HOLE:
        raise ImageError(
            "The mask covers the edge of the image and leaves a hole of "
            f"{100 * hole:.0f} % of it: it marks the skin. Invert it, so that the lesion "
            "is white."
        )
    others = int(np.count_nonzero(areas >= _OTHER_AREA * areas.max())) - 1
    return Outline(main, _answer(main, others), math.nan, others=others, given=True)


def _answer(mask: BoolArray, others: int) -> Found:
    if border_share(mask) > FILLS:
        return "fills the picture"
    return "several lesions" if others else "one lesion"


def _nothing(image: NDArray[np.uint8]) -> Outline:
    return Outline(np.zeros(image.shape[:2], dtype=bool), "no lesion", math.nan)


def _others(main: Plane, seen: Guess) -> int:
    """Count further lesions that are apart from the main one and stand out similarly.

    `main` is the mask of the main lesion, (h, w), `seen` the guess that it was cut from.
    """
    reach = 2 * max(1, round(_APART * min(main.shape))) + 1
    near = cv2.dilate(main, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    above = ((seen.second > _OTHER_LEVEL) & (seen.first > _OTHER_LEVEL)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    above = np.asarray(cv2.morphologyEx(above, cv2.MORPH_OPEN, disc), np.uint8)
    least_step = _OTHER_STEP * step_across(main, seen)
    found = 0
    for piece in largest(above, at_most=_MOST + 1):
        apart = not (np.asarray(near)[piece > 0]).any()
        large = piece.sum() >= _OTHER_AREA * main.sum()
        # A number of NumPy's would be no JSON.
        found += bool(apart and large and step_across(piece, seen) >= least_step)
    return min(found, _MOST - 1)


def _enlarged(piece: Plane, image: NDArray[np.uint8]) -> BoolArray:
    """Return the mask at the size of the image, with a smooth outline."""
    height, width = image.shape[:2]
    soft = cv2.GaussianBlur(piece.astype(np.float32), (0, 0), 1.0)
    whole = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    return np.asarray(whole)


def _checked(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = np.asarray(image)
    right = image.ndim == 3 and image.shape[2:] == (3,) and image.dtype == np.uint8
    if not right:
        raise ImageError(
            "A lesion is looked for in an RGB image: an array (height, width, 3) of type "
            f"uint8, not {image.shape} of {image.dtype}."
        )
    if min(image.shape[:2]) < SMALLEST:
        raise ImageError(
            f"The image is {image.shape[1]} × {image.shape[0]} pixels; a lesion is looked "
            f"for where both sides have at least {SMALLEST}."
        )
    if max(image.shape[:2]) > SLIMMEST * min(image.shape[:2]):
        raise ImageError(
            f"The image is {image.shape[1]} × {image.shape[0]} pixels, a strip; a lesion "
            f"is looked for where one side is at most {SLIMMEST} times the other."
        )
    # OpenCV takes neither mirrored nor otherwise strided arrays.
    return np.ascontiguousarray(image)
