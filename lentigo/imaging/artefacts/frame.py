"""The black of a round dermatoscope, or of a slide mount, around the picture."""

from __future__ import annotations

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, working

_SIDE = 128


def frame(image: Image) -> float:
    """The share of the picture that is black frame or black corners, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. Counted is what is dark, joined to the border, thicker
    than a hair, and reaches a corner.
    """
    return float(corners(working(image, side=_SIDE)).mean())
