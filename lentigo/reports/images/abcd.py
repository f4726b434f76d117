"""Measure ABCD criteria of lesions into a table: asymmetry, border, colours, diameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError
from lentigo.explanation.abcd import MEASURES, STRUCTURES, TINY, Abcd, is_tiny, measure_abcd
from lentigo.explanation.colors import COLORS, NO_COLORS, color_of, has_colors
from lentigo.explanation.patch import SIDE, Patch, lesion_patch
from lentigo.figures.images import plot_images
from lentigo.figures.save import draw_into
from lentigo.figures.style import INK, style
from lentigo.files import written_beside
from lentigo.imaging.artefacts.ruler import mark_distance
from lentigo.imaging.segmentation import Outline
from lentigo.imaging.views import outline as draw_outline
from lentigo.notice import RESEARCH_ONLY
from lentigo.reports.images.each import Kind, Read, Written, write_each
from lentigo.reports.images.views import shrunk
from lentigo.run_layout import ABCD
from lentigo.visible import named

Pixels = NDArray[np.uint8]

COLUMNS = (
    "image_id", "path", "found", "certainty", "cut_off", "given", *MEASURES, "present",
    "verdict", "mm_per_pixel", "scale", "figure", "doubt", "reason",
)  # fmt: skip
"""Columns of the table: see `docs/how-to/outline.md`."""

FIELD_MM = (6.0, 36.0)
"""Least and greatest longer side of a dermoscopic image in millimetres. Dermatoscopes show
20 to 33 mm. Of 108 scales on a line in ISIC 2017, with marks each half millimetre, 17 had
long marks too faint to be told apart, and read as whole millimetres made 43 to 47 mm."""
SHOWN_AS = {
    "white": (240, 240, 240), "red": (204, 60, 60), "light_brown": (176, 122, 80),
    "dark_brown": (96, 58, 36), "blue_grey": (96, 120, 150), "black": (20, 20, 20),
}  # fmt: skip
"""Name of a dermoscopic colour → RGB in which the figure paints it."""


def write_abcd(
    inputs: Sequence[str | Path],
    out: Path,
    *,
    mask: Path | None = None,
    mm_per_pixel: float | None = None,
) -> Written:
    """Measure the lesion in each image: abcd.csv in the new folder `out`, with figures.

    `inputs` and `mask` are as for `write_outlines`. Diameters in millimetres need
    `mm_per_pixel`, or a ruler in the image, whose marks are taken to be 1 mm apart. An
    image that cannot be read has a row with the reason.

    Raises:
        ConfigError: a scale that no photograph has, or one mask for several images.
        DatasetNotFoundError: there is no such input, or no mask of any image.
        RunError: `out` is not empty or cannot be written.
    """
    check_scale(mm_per_pixel, option="--mm-per-pixel")
    kind = Kind(ABCD, COLUMNS, (), "Measuring lesions")
    return write_each(
        inputs, out, lambda read: _row(read, out, mm_per_pixel), mask=mask, kind=kind
    )


def check_scale(mm_per_pixel: float | None, *, option: str) -> None:
    """Raise `ConfigError` unless a scale given with `option` is above 0 and at most 1 mm.

    None passes. More than 1 mm per pixel would show a lesion in a few pixels; such a number
    is mostly the pixels per millimetre.
    """
    if mm_per_pixel is None:
        return
    if not 0 < mm_per_pixel < math.inf:
        raise ConfigError(f"{option} is {mm_per_pixel:g}; give a number above 0.")
    if mm_per_pixel > 1:
        raise ConfigError(
            f"{option} is {mm_per_pixel:g}, which makes each pixel {mm_per_pixel:g} mm "
            f"wide. If a millimetre has {mm_per_pixel:g} pixels, give "
            f"{1 / mm_per_pixel:.3g}."
        )


def scale_of(image: Pixels) -> float:
    """Return the millimetres per pixel from a ruler in `image`, (H, W, 3); NaN without one.

    The marks of the ruler are taken to be 1 mm apart; if every second one is longer, the
    long ones are. NaN also if the longer side of the image would then be less or more than
    a dermatoscope shows (`FIELD_MM`).
    """
    scale = 1 / mark_distance(image)
    side = scale * max(image.shape[:2])
    return scale if FIELD_MM[0] <= side <= FIELD_MM[1] else math.nan


def _row(read: Read, out: Path, given: float | None) -> dict[str, object]:
    row: dict[str, object] = {
        "image_id": read.source.image_id, "path": read.path, "reason": read.reason,
        "present": "", "verdict": "", "scale": "", "figure": "", "doubt": "",
    }  # fmt: skip
    if read.image is None or read.outline is None:
        return row
    scale = given or scale_of(read.image)
    found = measure_abcd(read.image, read.outline, mm_per_pixel=scale)
    row |= {
        "found": read.outline.found,
        "certainty": round(read.outline.certainty, 3),
        "cut_off": read.outline.cut_off,
        "given": read.outline.given,
        **{name: float(f"{value:.5g}") for name, value in found.as_dict().items()},
        "present": ", ".join(found.present),
        "verdict": found.verdict,
        "mm_per_pixel": scale,
        "scale": "given" if given else "" if math.isnan(scale) else "ruler, 1 mm a mark",
    }
    row["doubt"] = " ".join(_doubts(read.image, read.outline))
    if is_tiny(read.outline.mask):
        row["reason"] = f"{read.source.image_id}: the lesion {TINY}."
    elif read.outline.area:
        row["figure"] = f"{read.stem}.abcd.png"
        _draw(read.image, read.outline, found, out / f"{read.stem}.abcd.png")
    return row


def _doubts(image: Pixels, outline: Outline) -> list[str]:
    grey = [] if has_colors(image, outline.mask) or not outline.area else [NO_COLORS]
    return [*outline.doubts, *grey]


def _draw(image: Pixels, outline: Outline, found: Abcd, path: Path) -> None:
    patch = lesion_patch(image, outline.mask)
    panels = [
        draw_outline(shrunk(image, 640), outline.mask),
        axes_drawn(patch),
        colors_drawn(patch, has_colors=has_colors(image, outline.mask)),
    ]
    captions = [_of_size(found, outline), _of_shape(found, outline), _of_colors(found)]
    with style():
        figure = plot_images(panels, captions, per_row=3)
        title = named(path.name.removesuffix(".abcd.png"))
        figure.suptitle(title, x=0.01, ha="left", fontsize=9, parse_math=False)
        figure.supxlabel(RESEARCH_ONLY, x=0.01, ha="left", color=INK, fontsize=6.5)
        with written_beside(path) as temporary:
            draw_into(temporary, figure)


def axes_drawn(patch: Patch) -> Pixels:
    """Return the cut-out lesion, (S, S, 3) RGB, with its outline and its two axes drawn."""
    lab = cv2.cvtColor(patch.lab, cv2.COLOR_LAB2RGB)
    pixels = np.clip(np.asarray(lab) * 255, 0, 255).astype(np.uint8)
    drawn = draw_outline(pixels, patch.mask, width=0.004)
    middle = (SIDE - 1) / 2
    for turn in np.radians([patch.axis, patch.axis + 90]):
        reach = 0.48 * SIDE * np.array([np.cos(turn), np.sin(turn)])
        start, end = np.rint([middle - reach, middle + reach]).astype(int).tolist()
        cv2.line(drawn, start, end, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn


def colors_drawn(patch: Patch, *, has_colors: bool = True) -> Pixels:
    """Return a lesion with each pixel painted in its nearest of six colours, (S, S, 3).

    Nothing is painted if the image has no colours.
    """
    drawn = np.full((SIDE, SIDE, 3), 255, np.uint8)
    inside = patch.mask & patch.seen
    painted = np.array([SHOWN_AS[name] for name in COLORS], np.uint8)
    if has_colors and inside.any():
        drawn[inside] = painted[color_of(patch.lab[inside], patch.skin)]
    return draw_outline(drawn, patch.mask, width=0.004)


def _of_size(found: Abcd, outline: Outline) -> str:
    doubts = list(outline.doubts)
    if math.isnan(found.diameter_pixels):
        return "\n".join([*doubts, "diameter not known: cut off"])
    mm = "no scale" if math.isnan(found.diameter_mm) else f"{found.diameter_mm:.1f} mm"
    lines = [*doubts, f"diameter {found.diameter_pixels:.0f} pixels ({mm})"]
    if not math.isnan(found.total_low):
        total = f"{found.total_low:.1f}–{found.total_high:.1f}"
        lines.append(f"total score {total} ({STRUCTURES[0]}–{STRUCTURES[1]} structures)")
    return "\n".join([*lines, found.verdict])


def _of_shape(found: Abcd, outline: Outline) -> str:
    if outline.cut_off:
        return "The lesion reaches the border of the picture: its shape is not measured."
    return (
        f"asymmetry {found.asymmetry:.0f} of 2\n(shape {found.shape_asymmetry:.2f}, colour "
        f"{found.color_asymmetry:.1f})\n{found.border:.0f} of 8 segments end abruptly\n"
        f"compactness {found.compactness:.2f}, fractal {found.fractal_dimension:.2f}"
    )


def _of_colors(found: Abcd) -> str:
    if math.isnan(found.colors):
        return "no colours seen"
    there = [
        f"{name.replace('_', '-')} {getattr(found, name):.0%}" for name in found.present
    ]
    lines = [", ".join(there[at : at + 2]) for at in range(0, len(there), 2)]
    return "\n".join([f"{found.colors:.0f} of 6 colours", *lines])
