"""The black frame of a round dermatoscope, or of a slide mount, around the image."""

from __future__ import annotations

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, working

_SIDE = 128


def frame(image: Image) -> float:
    """Return the share of the image that is black frame or black corners, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. A frame pixel is dark, connected to the edge of the
    image, part of an area thicker than a hair, and this area reaches a corner.
    """
    return float(corners(working(image, side=_SIDE)).mean())
