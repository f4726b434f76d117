"""Whether a picture shows skin at all, and whether a dermatoscope took it.

Both look at plain statistics of a small copy. They tell photographs of other things well,
and smartphone photographs of a lesion badly; `docs/artefacts.md` has the numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, lab, working

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_SIDE = 64
_DARKEST = 50
"""Level of the strongest channel; what is darker (hair, a black lesion) shows no colour."""
_REDDER, _NOT_BLUE = 1.03, 0.85
"""Skin and lesions have more red than green, and not much less red than blue."""
_STEP = 8.0
"""Units of L* between neighbours; skin is smoother."""
_RIM, _MIDDLE = 0.85, 0.45
"""Distances from the middle, in half sides."""
_PLAIN = 1.0
"""Units of L*; a picture that varies less shows nothing. Skin without a lesion varies more:
the least of 4,141 dermoscopies is 2."""
_FEWEST = 50
"""Pixels that must be seen outside a black frame for an answer."""

FEATURES = ("skin", "steps", "one_hue", "uneven_rim", "dark_middle")

COEFFICIENTS = (2.222, -7.871, 1.723, -2.081, 0.634)
INTERCEPT = 1.375
"""As `benchmarks/artefacts.py` prints them."""


def skin(image: Image) -> float:
    """The share of the picture whose colour could be skin or a lesion, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. More red than green and not blue; black frame and
    what is too dark to have a colour are left out. 0 for a grey picture, NaN where nothing
    is seen.
    """
    small = working(image, side=_SIDE)
    return _skin_share(small, ~corners(small))


def dermoscopic(image: Image) -> float:
    """Rate how much a picture looks like dermoscopy, 0 to 1; NaN if nothing is seen.

    `image` is (S, S, 3) RGB, 0–255. A logistic function of `kind_features`, fitted by
    `benchmarks/artefacts.py` on ISIC 2017, HAM10000 and 72 pictures of other kinds, both
    sides weighted alike; no probability, since nobody knows how many to expect.
    """
    features = kind_features(image)
    if np.isnan(features).any():
        return math.nan
    return 1 / (1 + math.exp(-(INTERCEPT + float(features @ np.array(COEFFICIENTS)))))


def kind_features(image: Image) -> FloatArray:
    """The five numbers of `FEATURES`; NaN where hardly anything is seen, or all is alike.

    The share of skin colours; the share of neighbours that differ by a step in L*; how
    much all colours are of one hue (0–1); the logarithm of how uneven L* is at the rim;
    by how much the middle is darker than the rim (in 20 units of L*).
    """
    small = working(image, side=_SIDE)
    seen = ~corners(small)
    rim, middle = seen & (_DISTANCE > _RIM), seen & (_DISTANCE < _MIDDLE)
    if min(rim.sum(), middle.sum()) < _FEWEST:
        return np.full(len(FEATURES), np.nan)
    tones = lab(small)
    light = tones[..., 0]
    if light[seen].std() < _PLAIN:
        return np.full(len(FEATURES), np.nan)
    return np.array(
        [
            _skin_share(small, seen),
            _steps(light, seen),
            _one_hue(tones[seen][:, 1:]),
            math.log1p(float(light[rim].std())),
            float(light[rim].mean() - light[middle].mean()) / 20,
        ]
    )


def _skin_share(small: Image, seen: BoolArray) -> float:
    red, green, blue = (small[seen].astype(np.float64)).T
    told = np.maximum(np.maximum(red, green), blue) >= _DARKEST
    if not told.any():
        return math.nan if not seen.any() else 0.0
    like = (red > _REDDER * green) & (red > _NOT_BLUE * blue)
    return float(like[told].mean())


def _steps(light: FloatArray, seen: BoolArray) -> float:
    shares = []
    for axis in (0, 1):
        step = np.abs(np.diff(light, axis=axis)) > _STEP
        both = np.minimum(*(np.roll(seen, -shift, axis=axis) for shift in (0, 1)))
        both = both[:-1] if axis == 0 else both[:, :-1]
        shares.append(float(step[both].mean()) if both.any() else 0.0)
    return sum(shares) / 2


def _one_hue(colours: FloatArray) -> float:
    """Length of the mean colour (a*, b*) over the mean length: 1 if all hues agree."""
    lengths = float(np.hypot(*colours.T).mean())
    return float(np.hypot(*colours.mean(axis=0))) / lengths if lengths > 0 else 0.0


def _distances() -> FloatArray:
    axis = (np.arange(_SIDE) + 0.5) / (_SIDE / 2) - 1
    return np.asarray(np.hypot(axis[None], axis[:, None]))


_DISTANCE = _distances()
