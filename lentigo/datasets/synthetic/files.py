"""Task of a worker process: draw the images of some rows and write them as JPEG files.

Light to import (no pandas), because every worker imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lentigo.datasets.synthetic.model import lesion_of, photograph_of
from lentigo.datasets.synthetic.painting import Drawing, draw_with_truth
from lentigo.files import cannot_write

QUALITY = 92


def draw_files(
    batch: Sequence[tuple[Path, Mapping[str, Any]]], size: int, threads: int | None = None
) -> int:
    """Draw the image of every (path, row) of `batch` and return their number.

    `size` is the side in pixels, and `threads` the number of threads of OpenCV. Raises
    `RunError` where a file cannot be written.
    """
    if threads is not None:
        cv2.setNumThreads(threads)
    for path, row in batch:
        content = as_jpeg(draw_row(row, size=size).image)
        # No fsync: after a power cut a file without its end mark is drawn again.
        beside = path.with_name(f".{path.name}")
        try:
            beside.write_bytes(content)
            beside.replace(path)
        except OSError as error:
            raise cannot_write(path, error) from error
    return len(batch)


def draw_row(row: Mapping[str, Any], *, size: int) -> Drawing:
    """Return the drawing for a row of `draw_features` or `metadata.csv`."""
    return draw_with_truth(
        lesion_of(row), photograph_of(row), size=size, seed=int(row["lesion_seed"])
    )


def as_jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    """Return `image` as a JPEG file with full colour resolution (quality 92)."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()
