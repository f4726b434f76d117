"""The six colours of dermoscopy in a lesion: white, red, two browns, blue-grey and black.

Every pixel is called by L*a*b*, beside the skin around the lesion: white is what is lighter
than that skin (Stolz 1994), red what is clearly redder. The limits were set on patches of
the colours as textbooks print them; lamps and cameras shift them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lentigo.explanation.patch import Patch

COLORS = ("white", "red", "light_brown", "dark_brown", "blue_grey", "black")
PRESENT = 0.03
"""Share of the lesion from which a colour is present."""

_BLACK = 22.0
"""L* of black, at most."""
_DARK = 42.0
"""L* of dark brown, at most; lighter is light brown."""
_BLUE, _GREY = 4.0, 15.0
"""b* of blue-grey, at most, and its a*, at most."""
_BLUER = 6.0
"""By how much its b* is below that of skin, which a lamp may have made blue."""
_RED_HUE, _REDDER = 0.75, 12.0
"""Red: b* over a*, at most; and by how much a* is above that of skin."""
_LIGHTER, _PALE = 3.0, 0.8
"""White: L* above that of skin, at least; and chroma over that of skin, at most."""
_USUAL_SKIN = (70.0, 18.0, 16.0)
"""L*a*b* of light skin, where none is seen."""


def color_shares(patch: Patch) -> dict[str, float]:
    """Return the share of each of `COLORS` in the seen part of a lesion; they add up to 1.

    NaN where nothing of it is seen.
    """
    inside = patch.core & patch.seen
    if not inside.any():
        return dict.fromkeys(COLORS, math.nan)
    called = color_of(patch.lab[inside], patch.skin)
    counts = np.bincount(called, minlength=len(COLORS)) / len(called)
    return dict(zip(COLORS, counts.tolist(), strict=True))


def color_of(lab: NDArray[np.float32], skin: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return which of `COLORS` each of (n, 3) L*a*b* is, (n,), beside `skin`, (3,)."""
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
