"""Write the outlines of lesions: an overlay and a mask per image, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.files import written_beside
from lentigo.imaging.segmentation import Outline
from lentigo.imaging.views import outline as draw_outline
from lentigo.reports.images.each import Kind, Read, Written, write_each
from lentigo.reports.images.views import shrunk
from lentigo.run_layout import OUTLINES

COLUMNS = (
    "image_id", "path", "found", "certainty", "others", "cut_off", "given", "area_pixels",
    "area_share", "centre_x", "centre_y", "width", "height", "mask", "overlay", "doubt",
    "reason",
)  # fmt: skip
"""Columns of the table: see `docs/how-to/outline.md`."""
_WHOLE = ("others", "area_pixels", "width", "height")


def write_outlines(
    inputs: Sequence[str | Path], out: Path, *, mask: Path | None = None, size: int = 512
) -> Written:
    """Write the outline of the lesion in each image into the new folder `out`.

    For each image: STEM.mask.png (as large as the image, 255 inside the lesion),
    STEM.overlay.png (the image with the outline drawn, its longer side reduced to `size`
    pixels; 0 keeps its size), and a row of outlines.csv. `inputs` are files, folders, zips,
    patterns or lesion tables. `mask` is a mask file for one image, or a folder of masks; an
    image without a mask is segmented. An image that cannot be read has a row with the
    reason.

    Raises:
        ConfigError: one mask for several images.
        DatasetNotFoundError: there is no such input, or no mask of any image.
        RunError: `out` is not empty or cannot be written.
    """
    kind = Kind(OUTLINES, COLUMNS, _WHOLE, "Finding outlines")
    return write_each(inputs, out, lambda read: _row(read, out, size), mask=mask, kind=kind)


def _row(read: Read, out: Path, size: int) -> dict[str, object]:
    row: dict[str, object] = {
        "image_id": read.source.image_id, "path": read.path, "reason": read.reason,
        "mask": "", "overlay": "", "doubt": "",
    }  # fmt: skip
    if read.image is None or read.outline is None:
        return row
    small = shrunk(read.image, size)
    overlay = draw_outline(small, read.outline.mask)
    names = f"{read.stem}.mask.png", f"{read.stem}.overlay.png"
    write_png(255 * read.outline.mask.astype(np.uint8), out / names[0])
    write_png(overlay, out / names[1])
    height, width = read.image.shape[:2]
    return row | {
        **outline_numbers(read.outline),
        "width": width,
        "height": height,
        "mask": names[0],
        "overlay": names[1],
        "doubt": " ".join(read.outline.doubts),
    }


def outline_numbers(outline: Outline) -> dict[str, object]:
    """Return the columns of the table that describe an outline: `found` to `centre_y`."""
    x, y = outline.centre
    return {
        "found": outline.found,
        "certainty": round(outline.certainty, 3),
        "others": outline.others,
        "cut_off": outline.cut_off,
        "given": outline.given,
        "area_pixels": outline.area,
        "area_share": round(outline.area / outline.mask.size, 5),
        "centre_x": round(x, 1),
        "centre_y": round(y, 1),
    }


def write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write an image, (H, W) or (H, W, 3), as PNG; `path` never holds a partial file."""
    with written_beside(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
