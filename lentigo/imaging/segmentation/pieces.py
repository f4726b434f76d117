"""Candidate areas (pieces) of an image, and how well each would agree with a drawn mask.

Pieces are cut from both guesses of `pixels` at several thresholds. A quadratic function of
twelve features (how a piece agrees with the guesses, its shape, its position, the colour
step across its outline) estimates the Jaccard index with a mask drawn by a person.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.segmentation.pixels import BoolArray, FloatArray, Guess

Plane = NDArray[np.uint8]

_FIRST, _SECOND = (0.2, 0.35, 0.5, 0.65, 0.8), (0.1, 0.3, 0.5, 0.7, 0.9)
"""Thresholds at which the first and the second guess are cut."""
_SMOOTHED = (0.3, 0.35, 0.5)
"""Thresholds at which morphological opening and closing give further pieces."""
_BLUR, _DISC, _EDGE = 1.5, 13, 9
"""In pixels of the small copy: blur of a guess, width of the opening and closing, and width
of the kernel for the strips inside and outside of an outline that are compared."""
SMALLEST = 0.004
"""Least area of a lesion as a share of the image; no lesion in a dermoscopic image is
smaller."""
_CENTRED = 0.25
"""Standard deviation, in image sides, of the Gaussian that weights pieces by position."""


def pieces(found: Guess) -> list[Plane]:
    """Return candidate masks of the lesion, (h, w) each, 1 inside; holes are filled.

    They are cut from the two guesses of `found` at several thresholds.
    """
    seen: dict[bytes, Plane] = {}
    for plane, levels in ((found.first, _FIRST), (found.second, _SECOND)):
        soft = cv2.GaussianBlur(plane, (0, 0), _BLUR)
        for level in levels:
            for piece in _cut((soft > level).astype(np.uint8), smooth=level in _SMOOTHED):
                seen.setdefault(piece.tobytes(), piece)
    return list(seen.values())


def _cut(above: Plane, *, smooth: bool) -> Iterator[Plane]:
    yield from largest(above)
    if smooth:
        for way in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
            yield from largest(cv2.morphologyEx(above, way, _disc(_DISC)))  # type: ignore[arg-type]


def largest(above: Plane, *, at_most: int = 2) -> Iterator[Plane]:
    """Yield the connected pieces that are large and central, the best first.

    At most `at_most` pieces are returned, none below `SMALLEST`; holes are filled.
    """
    count, labels, stats, middle = cv2.connectedComponentsWithStats(above)
    if count < 2:
        return
    sides = np.array(above.shape[::-1])
    away = ((middle[1:] / sides - 0.5) ** 2).sum(axis=1)
    weight = stats[1:, cv2.CC_STAT_AREA] * np.exp(-away / 2 / _CENTRED**2)
    for label in 1 + np.argsort(-weight, kind="stable")[:at_most]:
        if stats[label, cv2.CC_STAT_AREA] >= SMALLEST * above.size:
            yield filled((labels == label).astype(np.uint8))


def filled(piece: Plane) -> Plane:
    """Return a piece without holes."""
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(piece), outlines, -1, 1, cv2.FILLED)  # type: ignore[return-value]


def piece_features(piece: Plane, found: Guess) -> FloatArray:
    """Return the twelve features from which the quality of a piece is estimated, (12,).

    Soft Jaccard index with the second guess; solidity; soft Jaccard index with the first
    guess; mean of the second guess outside; distance from the middle; step in L* across the
    outline; standard deviation of L* outside; share of the image edge that it covers;
    difference in colour and in L* to the outside; mean of the second guess inside; square
    root of its area.
    """
    inside, rest = piece > 0, (piece == 0) & ~found.hidden
    step, away = _step(piece, found), _difference(found.lab, inside, rest)
    area = float(inside.mean())
    height, width = piece.shape
    y, x = np.nonzero(inside)
    off = np.hypot((x.mean() + 0.5) / width - 0.5, (y.mean() + 0.5) / height - 0.5)
    values = [
        _agreement(found.second, inside), _solidity(piece), _agreement(found.first, inside),
        _mean(found.second, rest), off, step, _spread(found.lab[..., 0], rest),
        border_share(inside), float(np.linalg.norm(away)), away[0],
        _mean(found.second, inside), np.sqrt(area),
    ]  # fmt: skip
    return np.array(values, dtype=np.float32)


def border_share(inside: BoolArray) -> float:
    """Return the share of the image edge that a mask, (h, w), covers."""
    sides = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    return float(np.mean([side.mean() for side in sides]))


def step_across(piece: Plane, found: Guess) -> float:
    """Return the colour step across the outline of a piece, in L*a*b* units."""
    inner, outer = _strips(piece, found)
    return float(np.linalg.norm(_difference(found.lab, inner, outer)))


def _step(piece: Plane, found: Guess) -> float:
    inner, outer = _strips(piece, found)
    return float(_difference(found.lab, inner, outer)[0])


def _strips(piece: Plane, found: Guess) -> tuple[BoolArray, BoolArray]:
    """Return masks of the strips inside and outside of the outline of a piece."""
    core, wider = cv2.erode(piece, _disc(_EDGE)), cv2.dilate(piece, _disc(_EDGE))
    inner = (piece > 0) & (np.asarray(core) == 0)
    outer = (np.asarray(wider) > 0) & (piece == 0) & ~found.hidden
    return inner, outer


def _difference(lab: FloatArray, inside: BoolArray, outside: BoolArray) -> FloatArray:
    """Return L*a*b* of the outside minus that of the inside; 0 if one of them is empty."""
    if not inside.any() or not outside.any():
        return np.zeros(3, np.float32)
    # OpenCV's masked means: a tenth of the time of indexing by a mask.
    out, own = (cv2.mean(lab, _as_plane(where))[:3] for where in (outside, inside))
    return np.subtract(out, own).astype(np.float32)


def _agreement(guess: FloatArray, inside: BoolArray) -> float:
    """Return the Jaccard index of a piece and a guess with values from 0 to 1."""
    area, common = int(np.count_nonzero(inside)), _mean(guess, inside)
    union = float(guess.sum()) + area * (1 - common)
    return area * common / union if union > 0 else 0.0


def _solidity(piece: Plane) -> float:
    """Return the area of a piece over the area of its convex hull."""
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(outlines))
    whole = cv2.fillConvexPoly(np.zeros_like(piece), hull, 1)
    return float(piece.sum()) / max(float(np.asarray(whole).sum()), 1.0)


def _mean(plane: FloatArray, where: BoolArray) -> float:
    return float(cv2.mean(plane, _as_plane(where))[0])  # 0 where nothing is True


def _spread(plane: FloatArray, where: BoolArray) -> float:
    spread = cv2.meanStdDev(np.ascontiguousarray(plane), mask=_as_plane(where))[1]
    return float(spread[0, 0])  # 0 where nothing is True


def _as_plane(where: BoolArray) -> Plane:
    return np.ascontiguousarray(where).view(np.uint8)


def _disc(width: int) -> Plane:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))  # type: ignore[return-value]
