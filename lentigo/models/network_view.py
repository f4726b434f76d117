"""Show a network its view of a stored square; training and every backend do it so."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views import network_input

Images = NDArray[np.uint8]


def network_view(image: Images, size: int, *, view: tuple[str, ...] = ("rgb",)) -> Images:
    """Return the stored square as the network sees it, (size, size, C), not varied."""
    if image.shape[0] != size:
        way = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_CUBIC
        image = cv2.resize(image, (size, size), interpolation=way)  # type: ignore[assignment]
    return network_input(image, view)


def network_views(squares: Images, size: int, *, view: tuple[str, ...]) -> Images:
    """Return what the network sees of stored squares, (N, S, S, 3) to (N, C, H, W)."""
    views = np.stack([network_view(square, size, view=view) for square in squares])
    return np.ascontiguousarray(views.transpose(0, 3, 1, 2))
