"""The functions of all views by name, and checked access to them."""

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
"""Name → view, a function from (H, W, 3) `uint8` RGB to `uint8` (h, w) or (h, w, 3)."""


def find_view(name: str) -> View:
    """Return the view called `name`, also with hyphens.

    Raises `UnknownNameError` if there is none.
    """
    return VIEWS[view_name(name)]


def view_image(image: NDArray[np.uint8], name: str) -> Image:
    """Compute the view `name` of `image`, (H, W, 3) `uint8` RGB, as a `uint8` array.

    A view is a colour space, filter or crop of `VIEWS`, such as "lab" or "dullrazor".

    Raises:
        UnknownNameError: there is no such view.
        ImageError: the array is not `uint8` RGB, or is empty.
    """
    return find_view(name)(_checked(image))


def network_input(image: NDArray[np.uint8], names: Sequence[str]) -> Image:
    """Compute several views of one image as channels of one array: (H, W, C).

    C is the number of channels of all views, in the order of `names`. A view of another
    size than the image (`crop_frame`) is resized to it. Raises as `view_image` does;
    `("rgb",)` alone returns `image` unchecked.
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
