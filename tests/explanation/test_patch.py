"""A lesion in the middle of its patch, and the skin around it."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.explanation.patch import lesion_patch


def test_the_skin_is_that_of_a_ring_as_wide_as_the_lesion_is_large() -> None:
    """From 0.1 to 0.6 of the radius away; most of that ring lies below 0.42."""
    y, x = np.mgrid[:240, :240]
    away = np.hypot(y - 120, x - 120)
    image = np.full((240, 240, 3), (90, 60, 200), np.uint8)
    image[away < 2.2 * 50] = (60, 160, 90)
    image[away < 1.42 * 50] = (220, 180, 160)
    image[away < 1.05 * 50] = (200, 60, 40)
    image[away < 50] = (80, 50, 40)
    around = lesion_patch(image, away < 50).skin
    ours = np.full((240, 240, 3), (220, 180, 160), np.uint8)
    ours[away < 50] = (80, 50, 40)
    assert around == pytest.approx(lesion_patch(ours, away < 50).skin, abs=0.5)
