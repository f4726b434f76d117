"""The border of a lesion drawn over its photograph."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.views.color import Image

_SHAPE_TOLERANCE = 0.02
"""How far the proportions of a mask may be from those of its image."""


def outline(
    image: Image,
    mask: NDArray[np.bool_],
    *,
    color: tuple[int, int, int] = (0, 255, 255),
    width: float = 0.006,
) -> Image:
    """The photograph with the border of the lesion drawn on it: (H, W, 3) RGB, 0–255.

    `mask` is (h, w), True inside the lesion; another size is scaled, other proportions are
    refused. The line lies half inside and half outside; `width` is a share of the shorter
    side, and 1 pixel at least. A dark rim keeps it visible on any colour. An empty mask
    draws nothing.

    Raises `ImageError` for a mask that cannot be of this image.
    """
    contours, _ = cv2.findContours(
        fitted_mask(mask, image.shape), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    drawn = image.copy()
    line = max(1, round(width * min(image.shape[:2])))
    for shade, thickness in (((0, 0, 0), line + 2), (color, line)):
        cv2.drawContours(drawn, contours, -1, shade, thickness, cv2.LINE_AA)
    return drawn


def fitted_mask(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> Image:
    """Return `mask`, (h, w), at the size of an image of `shape`, 1 inside the lesion.

    Raises `ImageError` for other proportions.
    """
    height, width = shape[:2]
    if mask.ndim != 2 or 0 in mask.shape:
        raise ImageError(f"The mask has shape {mask.shape}; give (height, width).")
    ratio = (mask.shape[1] / mask.shape[0]) / (width / height)
    if abs(np.log(ratio)) > _SHAPE_TOLERANCE:
        raise ImageError(
            f"The mask is {mask.shape[1]} × {mask.shape[0]} pixels and the image {width} × "
            f"{height}: their proportions differ. Give the mask of this image."
        )
    plane = mask.astype(np.uint8)
    if mask.shape == (height, width):
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_NEAREST)  # type: ignore[return-value]
