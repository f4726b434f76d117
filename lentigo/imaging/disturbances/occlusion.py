"""Hide parts of a photograph: all but the lesion, or the lesion.

After Bissoto et al. 2019 (arXiv:1904.08818), whose networks recognised melanoma well above
chance in images with a hidden lesion, even under a box that hides its shape, too. The
hidden part gets one uniform colour, the median of the visible skin:
neither a black frame nor hair is counted in.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.bare import bare

Image = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

_MARGIN = 0.1
"""Margin of the box around the lesion on each side, as a share of the lesion's width or
height."""


def only_lesion(image: Image, lesion: BoolArray) -> Image:
    """Hide all but the lesion; `image` is (H, W, 3), the mask `lesion` (H, W)."""
    return _hidden(image, ~lesion, ~lesion)


def without_lesion(image: Image, lesion: BoolArray) -> Image:
    """Hide the lesion: its outline stays visible, its interior does not."""
    return _hidden(image, lesion, ~lesion)


def without_box(image: Image, lesion: BoolArray) -> Image:
    """Hide the lesion's bounding box plus a tenth on each side, which hides its shape, too.

    The lesion's size remains visible, roughly, in the size of the box.
    """
    y, x = np.nonzero(lesion)
    box = np.zeros_like(lesion)
    if len(y):
        rows = _grown(int(y.min()), int(y.max()), lesion.shape[0])
        columns = _grown(int(x.min()), int(x.max()), lesion.shape[1])
        box[rows, columns] = True
    return _hidden(image, box, ~box)


OCCLUSIONS: dict[str, Callable[[Image, BoolArray], Image]] = {
    each.__name__: each for each in (only_lesion, without_lesion, without_box)
}
"""Name → function that hides a part of an image."""


def _grown(low: int, high: int, most: int) -> slice:
    more = _MARGIN * (high - low + 1)
    return slice(max(0, round(low - more)), min(most, round(high + 1 + more)))


def _hidden(image: Image, where: BoolArray, skin: BoolArray) -> Image:
    changed = image.copy()
    seen = skin & bare(image)
    # Where a lesion fills the image there is no skin to take the colour of.
    flat = image[seen] if seen.any() else image[skin] if skin.any() else image
    color = np.median(flat.reshape(-1, 3), axis=0)
    changed[where] = np.rint(color).astype(np.uint8)
    return changed
