"""The functions of all views by name, and the door to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.config.views import VIEW_ROWS, view_name
from lentigo.errors import ImageError
from lentigo.imaging.views.color import Image

View = Callable[[Image], Image]

VIEWS: dict[str, View] = {
    name: getattr(import_module(f"lentigo.imaging.views.{row.module}"), name)
    for name, row in VIEW_ROWS.items()
}
"""Each view by its name: (H, W, 3) `uint8` RGB to `uint8` (h, w) or (h, w, 3)."""


def find_view(name: str) -> View:
    """The view called `name` (hyphens do, too); `UnknownNameError` if there is none."""
    return VIEWS[view_name(name)]


def view_image(image: NDArray[np.uint8], name: str) -> Image:
    """`image`, (H, W, 3) `uint8` RGB, seen through the view `name`.

    Raises:
        UnknownNameError: there is no such view.
        ImageError: the array is no RGB image of bytes.
    """
    return find_view(name)(_checked(image))


def network_input(image: NDArray[np.uint8], names: Sequence[str]) -> Image:
    """Several views of one image as the channels of one array: (H, W, C), in order.

    A view of another size than the image (`crop_frame`) is scaled back to it.
    """
    if tuple(names) == ("rgb",):
        return image
    height, width = image.shape[:2]
    planes = []
    for name in names:
        view = view_image(image, name)
        if view.shape[:2] != (height, width):
            view = cv2.resize(view, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        planes.append(view.reshape(height, width, -1))
    return np.concatenate(planes, axis=2)


def _checked(image: NDArray[np.uint8]) -> Image:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ImageError(
            f"A view needs an RGB image: an array (height, width, 3) of type uint8, not "
            f"{image.shape} of {image.dtype}."
        )
    # OpenCV takes neither mirrored nor otherwise strided arrays.
    return np.ascontiguousarray(image)
