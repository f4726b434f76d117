"""Tell whether an image shows skin at all, and whether a dermatoscope took it.

Both tests use simple statistics of a small copy. They recognise photographs of other things
well, and smartphone photographs of a lesion badly; `docs/artefacts.md` has the numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, lab, working

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SIDE = 64
"""Side of the copy, in pixels."""
_DARKEST = 50
"""Level of the strongest channel; a darker pixel (hair, a black lesion) has no usable
colour."""
_REDDER, _NOT_BLUE = 1.03, 0.85
"""The red of skin and of lesions exceeds _REDDER times the green and _NOT_BLUE times the
blue."""
_STEP = 8.0
"""Units of L* between neighbouring pixels; skin varies less."""
_RIM, _MIDDLE = 0.85, 0.45
"""Limits of rim and middle: distances from the middle of the image, in half sides."""
_PLAIN = 1.0
"""Standard deviation in units of L*; an image that varies less shows nothing. Skin without
a lesion varies more: the least of 4,141 dermoscopies is 2."""
_FEWEST = 50
"""Least number of visible pixels in the rim and in the middle, outside a black frame."""

FEATURES = ("skin", "steps", "one_hue", "uneven_rim", "dark_middle")

COEFFICIENTS = (2.222, -7.871, 1.723, -2.081, 0.634)
INTERCEPT = 1.375
"""COEFFICIENTS and INTERCEPT are printed by `benchmarks/artefacts.py`."""


def skin(image: Image) -> float:
    """Return the share of the image whose colour could be skin or a lesion, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. Such a colour has more red than green and is not blue;
    black frame and pixels too dark to have a colour are left out. 0 for a grey image, NaN
    if the whole image is frame.
    """
    small = working(image, side=SIDE)
    return _skin_share(small, ~corners(small))


def dermoscopic(image: Image) -> float:
    """Return how much an image looks like dermoscopy, 0 to 1; NaN if it is almost empty.

    `image` is (S, S, 3) RGB, 0–255. The score is a logistic function of `kind_features`,
    fitted by `benchmarks/artefacts.py` on ISIC 2017, HAM10000 and 72 images of other kinds,
    with equal weight of both classes; it is not a probability, since the prevalence is
    unknown.
    """
    return score_of(kind_features(image))


def score_of(features: FloatArray) -> float:
    """Return the score of `dermoscopic` from the `kind_features` of an image, (5,)."""
    if np.isnan(features).any():
        return math.nan
    return 1 / (1 + math.exp(-(INTERCEPT + float(features @ np.array(COEFFICIENTS)))))


def kind_features(image: Image) -> FloatArray:
    """Return the five features named in `FEATURES`; NaN if the image shows almost nothing.

    They are the share of skin colours; the share of neighbouring pixels that differ by a
    step in L*; how similar the hues of all colours are (0–1); the logarithm of 1 plus the
    standard deviation of L* at the rim; by how much the middle is darker than the rim (in
    20 units of L*).
    """
    small = working(image, side=SIDE)
    return features_of(small, lab(small))


def features_of(small: Image, tones: FloatArray) -> FloatArray:
    """Return the `kind_features` from the copy of 64 × 64 pixels and its L*a*b*."""
    seen = ~corners(small)
    rim, middle = seen & (_DISTANCE > _RIM), seen & (_DISTANCE < _MIDDLE)
    if min(rim.sum(), middle.sum()) < _FEWEST:
        return np.full(len(FEATURES), np.nan)
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
    """Length of the mean colour (a*, b*) over the mean length: 1 if all hues are equal."""
    lengths = float(np.hypot(*colours.T).mean())
    return float(np.hypot(*colours.mean(axis=0))) / lengths if lengths > 0 else 0.0


def _distances() -> FloatArray:
    axis = (np.arange(SIDE) + 0.5) / (SIDE / 2) - 1
    return np.asarray(np.hypot(axis[None], axis[:, None]))


_DISTANCE = _distances()
