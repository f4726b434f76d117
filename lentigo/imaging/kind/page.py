"""Tell whether an image shows print."""

from __future__ import annotations

import numpy as np

from lentigo.imaging.kind.working import FloatArray, Image, lab, luma, working

_SIDE = 64
_TONE = 4
"""Grey levels above and below the commonest one that count as the same paper."""
_STEP = 8.0
"""Units of L* between neighbouring pixels; skin varies less."""


def page(image: Image, *, light: FloatArray | None = None) -> float:
    """Return how much an image looks like print: paper of one tone with sharp edges on it.

    `image` is (S, S, 3) RGB, 0–255. The score is the share of the commonest grey level (and
    its neighbours) times the share of neighbouring pixels in a small copy that differ by a
    step in lightness: 0 to 1, about 0.2 for a page of text. Skin has either one tone or
    many edges. `light` is the L* of the copy of 64 × 64 pixels, if it is known already.
    """
    counts = np.bincount(luma(working(image)).ravel(), minlength=256)
    paper = np.convolve(counts, np.ones(2 * _TONE + 1), "same").max() / counts.sum()
    if light is None:
        light = lab(working(image, side=_SIDE))[..., 0]
    steps = [float((np.abs(np.diff(light, axis=axis)) > _STEP).mean()) for axis in (0, 1)]
    return float(paper) * sum(steps) / 2
