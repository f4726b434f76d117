"""Image measures that are larger the worse an image can be judged; no OpenCV is needed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.dermoscopic import SIDE
from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.unlike import Kind, kind_beside
from lentigo.imaging.kind.working import Image, luma, working

_MOST_BLUR = 6.0
"""Upper limit of the blur signal, which an image without structure gets."""
_LEAST_STRUCTURE = 0.5
"""Standard deviation of the coarse structure, in grey levels, below which there is none."""

PICTURE_SIGNALS = ("kind", "print", "blur", "dark", "bright", "frame")
WITHOUT_EARLY = 128
"""Side of the copy on which light and frame are measured for a network without early
features; limits of earlier versions were set on this one."""


def side_for(*, early: bool) -> int:
    """Return the `side` of `picture_signals` for a network with or without early features.

    With them, a smaller copy that other checks need, too, is enough and saves time.
    """
    return SIDE if early else WITHOUT_EARLY


def picture_signals(square: Image, *, side: int = SIDE) -> tuple[NDArray[np.float64], Kind]:
    """Return the `PICTURE_SIGNALS` of a square, (6,), and the `Kind` of picture it is.

    `square` is (S, S, 3) RGB, 0–255. The signals are: minus the log-odds of dermoscopy, the
    likeness to a page of text, the blur (logarithm of coarse over fine structure), minus
    the mean grey and the mean grey outside a black frame (0 black, 1 white), and the share
    of the frame. The last three are measured on a copy of `side` × `side` pixels.
    """
    small = working(square, side=SIDE)
    kind = kind_beside(square, small)
    if side != SIDE:
        small = working(square, side=side)
    odds = _log_odds(kind.score)
    frame, grey = corners(small), luma(small)
    level = float(grey[~frame].mean()) / 255 if not frame.all() else 0.0
    print_ = 0.0 if math.isnan(kind.print_) else kind.print_
    found = [-odds, print_, _blur(square), -level, level, float(frame.mean())]
    return np.array(found), kind


def _log_odds(score: float) -> float:
    if math.isnan(score):
        return -20.0  # too little of the picture can be seen for a score
    kept = min(max(score, 1e-9), 1 - 1e-9)
    return math.log(kept / (1 - kept))


def _blur(square: Image) -> float:
    plane = luma(square).astype(np.float32)
    fine, coarse = _means(plane)
    plane -= fine
    fine -= coarse
    detail, structure = _deviation(plane), _deviation(fine)
    if structure < _LEAST_STRUCTURE:
        return _MOST_BLUR
    return min(math.log(structure / max(detail, 1e-3)), _MOST_BLUR)


def _deviation(values: NDArray[np.float32]) -> float:
    """Return the standard deviation of `values`, which are overwritten: as their `std`."""
    values -= values.mean()
    np.multiply(values, values, out=values)
    return float(np.sqrt(values.mean()))


def _means(plane: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the means of 3 × 3 and of 9 × 9 pixels around each pixel, (S, S) each.

    Beyond the edge the nearest pixel counts. Means of three thirds are the mean of nine, so
    that both take a few sums: a quarter of the time of two filters of scipy.
    """
    fine = _ninths(_bordered(plane), 1)
    return np.ascontiguousarray(fine[3:-3, 3:-3]), _ninths(fine, 3)


def _bordered(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `plane` with four more pixels on each side, the nearest ones of its edge.

    It is what `np.pad` gives with `mode="edge"`, in a fifth of the time.
    """
    height, width = plane.shape
    whole = np.empty((height + 8, width + 8), np.float32)
    whole[4:-4, 4:-4] = plane
    whole[4:-4, :4], whole[4:-4, -4:] = plane[:, :1], plane[:, -1:]
    whole[:4], whole[-4:] = whole[4], whole[-5]
    return whole


def _ninths(plane: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return a ninth of the sum of each pixel and of eight that are `step` pixels away.

    (H, W) to (H − 2 · step, W − 2 · step). Sums are made in place: new arrays of this size
    take more time than the sums.
    """
    rows = plane[: -2 * step] + plane[step:-step]
    rows += plane[2 * step :]
    sums = rows[:, : -2 * step] + rows[:, step:-step]
    sums += rows[:, 2 * step :]
    sums /= np.float32(9)
    return sums
