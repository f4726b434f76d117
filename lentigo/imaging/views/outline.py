"""Draw the outline of a lesion on its photograph."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.views.color import Image

_SHAPE_TOLERANCE = 0.02
"""Greatest difference of the logarithms of width / height of a mask and its image."""


def outline(
    image: Image,
    mask: NDArray[np.bool_],
    *,
    color: tuple[int, int, int] = (0, 255, 255),
    width: float = 0.006,
) -> Image:
    """Return the photograph with the lesion's outline drawn on it: (H, W, 3) RGB, 0–255.

    `mask` is (h, w), True inside the lesion; it is resized to the image if the proportions
    agree. The line lies half inside and half outside; `width` is its width as a share of
    the shorter side, at least 1 pixel, and `color` its RGB. A black margin keeps it visible
    on any colour. An empty mask draws nothing.

    Raises `ImageError` if the mask has other proportions than the image.
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
    """Return `mask`, (h, w), resized to an image of `shape`, 1 inside the lesion, else 0.

    Raises `ImageError` if its proportions differ from the image by more than 2 %.
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
