"""Detect tick marks: narrow dark pieces, parallel, in a row at even distances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.working import Image

FloatArray = NDArray[np.float64]

_WIDEST = 17
"""Pixels of 256 × 256: a mark is darker than its surroundings and narrower than this."""
_CLEARER, _FAINTEST = 1.5, 14.0
"""A mark is darker than its surroundings by _CLEARER times the 92nd percentile of the
image, and by at least _FAINTEST grey levels. With 1.2 and 12, six more of 202 images
without marks had a row of three."""
_PERCENTILE = 92
_CORE, _REACH = 0.5, 15
"""The core of a mark is darker than _CORE times its darkest point; that point is searched
in a square of _REACH × _REACH pixels."""
_AREA, _EXTENT = (6, 260), (5, 45)
"""Least and greatest area and extent of a mark in pixels."""
_SLIM, _THICKEST = 2.2, 2.8
"""Least ratio of length to width, and greatest standard deviation across the mark in
pixels."""
_MOST = 30
"""The highest number of marks used, the clearest first."""
_TURN = np.deg2rad(12)
_RATIO = 3.0
"""Two marks of a row differ in direction by less than _TURN and in length by less than this
ratio: every fifth mark of a scale is longer."""
_DISTANCES = (6.0, 45.0)
_TOLERANCE = (0.12, 0.8)
"""How far a mark may lie from its expected place: a share of the distance, plus pixels."""
_SLIDE = 0.6
"""How far two marks may be shifted along their length, as a share of their length."""
_AS_GOOD = 0.8
"""Rows with this share of the best row's score are equally good; the scale is the one with
the smallest distance of marks."""
_ROW = 7
"""The highest number of marks counted in a row."""
_LONGER = 1.25
"""In a row of long and short marks in turn, the shortest long one is longer than the
longest short one by this ratio."""


@dataclass(frozen=True)
class _Marks:
    place: FloatArray
    """(n, 2): x and y of the middle of each of n marks."""
    angle: FloatArray
    """(n,): direction of the long axis in radians."""
    length: FloatArray
    """(n,): length along this axis in pixels."""


def row_of_marks(plane: Image) -> float:
    """Return the score of the best row of marks in `plane`, (256, 256), 0–255.

    The score is 0 to 1; see `ruler`.
    """
    return best_row(plane)[0]


def best_row(plane: Image) -> tuple[float, float]:
    """Return the score of the best row of marks, and the pixels from mark to mark.

    `plane` is a grey image, (256, 256), 0–255. The score, 0 to 1, is higher for more marks
    at more even distances. If every second mark is longer, the pixels are those from one
    long mark to the next; NaN if only three marks show it, which may as well be a scale
    whose every fifth mark is longer. Both results are 0 if there is no row.
    """
    marks = _marks(plane)
    if len(marks.place) < 3:
        return 0.0, 0.0
    axis = np.stack([np.cos(marks.angle), np.sin(marks.angle)], axis=1)
    apart = marks.place[None] - marks.place[:, None]  # (from, to, xy)
    turned = (marks.angle[None] - marks.angle[:, None] + np.pi / 2) % np.pi - np.pi / 2
    longer = np.abs(np.log(marks.length[None] / marks.length[:, None]))
    like = (np.abs(turned) < _TURN) & (longer < np.log(_RATIO))
    slide = _SLIDE * (marks.length[:, None] + marks.length[None]) / 2 + 1
    across = apart[..., 1] * axis[:, None, 0] - apart[..., 0] * axis[:, None, 1]
    level = like & (np.abs((apart * axis[:, None]).sum(axis=2)) < slide)
    near, far = _DISTANCES
    pairs = np.argwhere(level & (np.abs(across) > near) & (np.abs(across) < far))
    if not len(pairs):
        return 0.0, 0.0
    return _longest(pairs, marks, axis=axis, like=like, slide=slide)


def _longest(
    pairs: NDArray[np.intp],
    marks: _Marks,
    *,
    axis: FloatArray,
    like: NDArray[np.bool_],
    slide: FloatArray,
) -> tuple[float, float]:
    """Extend each pair of marks to a row, mark by mark, as long as a next mark is found.

    `pairs`, (P, 2), are positions of marks. Of n marks, `axis` is the direction, (n, 2);
    `like`, (n, n), tells which are alike, and `slide`, (n, n), how far one may be shifted
    along itself beside another. Returned are the results of `best_row`.
    """
    place = marks.place
    first, last = pairs.T
    lengths = [marks.length[first], marks.length[last]]
    along = axis[first]
    gap = _across(place[last] - place[first], along)
    count, error = np.full(len(pairs), 2), np.zeros(len(pairs))
    alive = np.ones(len(pairs), dtype=bool)
    for _ in range(_ROW - 2):
        apart = place[None] - place[last][:, None]  # (pairs, marks, xy)
        away = np.abs(_across(apart, along[:, None]) - gap[:, None])
        level = np.abs((apart * along[:, None]).sum(axis=2)) < slide[last]
        away = np.where(like[first] & level, away, np.inf)
        following = away.argmin(axis=1)
        missed = away[np.arange(len(pairs)), following]
        alive &= missed < _TOLERANCE[0] * np.abs(gap) + _TOLERANCE[1]
        error[alive] += missed[alive] / np.abs(gap[alive])
        last = np.where(alive, following, last)
        lengths.append(np.where(alive, marks.length[last], np.nan))
        count += alive
    evenness = np.clip(1 - 2 * error / np.maximum(count - 2, 1), 0, 1)
    scores = np.where(count > 2, evenness * (1 - 1 / (count - 1)), 0.0)
    gaps = np.abs(_across(place[last] - place[first], along)) / np.maximum(count - 1, 1)
    # Every second mark stands in a row, too.
    as_good = scores >= _AS_GOOD * scores.max()
    least = gaps[as_good].min()
    finest = as_good & (gaps < 1.1 * least)
    turns = _in_turn(np.stack(lengths, axis=1)[finest])
    if turns.mean() < 0.5:
        return float(scores.max()), float(least)
    known = count[finest].max() > 3
    return float(scores.max()), float(2 * least) if known else math.nan


def _in_turn(lengths: FloatArray) -> NDArray[np.bool_]:
    """Tell in which rows, (R, 7), long and short marks take turns; NaN is no mark."""
    turns = np.zeros(len(lengths), dtype=bool)
    for start in (0, 1):
        shortest = np.nanmin(lengths[:, start::2], axis=1)
        turns |= shortest > _LONGER * np.nanmax(lengths[:, 1 - start :: 2], axis=1)
    return turns


def _across(apart: FloatArray, axis: FloatArray) -> FloatArray:
    """Return the component of a distance perpendicular to an axis."""
    return np.asarray(apart[..., 1] * axis[..., 0] - apart[..., 0] * axis[..., 1])


def _marks(plane: Image) -> _Marks:
    size = (_WIDEST, _WIDEST)
    dark = cv2.morphologyEx(plane, cv2.MORPH_BLACKHAT, np.ones(size, np.uint8))
    clear = max(_FAINTEST, _CLEARER * float(np.percentile(dark[::2, ::2], _PERCENTILE)))
    peak = np.asarray(cv2.dilate(dark, np.ones((_REACH, _REACH), np.uint8)))
    core = (dark > clear) & (dark > _CORE * peak.astype(np.float32))
    count, labels, stats, middle = _pieces(core)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    extent = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    fits = (area >= _AREA[0]) & (area <= _AREA[1])
    fits &= (extent >= _EXTENT[0]) & (extent <= _EXTENT[1])
    fits[0] = False  # the background
    y, x = np.nonzero(fits[labels])
    piece = labels[y, x]
    spread = _spread(x - middle[piece, 0], y - middle[piece, 1], piece=piece, area=area)
    major, minor, angle = spread
    depth = np.bincount(piece, dark[y, x].astype(np.float64), count) / area
    slim = np.flatnonzero(fits & (major > _SLIM * minor) & (minor < _THICKEST))
    slim = slim[np.argsort(-depth[slim], kind="stable")[:_MOST]]
    # A bar of length l has the standard deviation l / √12.
    return _Marks(middle[slim], angle[slim], major[slim] * np.sqrt(12))


def _pieces(
    core: NDArray[np.bool_],
) -> tuple[int, NDArray[np.intp], NDArray[np.int32], FloatArray]:
    """Return number, labels, extents and middles of connected pieces, background first."""
    count, labels, stats, middle = cv2.connectedComponentsWithStats(core.astype(np.uint8))
    return (
        count,
        np.asarray(labels, np.intp),
        np.asarray(stats, np.int32),
        np.asarray(middle, np.float64),
    )


def _spread(
    x: FloatArray, y: FloatArray, *, piece: NDArray[np.intp], area: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the standard deviation along and across each piece, and its direction."""
    # A single pixel has a variance of 1/12 as well.
    xx = np.bincount(piece, x * x, len(area)) / area + 1 / 12
    yy = np.bincount(piece, y * y, len(area)) / area + 1 / 12
    xy = np.bincount(piece, x * y, len(area)) / area
    mean, difference = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    minor = np.sqrt(np.maximum(mean - difference, 1e-3))
    return np.sqrt(mean + difference), minor, 0.5 * np.arctan2(2 * xy, xx - yy)
