"""Detect the tick marks of a scale: on a base line in the image, or without a line.

A fine scale drawn on a base line is found by the line; marks at even distances beside it
distinguish the line from a hair. Marks without a line (at the edge of many dermatoscopes,
or the bars of a paper ruler) are found as narrow dark pieces, parallel, at even distances
from each other.
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
"""Pixels of 256 × 256: shorter lines are not searched for a scale."""
_VOTES, _GAP, _LINES = 36, 4, 16
_DARKEST = 90
"""Percentile of how much a pixel is darker than its neighbours; pixels of a base line are
above it."""
_ANGLE = np.pi / 180
"""Angle between the directions searched for lines; with 1.5° one scale of 37 more was
missed."""
_STEP = 0.5
"""Pixels between samples along a line."""
_BESIDE = np.array([-6, -5, -4, -3, -2, 2, 3, 4, 5, 6])
_SIDES = (slice(0, 3), slice(3, 5), slice(5, 7), slice(7, 10))
"""Rows of `_BESIDE`, distances in pixels from the line where its marks are searched: far
and near, on both sides."""
_FAINTEST = 1.5
"""Least median contrast of marks, in grey levels. JPEG blocks are regular, but fainter."""
_PERIODS = (7, 56)
"""Samples between two marks (least, greatest); a period must fit six times into the line,
as shorter rows look regular by chance: with four, 3 of 202 images without a scale rose
above 0.6."""
_AS_GOOD = 0.75
"""Share of the best autocorrelation from which a shorter period is taken: the best one is
often a multiple of the distance between two marks."""
_LENGTHS = np.concatenate([np.arange(-12, -1), np.arange(2, 13)])
"""Pixels from a line where the long marks of a scale of two lengths are searched."""
_CLEAR, _ALONE = 3.0, 0.55
"""Least standard deviation, in grey levels, where the long marks stand alone, and the most
autocorrelation there from one mark to the next, as a share of that to the mark after it. In
four scales of ISIC 2017 the share was −0.8 to 0.2; with every fifth mark longer, 0.9."""
_GROUND = np.array([[-12, -11, -10, -9], [9, 10, 11, 12]])
_SURE, _ALIKE = 0.6, 30.0
"""A score from which marks beside a line are taken for a scale as they are, and for lower
ones the most grey levels, in one colour, by which the two sides of the line may differ,
`_GROUND` pixels from it. Of the lines found in 1,071 images of ISIC 2017 and 10 originals,
those above were the edge of a cloth (score 0.51, 44 levels), that of a lesion (0.48, 38)
and one scale at the border (0.85); all others were below 23."""
_BAND = 7
"""Pixels on each side of a line that belong to its scale."""


def ruler(image: Image) -> float:
    """Return how regular the best row of tick marks is: 0 (none) to 1 (a perfect scale).

    `image` is (S, S, 3) RGB, 0–255. For marks on a line the score is the autocorrelation
    along the line at a shift of one, two and three marks (the least of the three). For
    marks without a line it is the regularity of their distances times 1 − 1 / (number of
    distances), so that three marks reach at most 0.5, four 0.67.
    """
    square = working(image)
    return max(_best_line(square)[0], row_of_marks(gray(square)))


def mark_distance(image: Image) -> float:
    """Return the pixels from one tick mark to the next in `image`, (H, W, 3) RGB, 0–255.

    NaN if no scale is found. The distance that the marks stand for, mostly a millimetre,
    cannot be read from the image. If every second mark is longer, as on scales of whole and
    half millimetres, the distance is that of the long ones; NaN if too few marks are found
    to tell. Other scales with marks of two lengths have the distance of the short ones,
    provided they are detected.
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
    if evenness < LIMIT or math.isnan(gap):
        if on_line < LIMIT or not _on_one_ground(square, ends, on_line):
            return math.nan
        # Only here: a line's autocorrelation is as high at two or three marks as at one.
        period = _period(gray(square), ends)
        gap = period * _STEP * (2 if _in_turn(gray(square), ends, period) else 1)
    return float(gap * side / SIDE)


def scale_band(square: Image) -> NDArray[np.bool_]:
    """Return a (256, 256) mask of the scale on a line; all false if there is none."""
    evenness, ends = _best_line(square)
    band = np.zeros((SIDE, SIDE), np.uint8)
    if evenness >= LIMIT:
        start, end = ends.round().astype(int).reshape(2, 2).tolist()
        cv2.line(band, start, end, 1, 2 * _BAND)
    return band > 0


LIMIT = 0.48
"""Threshold of `ruler` from which a row of marks is a scale; see the registry."""


def _best_line(square: Image) -> tuple[float, FloatArray]:
    """Return the score of the best scale on a line, and the line's ends (x, y, x, y)."""
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
    """Return the longest straight thin dark lines, (n, 4): n times x, y of both ends."""
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
    """Return how regular the marks beside a line are, on the better side: 0 to 1.

    `plane` is a grey image, `ends` are x, y of both ends of the line.
    """
    return _repeats(_profiles(plane, ends))[0]


def _period(plane: Image, ends: FloatArray) -> int:
    """Return the samples between two marks beside the line `ends`, on the better side."""
    return _repeats(_profiles(plane, ends))[1]


def _in_turn(plane: Image, ends: FloatArray, period: int) -> bool:
    """Tell whether every second mark on the line is longer than the one before it.

    `period` is the samples between two marks. Farther from the line than the short marks
    reach, the brightness then repeats after two marks, but not after one.
    """
    strips = _strips(plane, ends, _LENGTHS)
    strips = strips - cv2.blur(strips, (41, 1))
    near = cv2.dilate(_likeness(strips), np.ones((1, 3), np.uint8))
    second = np.minimum(near[:, 2 * period], near[:, 4 * period])
    clear = (second >= LIMIT) & (strips.std(axis=1) >= _CLEAR)
    return bool((clear & (near[:, period] < _ALONE * second)).any())


def _on_one_ground(square: Image, ends: FloatArray, score: float) -> bool:
    """Tell whether a line with marks lies on one ground, as a scale does, and no edge."""
    if score >= _SURE:
        return True
    levels = [
        [np.median(_strips(plane, ends, side)) for plane in cv2.split(square)]
        for side in _GROUND
    ]
    return bool(np.abs(np.subtract(*levels)).max() <= _ALIKE)


def _profiles(plane: Image, ends: FloatArray) -> NDArray[np.float32]:
    """Return the brightness along the strips beside a line, one row per strip."""
    strip = _strips(plane, ends, _BESIDE)
    profiles = [
        cv2.reduce(strip[rows], 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F) for rows in _SIDES
    ]
    return np.concatenate(profiles)


def _strips(
    plane: Image, ends: FloatArray, beside: NDArray[np.int_]
) -> NDArray[np.float32]:
    """Return the brightness along a line at the distances `beside`, (B,), one row each."""
    start, end = ends[:2], ends[2:]
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    steps = np.arange(0, length, _STEP)[:, None] * along
    points = start + steps + beside[:, None, None] * across
    x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
    found = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _repeats(profiles: NDArray[np.float32]) -> tuple[float, int]:
    """Return the best autocorrelation of a profile at one, two and three periods.

    The second value is the shortest period, in samples, that is nearly as good as the best
    one; 0 if none is found.
    """
    profiles = profiles - cv2.blur(profiles, (41, 1))
    usual = np.median(np.abs(profiles), axis=1, keepdims=True)
    count = profiles.shape[1]
    periods = np.arange(_PERIODS[0], min(count // 6, _PERIODS[1]))
    deep = usual[:, 0] >= _FAINTEST
    if not deep.any() or not len(periods):
        return 0.0, 0
    same = _likeness(profiles[deep])
    near = np.asarray(cv2.dilate(same, np.ones((1, 3), np.uint8)))
    peak = same[:, periods] >= near[:, periods]
    least = np.minimum(near[:, 2 * periods], near[:, 3 * periods])
    least = np.minimum(least, same[:, periods])
    even = np.where(peak, least, 0.0).max(axis=0)
    best = max(float(even.max()), 0.0)
    shortest = int(np.flatnonzero(even >= _AS_GOOD * best)[0])
    return best, int(periods[shortest])


def _likeness(profiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the autocorrelation of each row of `profiles`, whose mean is 0, same shape."""
    usual = np.median(np.abs(profiles), axis=1, keepdims=True)
    # One dark hair across the line must not outweigh all marks.
    tamed = profiles / (np.abs(profiles) + 2 * usual + 1e-6)
    count = profiles.shape[1]
    longer = 1 << (2 * count - 1).bit_length()
    power = np.abs(np.fft.rfft(tamed, longer)) ** 2
    same = np.fft.irfft(power)[:, :count] / (count - np.arange(count))
    return np.asarray(same / np.maximum(same[:, :1], 1e-9), np.float32)
