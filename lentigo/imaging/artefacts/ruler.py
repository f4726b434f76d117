"""The tick marks of a scale: on a base line in the picture, or loose in a row.

Two kinds occur. A fine scale drawn on a base line is found by the line, and told from a
hair by what stands beside it at even distances. Marks without a line (at the border of many
dermatoscopes, or the bars of a paper ruler) are found as slim dark pieces, parallel, at
even distances from each other.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.artefacts.marks import best_row, row_of_marks
from lentigo.imaging.kind.working import SIDE, Image, working
from lentigo.imaging.views.color import gray

FloatArray = NDArray[np.float64]

_SHORTEST = 38
"""Pixels of 256; on the longest lines alone a scale is looked for."""
_VOTES, _GAP, _LINES = 36, 4, 16
_DARKEST = 90
"""Percentile of how much a point is darker than beside it; base lines are above it."""
_ANGLE = np.pi / 180
"""Between the lines looked for; with 1.5° one scale of 37 more was missed."""
_STEP = 0.5
"""Pixels between samples along a line."""
_BESIDE = np.array([-6, -5, -4, -3, -2, 2, 3, 4, 5, 6])
_SIDES = (slice(0, 3), slice(3, 5), slice(5, 7), slice(7, 10))
"""Pixels beside the line where its marks are looked for: far and near, on both sides."""
_FAINTEST = 1.5
"""Grey levels; the usual depth of marks. Blocks of a JPEG are even, too, but fainter."""
_PERIODS = (7, 50)
"""Samples between two marks; a period must fit six times into the line, as shorter rows
look even by chance: with four, 3 of 202 images without a scale rose above 0.6."""
_BAND = 7
"""Pixels around a line that belong to its scale."""


def ruler(image: Image) -> float:
    """How even the best row of tick marks is: 0 (none) to 1 (a perfect scale).

    `image` is (S, S, 3) RGB, 0–255. For marks on a line it is the correlation of the line
    with itself, moved by one, two and three marks (the least of the three). For loose marks
    it is the evenness of their distances times 1 − 1 / (distances between them), so that
    three marks reach 0.5, four 0.67.
    """
    square = working(image)
    return max(_best_line(square)[0], row_of_marks(gray(square)))


def mark_distance(image: Image) -> float:
    """Return the pixels from one tick mark to the next in `image`, (H, W, 3) RGB, 0–255.

    NaN where no scale is found. What the marks stand for, mostly a millimetre, no picture
    tells: of a scale with marks of two lengths, the shorter ones count where they are seen.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    fill = [int(level) for level in np.median(image.reshape(-1, 3), axis=0)]
    padded = cv2.copyMakeBorder(
        image, 0, side - height, 0, side - width, cv2.BORDER_CONSTANT, value=fill
    )
    square = working(np.asarray(padded, np.uint8))
    evenness, gap = best_row(gray(square))
    on_line, ends = _best_line(square)
    if max(evenness, on_line) < LIMIT:
        return math.nan
    if on_line > evenness:
        gap = _period(gray(square), ends) * _STEP
    return float(gap * side / SIDE)


def scale_band(square: Image) -> NDArray[np.bool_]:
    """Where the scale on a line is, (256, 256); empty if there is none."""
    evenness, ends = _best_line(square)
    band = np.zeros((SIDE, SIDE), np.uint8)
    if evenness >= LIMIT:
        start, end = ends.round().astype(int).reshape(2, 2).tolist()
        cv2.line(band, start, end, 1, 2 * _BAND)
    return band > 0


LIMIT = 0.48
"""From here on a row of marks is a scale: see the registry."""


def _best_line(square: Image) -> tuple[float, FloatArray]:
    """The evenness of the most even scale on a line, and the line's ends (x, y, x, y)."""
    return _best_line_of(gray(square).tobytes())


@lru_cache(maxsize=4)
def _best_line_of(pixels: bytes) -> tuple[float, FloatArray]:
    # `ruler` and `hair` ask for it one after the other, and it takes 3 ms.
    plane = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
    found = _lines(plane)
    scores = [_evenness(plane, ends) for ends in found]
    best = int(np.argmax(scores)) if scores else 0
    return (scores[best], found[best]) if scores else (0.0, np.zeros(4))


def _lines(plane: Image) -> FloatArray:
    """The longest straight thin dark lines, (n, 4)."""
    soft = cv2.GaussianBlur(plane, (0, 0), 0.7)
    dark = cv2.morphologyEx(soft, cv2.MORPH_BLACKHAT, np.ones((5, 5), np.uint8))
    mask = dark > max(4.0, float(np.percentile(dark[::2, ::2], _DARKEST)))
    found = cv2.HoughLinesP(
        mask.astype(np.uint8), 1, _ANGLE, _VOTES,
        minLineLength=_SHORTEST, maxLineGap=_GAP,
    )  # fmt: skip
    if found is None:
        return np.zeros((0, 4))
    ends = np.asarray(found, dtype=np.float64).reshape(-1, 4)
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    return ends[np.argsort(-length, kind="stable")[:_LINES]]


def _evenness(plane: Image, ends: FloatArray) -> float:
    """How evenly marks stand beside a line, on the better side."""
    return _repeats(_profiles(plane, ends))[0]


def _period(plane: Image, ends: FloatArray) -> int:
    """Return the samples between two marks beside a line, on the better side."""
    return _repeats(_profiles(plane, ends))[1]


def _profiles(plane: Image, ends: FloatArray) -> NDArray[np.float32]:
    """Return how bright the strips beside a line are along it, one row a strip."""
    start, end = ends[:2], ends[2:]
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    steps = np.arange(0, length, _STEP)[:, None] * along
    points = start + steps + _BESIDE[:, None, None] * across
    x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
    strip = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profiles = [
        cv2.reduce(strip[rows], 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F) for rows in _SIDES
    ]
    return np.concatenate(profiles)


def _repeats(profiles: NDArray[np.float32]) -> tuple[float, int]:
    """The best correlation of a profile with itself one, two and three periods on.

    Beside it the period, in samples; 0 without one.
    """
    profiles = profiles - cv2.blur(profiles, (41, 1))
    usual = np.median(np.abs(profiles), axis=1, keepdims=True)
    count = profiles.shape[1]
    periods = np.arange(_PERIODS[0], min(count // 6, _PERIODS[1]))
    deep = usual[:, 0] >= _FAINTEST
    if not deep.any() or not len(periods):
        return 0.0, 0
    # One dark hair across the line must not outweigh all marks.
    tamed = profiles[deep] / (np.abs(profiles[deep]) + 2 * usual[deep])
    longer = 1 << (2 * count - 1).bit_length()
    power = np.abs(np.fft.rfft(tamed, longer)) ** 2
    same = np.fft.irfft(power)[:, :count] / (count - np.arange(count))
    same = (same / same[:, :1]).astype(np.float32)
    near = np.asarray(cv2.dilate(same, np.ones((1, 3), np.uint8)))
    peak = same[:, periods] >= near[:, periods]
    least = np.minimum(near[:, 2 * periods], near[:, 3 * periods])
    least = np.minimum(least, same[:, periods])
    even = np.where(peak, least, 0.0)
    best = int(even.max(axis=0).argmax())
    return max(float(even.max()), 0.0), int(periods[best])
