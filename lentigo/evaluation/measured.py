"""Image properties measured for subgroups: skin tone, lesion size, artefacts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.elsewhere import in_processes
from lentigo.errors import ColumnError, ImageError
from lentigo.evaluation.joining import OF_TRUTH
from lentigo.extras import require
from lentigo.imaging.decoding.packed import is_there
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.machine import cores
from lentigo.progress import track
from lentigo.words import counted

MEASURED = (
    "skin_tone", "lesion_share", "sharpness", "hair", "ruler", "ink", "sticker", "bubble",
    "frame", "vignette",
)  # fmt: skip
"""The properties that can be measured: skin tone by the individual typology angle, share of
the image's area that the lesion covers, sharpness, and presence of each artefact."""
ALL = "measured"
"""A name that stands for all of `MEASURED`."""
AS_MEASURED = " (measured)"
"""Suffix of the columns that were measured in the images."""

_SIDE, _CHUNK, _FEW = 256, 64, 256


def with_measured(
    table: pd.DataFrame, asked: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Measure the images of `table` if a name of `asked` is measurable and not a column.

    Returns the table with a column such as "hair (measured)" for each of `MEASURED`, and a
    sentence; the table unchanged and no sentence if nothing has to be measured. The images
    are read from the column `path` and decoded in separate processes.

    Raises `ColumnError` when the table names no image file that exists, and
    `NotInstalledError` without OpenCV.
    """
    wanted = [name for each in asked for name in each.split("*")]
    missing = [
        name for name in wanted if name in (*MEASURED, ALL) and not _has(table, name)
    ]
    if not missing:
        return table, []
    require("cv2", what=f"--by {missing[0]}")
    column = next((n for n in ("path" + OF_TRUTH, "path") if n in table), None)
    paths = [None if column is None else _there(path) for path in table.get(column, [])]
    if not any(paths):
        raise ColumnError(
            f"{missing[0]} is measured in the images, and neither table says where they "
            "are; 'lentigo read' makes a table that does (column path)."
        )
    found = _measured([path for path in paths if path is not None])
    rows = np.flatnonzero([path is not None for path in paths])
    whole = found.set_axis(table.index[rows]).reindex(table.index)
    number = int(whole.notna().any(axis=1).sum())
    note = (
        f"Measured in {number:,} of {counted(len(table), 'image')}: tone of the skin, size "
        "of the lesion in the picture, sharpness and artefacts, as found by this program."
    )
    return table.assign(**{f"{n}{AS_MEASURED}": whole[n] for n in MEASURED}), [note]


def _has(table: pd.DataFrame, name: str) -> bool:
    return name in table or name + OF_TRUTH in table


def is_image_there(path: object) -> bool:
    """Tell whether `path` is an existing file, or leads to one in a zip or HDF5 file."""
    return Path(str(path)).is_file() or is_there(str(path))


def _there(path: Any) -> str | None:
    known = None if pd.isna(path) else str(path)
    return known if known and is_image_there(known) else None


def _measured(paths: Sequence[str]) -> pd.DataFrame:
    """Return one row an image with columns `MEASURED`; missing where it was not readable.

    Skin tone and artefacts are words, such as "present"; the other columns are numbers.
    """
    from lentigo.imaging.artefacts.registry import ARTEFACTS
    from lentigo.imaging.quality.skin_tone import tone

    with GuardedReader(workers=cores()) as reader:
        chunks = _chunks(reader, paths)
        # Few images are measured faster than other processes start.
        alone = cores() == 1 or len(paths) <= _FEW
        parts = (
            map(_chunk, chunks) if alone else in_processes(_chunk, chunks, workers=cores())
        )
        total = -(-len(paths) // _CHUNK)
        rows = [r for part in track(parts, total=total, label="Measuring") for r in part]
    numbers = pd.DataFrame(rows)
    found = pd.DataFrame(index=numbers.index)
    words = numbers["ita"].map(tone).astype("string")
    found["skin_tone"] = words.mask(words == "unknown")
    found["lesion_share"] = numbers["lesion_share"].round(3)
    found["sharpness"] = numbers["sharpness"].map(lambda value: float(f"{value:.3g}"))
    for name, artefact in ARTEFACTS.items():
        score = numbers[name]
        there = np.where(score >= artefact.limit, "present", "absent")
        found[name] = pd.Series(there, dtype="string").where(score.notna())
    return found


def _chunks(reader: GuardedReader, paths: Sequence[str]) -> Iterator[list[Any]]:
    for start in range(0, len(paths), _CHUNK):
        squares: list[Any] = []
        for path in paths[start : start + _CHUNK]:
            try:
                squares.append(reader.read_square(path, size=_SIDE)[0])
            except ImageError:
                squares.append(None)
        yield squares


def _chunk(squares: Sequence[NDArray[np.uint8] | None]) -> list[dict[str, float]]:
    from lentigo.imaging.quality.measure import measure_image
    from lentigo.imaging.quality.skin_tone import skin_tone_angle
    from lentigo.imaging.segmentation import find_outline

    rows = []
    for square in squares:
        image = np.zeros((_SIDE, _SIDE, 3), np.uint8) if square is None else square
        row = measure_image(image)
        row |= {"ita": math.nan, "lesion_share": math.nan}
        if image.any():
            area = find_outline(image).area
            row["ita"] = skin_tone_angle(image)
            row["lesion_share"] = area / _SIDE**2 if area else math.nan
        rows.append(row)
    return rows
