"""Show a network its view of a stored square; training and every backend do it so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]


def network_view(image: Images, size: int, *, view: tuple[str, ...] = ("rgb",)) -> Images:
    """Return the stored square as the network sees it, (size, size, C), not varied."""
    if image.shape[0] == size and tuple(view) == ("rgb",):
        return image
    # Not every install has OpenCV, and most networks see the photograph as it was stored.
    import cv2

    from lentigo.imaging.views import network_input

    if image.shape[0] != size:
        way = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_CUBIC
        image = cv2.resize(image, (size, size), interpolation=way)  # type: ignore[assignment]
    return network_input(image, view)


def network_views(squares: Images, size: int, *, view: tuple[str, ...]) -> Images:
    """Return what the network sees of stored squares, (N, S, S, 3) to (N, C, H, W)."""
    views = np.stack([network_view(square, size, view=view) for square in squares])
    return np.ascontiguousarray(views.transpose(0, 3, 1, 2))


LOOKS = (1, 2, 8)
"""In how many ways one image may be looked at."""


def looks(views: Images, count: int) -> Iterator[Images]:
    """Yield images (N, C, S, S) as they are; with 2 also mirrored, with 8 also turned.

    The eight are those of the dihedral group: a lesion has no up and no left.
    """
    for quarter in range(4 if count == 8 else 1):
        turned = np.rot90(views, quarter, axes=(2, 3))
        yield np.ascontiguousarray(turned)
        if count > 1:
            yield np.ascontiguousarray(turned[..., ::-1])
