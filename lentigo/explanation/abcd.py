"""The ABCD rule of dermoscopy, as far as it can be measured from outline and colours.

Stolz et al. 1994 (Eur J Dermatol 4:521–527) and Nachbar et al. 1994
(doi:10.1016/S0190-9622(94)70061-3) score a lesion by asymmetry (0–2), border (0–8), colours
(1–6) and dermoscopic structures (1–5). The first three are measured in this module;
structures are not, so the total score is given as a range, from one structure to five.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.explanation.colors import COLORS, PRESENT, color_shares, has_colors
from lentigo.explanation.patch import Patch, lesion_patch
from lentigo.imaging.segmentation import Outline, find_outline

BoolArray = NDArray[np.bool_]

WEIGHTS = {"asymmetry": 1.3, "border": 0.1, "colors": 0.5, "structures": 0.5}
"""Weights of the four scores in the total dermoscopy score."""
STRUCTURES = (1, 5)
"""Fewest and most dermoscopic structures: network, structureless areas, streaks, dots,
globules."""
SUSPICIOUS, HIGHLY = 4.75, 5.45
"""Total score from which a lesion is suspicious, and above which it is highly
suspicious."""
SENTENCE = (
    "Structures are not counted, so the total score is a range; the weights come from 172 "
    "lesions that experts scored by eye, and a score measured by a program is not theirs. "
    "It describes the lesion and says nothing of what it is."
)
"""The caution shown with each score."""

TINY = "has too few pixels to be measured; give a larger image, or its own mask"
"""What is said of a lesion that `is_tiny`."""
_LEAST_AREA, _LEAST_WIDTH = 100, 8
"""Pixels: of a smaller or narrower lesion, border and axes are those of single pixels."""
_SHAPE, _COLOR = 0.10, 7.0
"""An axis is asymmetric above one of these: the share of the area without a mirror image,
or the mean L*a*b* distance between mirrored points."""
_ROUND = 1.15
"""Ratio of length to width below which a lesion has no long axis; then the axis, of several
tried, with the least asymmetry is used."""
_TURNS = 9
_GRAIN = 6.0
"""Standard deviation of the blur before colours are compared, in pixels of the patch."""
_SEGMENTS = 8
_ABRUPT, _LEAST_STEP = 0.45, 8.0
"""A segment ends abruptly if more than the first number, as a share, of its colour step
lies at the border itself and the whole step is at least the second, in L*a*b* units. A
slope that is even over the whole zone has a share of 0.23."""
_NEAR, _FAR = (0.0, 0.08), (0.12, 0.24)
"""Distances from the border between which colours are averaged, in radii of the lesion."""
_SHIFTS = (-0.06, -0.03, 0.0, 0.03, 0.06)
"""How far from the outline the true border may lie, in radii of the lesion."""


@dataclass(frozen=True)
class Abcd:
    """Measures of one lesion; NaN where no lesion is found or the image cuts it off."""

    asymmetry: float = math.nan
    """Number of axes, of two at right angles, about which shape or colours are asymmetric:
    0 to 2."""
    shape_asymmetry: float = math.nan
    """Share of the area without a mirror image, mean over both axes: 0 to 1."""
    color_asymmetry: float = math.nan
    """Mean L*a*b* distance between mirrored points, mean over both axes."""
    border: float = math.nan
    """Number of segments, of eight, in which the pigment ends abruptly: 0 to 8."""
    compactness: float = math.nan
    """4 π area / perimeter²: 1 for a disc, smaller for an irregular border."""
    fractal_dimension: float = math.nan
    """Box-counting dimension of the lesion's border: 1 for a smooth line, up to 2."""
    colors: float = math.nan
    """Number of colours present, of white, red, two browns, blue-grey and black: 1 to 6."""
    white: float = math.nan
    """Share of the lesion's area that is white; the next five fields are likewise the
    shares of other colours."""
    red: float = math.nan
    light_brown: float = math.nan
    dark_brown: float = math.nan
    blue_grey: float = math.nan
    black: float = math.nan
    diameter_pixels: float = math.nan
    """The longest distance between two points of the lesion, in pixels."""
    width_pixels: float = math.nan
    """The shortest distance between two parallel lines that enclose the lesion, in
    pixels."""
    diameter_mm: float = math.nan
    """The longest distance in millimetres; NaN if the scale of the image is not known."""
    total_low: float = math.nan
    """Total dermoscopy score with one dermoscopic structure, the fewest."""
    total_high: float = math.nan
    """Total dermoscopy score with all five dermoscopic structures."""

    @property
    def present(self) -> list[str]:
        """The names of the colours that are present in the lesion."""
        return [name for name in COLORS if getattr(self, name) >= PRESENT]

    @property
    def verdict(self) -> str:
        """The verdict of the rule over the range of the total score, in its own words.

        "no score", "benign by the rule", "suspicious", "highly suspicious", or two with
        "to".
        """
        if math.isnan(self.total_low):
            return "no score"
        words = [_called(self.total_low), _called(self.total_high)]
        return words[0] if words[0] == words[1] else f"{words[0]} to {words[1]}"

    def as_dict(self) -> dict[str, Any]:
        """Return the measures by their names, in the order of the fields."""
        return asdict(self)


MEASURES = tuple(field.name for field in fields(Abcd))


def measure_abcd(
    image: NDArray[np.uint8],
    outline: Outline | None = None,
    *,
    mm_per_pixel: float | None = None,
) -> Abcd:
    """Measure asymmetry, border, colours and diameter of the lesion in `image`.

    `image` is (H, W, 3) `uint8` RGB; the outline is computed if `outline` is None. Pixels
    of hair and of a black frame are ignored. If the image cuts the lesion off, only its
    colours are measured, because its shape is not known. A greyscale image has no colours,
    and so no score (`colors.has_colors`). All measures are NaN where no
    lesion is found or it `is_tiny`; `diameter_mm` also without `mm_per_pixel`, the scale of
    the image.

    Raises `ImageError` for an array of another shape or type.
    """
    outline = outline or find_outline(image)
    if not outline.area or is_tiny(outline.mask):
        return Abcd()
    patch = lesion_patch(image, outline.mask)
    shares = dict.fromkeys(COLORS, math.nan)
    if has_colors(image, outline.mask):
        shares = color_shares(patch)
    count = float(sum(share >= PRESENT for share in shares.values()))
    count = count or math.nan
    if outline.cut_off:
        return Abcd(colors=count, **shares)
    shape, color = _mirrored(patch)
    asymmetric = float(((shape > _SHAPE) | (color > _COLOR)).sum())
    border = float(_abrupt_segments(patch))
    longest, narrowest = diameters(outline.mask)
    known = WEIGHTS["asymmetry"] * asymmetric + WEIGHTS["border"] * border
    known += WEIGHTS["colors"] * count
    low, high = (known + WEIGHTS["structures"] * number for number in STRUCTURES)
    return Abcd(
        asymmetry=asymmetric,
        shape_asymmetry=float(shape.mean()),
        color_asymmetry=float(color.mean()),
        border=border,
        compactness=_compactness(patch.mask),
        fractal_dimension=fractal_dimension(patch.mask),
        colors=count,
        **shares,
        diameter_pixels=longest,
        width_pixels=narrowest,
        diameter_mm=longest * mm_per_pixel if mm_per_pixel else math.nan,
        total_low=low,
        total_high=high,
    )


def is_tiny(mask: BoolArray) -> bool:
    """Tell whether a lesion, True in `mask`, (H, W), has too few pixels to be measured.

    Fewer than 100, or it is less than 8 pixels wide. False where there is no lesion.
    """
    area = int(np.count_nonzero(mask))
    if not area:
        return False
    return area < _LEAST_AREA or diameters(mask)[1] < _LEAST_WIDTH


def _called(total: float) -> str:
    if total < SUSPICIOUS:
        return "benign by the rule"
    return "suspicious" if total <= HIGHLY else "highly suspicious"


def _mirrored(patch: Patch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the asymmetry of a lesion about two axes: (2,) of shape and (2,) of colour."""
    turns = [patch.axis]
    if patch.elongation < _ROUND:
        turns = [patch.axis + 90 * turn / _TURNS for turn in range(_TURNS)]
    found = [_about(patch.turned(turn)) for turn in turns]
    return min(found, key=lambda each: float((each[0] / _SHAPE + each[1] / _COLOR).sum()))


def _about(patch: Patch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shapes, colors = [], []
    soft = _soft(patch)
    for way in (np.flipud, np.fliplr):
        mask, seen = way(patch.mask), way(patch.seen)
        shapes.append(float((patch.mask ^ mask).sum()) / (2 * float(patch.mask.sum())))
        both = patch.mask & mask & patch.seen & seen
        away = np.linalg.norm(soft - way(soft), axis=-1)
        colors.append(float(away[both].mean()) if both.any() else 0.0)
    return np.array(shapes), np.array(colors)


def _soft(patch: Patch) -> NDArray[np.float32]:
    """Return the colours blurred, so that grain and pigment network are no asymmetry.

    Hair and frame have no part in it: each pixel is the mean of what is seen around it. The
    result is (S, S, 3) L*a*b*.
    """
    seen = patch.seen.astype(np.float32)
    blurred = cv2.GaussianBlur(patch.lab * seen[..., None], (0, 0), _GRAIN)
    weight = np.asarray(cv2.GaussianBlur(seen, (0, 0), _GRAIN))
    return np.asarray(blurred / np.maximum(weight, 1e-3)[..., None], np.float32)


def _abrupt_segments(patch: Patch) -> int:
    """Count the segments, of eight around the centre, where the pigment ends abruptly."""
    plane = patch.mask.astype(np.uint8)
    inner = cv2.distanceTransform(plane, cv2.DIST_L2, 5)
    outer = cv2.distanceTransform(1 - plane, cv2.DIST_L2, 5)
    depth = np.where(patch.mask, inner - 0.5, 0.5 - outer) / patch.radius
    middle = (len(plane) - 1) / 2
    y, x = np.mgrid[: len(plane), : len(plane)]
    angle = np.degrees(np.arctan2(y - middle, x - middle)) - patch.axis
    segment = np.floor((angle % 360) / (360 / _SEGMENTS)).astype(int)
    parts = [(segment == each) & patch.seen for each in range(_SEGMENTS)]
    return sum(_is_abrupt(patch.lab[part], depth[part]) for part in parts)


def _is_abrupt(lab: NDArray[np.float32], depth: NDArray[np.float64]) -> bool:
    """Tell whether most of the colour step of a segment lies at one depth.

    `lab`, (n, 3), are the colours of its n pixels, `depth`, (n,), their distances to the
    border.
    """
    whole = _step(lab, depth, _FAR)
    size = float(np.linalg.norm(whole))
    if not size >= _LEAST_STEP:
        return False
    near = [_step(lab, depth - shift, _NEAR) @ whole / size**2 for shift in _SHIFTS]
    return bool(np.nanmax([*near, 0.0]) > _ABRUPT)


def _step(
    lab: NDArray[np.float32], depth: NDArray[np.float64], band: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the mean L*a*b* colour inside the border minus that outside: (3,).

    Only pixels whose distance to the border lies in `band` count; `depth` is that distance,
    negative outside. NaN with fewer than 5 such pixels on a side.
    """
    low, high = band
    sides = [(each > low) & (each <= high) for each in (depth, -depth)]
    if min(side.sum() for side in sides) < 5:
        return np.full(3, np.nan)
    means = [lab[side].mean(axis=0, dtype=np.float64) for side in sides]
    return np.asarray(means[0] - means[1])


def _compactness(mask: BoolArray) -> float:
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    longest = max(outlines, key=len)
    # The contour runs through the centres of pixels, so half a pixel is missing around.
    around = cv2.arcLength(cv2.approxPolyDP(longest, 0.7, True), True) + math.pi
    return min(4 * math.pi * float(mask.sum()) / around**2, 1.0)


def fractal_dimension(mask: BoolArray) -> float:
    """Return the box-counting dimension of the border of `mask`, (S, S): from 1 to 2."""
    plane = mask.astype(np.uint8)
    border = (plane > 0) & (np.asarray(cv2.erode(plane, np.ones((3, 3), np.uint8))) == 0)
    sizes, counts = (2, 4, 8, 16), []
    for size in sizes:
        side = len(border) // size * size
        boxes = border[:side, :side].reshape(side // size, size, side // size, size)
        counts.append(max(int(boxes.any(axis=(1, 3)).sum()), 1))
    slope = np.polyfit(np.log(sizes), np.log(counts), 1)[0]
    return float(np.clip(-slope, 1, 2))


def diameters(mask: BoolArray) -> tuple[float, float]:
    """Return the longest and the shortest Feret diameter of `mask`, (H, W), in pixels."""
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = np.concatenate(outlines)[:, 0].astype(np.float64)
    angle = np.radians(np.arange(180))
    across = points @ np.stack([np.cos(angle), np.sin(angle)])
    extent = across.max(axis=0) - across.min(axis=0) + 1
    return float(extent.max()), float(extent.min())
