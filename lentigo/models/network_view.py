"""From a stored square image to the input of a network, in training and in all engines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lentigo.models.shrink import shrunk

Images = NDArray[np.uint8]


def network_view(image: Images, size: int, *, view: tuple[str, ...] = ("rgb",)) -> Images:
    """Return the network input of a stored square image, without augmentation.

    `image` is (S, S, 3) RGB `uint8`; the result, (size, size, C), is resized to `size` and
    has the C channels of `view`.
    """
    if image.shape[0] > size:
        image = shrunk(image, size)
    if image.shape[0] == size and tuple(view) == ("rgb",):
        return image
    # Not every install has OpenCV, and most networks see the photograph, made smaller.
    import cv2

    from lentigo.imaging.views import network_input

    if image.shape[0] < size:
        larger = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
        image = np.asarray(larger, np.uint8)
    return network_input(image, view)


def network_views(squares: Images, size: int, *, view: tuple[str, ...]) -> Images:
    """Return the network input of N stored squares, (N, S, S, 3) to (N, C, size, size)."""
    views = np.stack([network_view(square, size, view=view) for square in squares])
    return np.ascontiguousarray(views.transpose(0, 3, 1, 2))


LOOKS = (1, 2, 8)
"""Allowed numbers of versions of an image (see `looks`) whose mean logit is the answer."""


def looks(views: Images, count: int) -> Iterator[Images]:
    """Yield `count` versions of N images, each (N, C, S, S): first the images unchanged.

    With `count` 2 the second version is mirrored; with 8 the images are turned by 0, 90,
    180 and 270 degrees, each also mirrored: a lesion has no up and no left.
    """
    for quarter in range(4 if count == 8 else 1):
        turned = np.rot90(views, quarter, axes=(2, 3))
        yield np.ascontiguousarray(turned)
        if count > 1:
            yield np.ascontiguousarray(turned[..., ::-1])
