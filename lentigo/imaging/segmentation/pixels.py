"""The probability that a pixel belongs to the lesion, from its colour relative to the skin.

The colour of the skin is the median of the brighter 60 % of the rim, a strip along the
image edge. A logistic function of twelve features per pixel gives a first guess; the
colours of the lesion and of the rest in this guess give a second one, adapted to the image.
The coefficients are fitted on masks drawn by people (`python benchmarks/outline.py --fit`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.artefacts.sticker import patches
from lentigo.imaging.kind.frame import frame_mask
from lentigo.imaging.segmentation.fitted import PIXELS
from lentigo.imaging.views.color import Image
from lentigo.imaging.views.hair import dullrazor

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

SIDE, LONGEST = 150, 600
"""Shorter side in pixels of the copy in which a lesion is searched, and the highest longer
side."""
_RIM = 0.12
"""Width of the rim, as a share of the shorter side."""
_BRIGHTER = 40
"""Percentile of L* in the rim; darker pixels are more often lesion or shadow than skin."""
_FINE, _SOFT, _COARSE = 1.5, 4.0, 12.0
"""Standard deviations of the blurs, in pixels if the shorter side is `SIDE`."""
_PRIOR = 0.7
"""Weight of the logit of the first guess in the second guess."""
_LEAST_SPREAD = 4.0
"""Units of L*: the least range of brightness used, so that noise does not count as
contrast."""


@dataclass(frozen=True)
class Guess:
    """A small copy of an image, and the probability that each of its pixels is lesion."""

    lab: FloatArray
    """(h, w, 3): L*a*b* without hair, slightly blurred."""
    first: FloatArray
    """(h, w): probability 0 to 1 from the colour relative to the skin and the position."""
    second: FloatArray
    """(h, w): probability 0 to 1, adapted to the colours of this image."""
    hidden: BoolArray
    """(h, w): True for black frame and coloured patches, which hide the skin."""


def guess(image: Image) -> Guess:
    """Return the lesion probability of each pixel of a small copy of `image`, (H, W, 3)."""
    small = _small(image)
    hidden = _hidden(small)
    lab = hairless_lab(small)
    score = pixel_features(lab, hidden) @ PIXELS.coefficients + PIXELS.intercept
    first = np.where(hidden, 0, _logistic(score)).astype(np.float32)
    fine = _blurred(lab, _FINE)
    second = np.where(hidden, 0, _refined(fine, first, ~hidden)).astype(np.float32)
    return Guess(fine, first, second, hidden)


def hairless_lab(small: Image) -> FloatArray:
    """Return L*a*b* of an image after removal of its dark hairs, (h, w, 3)."""
    clean = dullrazor(small).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(clean, cv2.COLOR_RGB2LAB), np.float32)


def pixel_features(lab: FloatArray, hidden: BoolArray) -> FloatArray:
    """Return the twelve features of each pixel, (h, w, 12), from L*a*b* without hair.

    Distance from the skin's colour, and the same times the squared distance from the
    middle; by how much a pixel is lighter, redder, yellower than skin (limited, three
    features), and yellower in a wide neighbourhood; local standard deviation of L* and a*;
    rank of lightness, and the same times the squared distance; range of lightness in the
    image; distance from the middle.
    """
    height, width = hidden.shape
    scale = min(height, width) / SIDE
    fine, soft, coarse = (_blurred(lab, scale * each) for each in (_FINE, _SOFT, _COARSE))
    skin = _skin(soft, hidden)
    light = np.sort(soft[..., 0][~hidden]) if not hidden.all() else soft[..., 0].ravel()
    spread = max(float(np.percentile(light, 90) - np.percentile(light, 3)), _LEAST_SPREAD)
    rank = np.searchsorted(light, soft[..., 0]) / max(len(light), 1)
    away = np.linalg.norm(soft - skin, axis=-1)
    limited = np.tanh((fine - skin) / np.array([8, 5, 8], np.float32))
    square = _blurred(lab[..., :2] ** 2, scale * _SOFT)
    rough = np.sqrt(np.maximum(square - soft[..., :2] ** 2, 0))
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    far = x**2 + y**2
    planes = [
        away, away * far, *np.moveaxis(limited, -1, 0), coarse[..., 2] - skin[2],
        *np.moveaxis(rough, -1, 0), rank, rank * far, np.full(far.shape, spread),
        np.sqrt(far),
    ]  # fmt: skip
    return np.stack(planes, axis=-1).astype(np.float32)


def _small(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = min(SIDE / min(height, width), LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=way)  # type: ignore[return-value]


def _hidden(small: Image) -> BoolArray:
    """Return a mask of the pixels where a frame or a coloured patch hides the skin."""
    height, width = small.shape[:2]
    found = [frame_mask(small), patches(small)]
    planes = [
        cv2.resize(each.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        for each in found
    ]
    return np.asarray((planes[0] > 0) | (planes[1] > 0))


def _skin(soft: FloatArray, hidden: BoolArray) -> FloatArray:
    """Return the median L*a*b* of the brighter part of the rim, (3,)."""
    height, width = hidden.shape
    wide = max(2, round(_RIM * min(height, width)))
    rim = ~hidden
    rim[wide:-wide, wide:-wide] = False
    seen = soft[rim] if rim.any() else soft.reshape(-1, 3)
    bright = seen[seen[:, 0] >= np.percentile(seen[:, 0], _BRIGHTER)]
    return np.asarray(np.median(bright, axis=0), np.float32)


def _refined(lab: FloatArray, first: FloatArray, seen: BoolArray) -> FloatArray:
    """Return the second guess, (h, w): the first one corrected by the image's own colours.

    `lab` is the image in L*a*b*; only pixels where `seen` is True decide. Its logit is a
    linear discriminant between the colours of lesion and skin, as the first guess weights
    them, plus `_PRIOR` times the logit of the first guess. The first guess is returned if
    it holds too few pixels of lesion or of skin.
    """
    colors, place = lab[seen].astype(np.float64), first[seen].astype(np.float64)
    lesion, skin = place**2, (1 - place) ** 2
    if min(lesion.sum(), skin.sum()) < 20:
        return first
    means = [np.average(colors, axis=0, weights=each) for each in (lesion, skin)]
    spread = 2.0 * np.eye(3)
    for mean, weight in zip(means, (lesion, skin), strict=True):
        apart = colors - mean
        spread += (apart * weight[:, None]).T @ apart / (lesion.sum() + skin.sum())
    towards = np.linalg.solve(spread, means[0] - means[1])
    score = np.clip((lab - (means[0] + means[1]) / 2) @ towards, -6, 6)
    sure = np.clip(first, 1e-3, 1 - 1e-3)
    return _logistic(score + _PRIOR * np.log(sure / (1 - sure)))


def _blurred(planes: FloatArray, width: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(planes, (0, 0), width), np.float32)


def _logistic(score: NDArray[np.floating]) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))), np.float32)
