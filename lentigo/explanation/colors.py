"""The six colours of dermoscopy in a lesion: white, red, two browns, blue-grey and black.

Each pixel is classified by its L*a*b* colour and that of the skin around the lesion: white
is lighter than the skin (Stolz 1994), red is clearly redder. The limits were set on patches
of the colours as textbooks print them; lamps and cameras shift them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lentigo.explanation.patch import Patch

COLORS = ("white", "red", "light_brown", "dark_brown", "blue_grey", "black")
PRESENT = 0.03
"""Share of the lesion's area from which a colour counts as present."""

_BLACK = 22.0
"""Upper limit of L* for black."""
_DARK = 42.0
"""Upper limit of L* for dark brown; a lighter brown is light brown."""
_BLUE, _GREY = 4.0, 15.0
"""Upper limits of b* and of a* for blue-grey."""
_BLUER = 6.0
"""How far b* of blue-grey must be below that of the skin, which a lamp may have made
blue."""
_RED_HUE, _REDDER = 0.75, 12.0
"""For red: upper limit of b* divided by a*, and how far a* must exceed that of the skin."""
_LIGHTER, _PALE = 3.0, 0.8
"""For white: how far L* must exceed that of the skin, and the upper limit of the chroma
divided by that of the skin."""
_GREY_LEVELS, _COLORED, _LESION_COLORED = 6, 0.01, 0.1
"""An image has colours if in more than the second number, as a share, of its pixels the
channels differ by more than the first; of the pixels around a lesion, if in more than the
third: of 101 images of HAM10000 there they do in 96 % or more, of grey skin with a coloured
lesion (ISIC 2017) in 44 % or more."""
_COARSE = 512
"""Pixels of the longer side of which colours are looked for."""
NO_COLORS = "The picture is grey: it has no colours, and without them there is no score."
"""What is said of an image without colours."""
_USUAL_SKIN = (70.0, 18.0, 16.0)
"""L*a*b* of light skin, used where no skin is visible."""


def has_colors(image: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> bool:
    """Tell whether an image, (H, W, 3) RGB, has colours: it is no greyscale photograph.

    With the `mask` of its lesion, (H, W), only the box around the lesion counts, half as
    large again: a date or a logo in the corner of a greyscale photograph gives the lesion
    no colour.
    """
    box, least = np.s_[:, :], _COLORED
    if mask is not None and mask.any():
        box, least = _around(mask), _LESION_COLORED
    part = image[box]
    step = max(1, max(part.shape[:2]) // _COARSE)
    part = part[::step, ::step]
    span = part.max(axis=2).astype(np.int16) - part.min(axis=2)
    return bool(np.mean(span > _GREY_LEVELS) > least)


def _around(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the box around a mask, (H, W), with a quarter of its sides on each side."""
    found = []
    for axis in (1, 0):
        places = np.flatnonzero(mask.any(axis=axis))
        low, high = int(places[0]), int(places[-1]) + 1
        more = (high - low) // 4
        found.append(slice(max(low - more, 0), high + more))
    return found[0], found[1]


def color_shares(patch: Patch) -> dict[str, float]:
    """Return the share of each of `COLORS` in the visible part of a lesion; their sum is 1.

    NaN for each colour where no part of the lesion is visible.
    """
    inside = patch.core & patch.seen
    if not inside.any():
        return dict.fromkeys(COLORS, math.nan)
    called = color_of(patch.lab[inside], patch.skin)
    counts = np.bincount(called, minlength=len(COLORS)) / len(called)
    return dict(zip(COLORS, counts.tolist(), strict=True))


def color_of(lab: NDArray[np.float32], skin: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return for each L*a*b* colour, (n, 3), the index in `COLORS` of its name: (n,).

    `skin`, (3,), is the L*a*b* colour of the skin around the lesion; NaN if unknown.
    """
    beside = np.where(np.isnan(skin), _USUAL_SKIN, skin)
    light, red, yellow = lab[:, 0], lab[:, 1], lab[:, 2]
    chroma, usual = np.hypot(red, yellow), float(np.hypot(beside[1], beside[2]))
    white = (light > beside[0] + _LIGHTER) & (chroma < _PALE * max(usual, 8.0))
    reddish = (red > beside[1] + _REDDER) & (yellow < _RED_HUE * red) & (light > _BLACK + 8)
    rules = [
        (white, "white"),
        (light < _BLACK, "black"),
        (
            (yellow < min(_BLUE, beside[2] - _BLUER)) & (red < _GREY) & (light < beside[0]),
            "blue_grey",
        ),
        (reddish, "red"),
        (light < _DARK, "dark_brown"),
    ]
    return np.select(
        [rule for rule, _ in rules],
        [COLORS.index(name) for _, name in rules],
        COLORS.index("light_brown"),
    )
