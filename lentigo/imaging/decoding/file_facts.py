"""Facts about a file that need no pixels: size, compression, camera, name.

None of these facts should distinguish melanoma from other lesions. If one does, a model may
have learned the clinic's camera and not the lesion, so `target_leaks` tests these facts.

Nothing is decoded: JPEG and PNG files are read from marker to marker; for other formats
`read_size` reads the width and height. No fact is about a person: no place, no serial
number, no owner, no date (only whether there is one, and the hour of the day).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import ImageError
from lentigo.imaging.decoding.headers import read_jpeg, read_png
from lentigo.imaging.decoding.image import read_size
from lentigo.imaging.decoding.other_kinds import is_avif, is_heic

FILE_COLUMNS: dict[str, str] = {
    "bytes": "float64",
    "extension": "string",
    "kind": "string",
    "width": "float64",
    "height": "float64",
    "aspect": "float64",
    "megapixels": "float64",
    "bytes_per_pixel": "float64",
    "quality": "float64",
    "tables": "string",
    "subsampling": "string",
    "progressive": "boolean",
    "mode": "string",
    "icc": "boolean",
    "exif": "boolean",
    "orientation": "float64",
    "make": "string",
    "model": "string",
    "software": "string",
    "dated": "boolean",
    "hour": "float64",
    "folder": "string",
}
"""Facts of a file, with their types; `tables` is a short digest of the JPEG quantisation
tables."""

NAME_COLUMNS: dict[str, str] = {
    "name_prefix": "string",
    "name_number": "float64",
    "name_suffix": "string",
    "name_length": "float64",
}

_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"RIFF": "WebP",
    **{b"P%d" % number: "PPM" for number in range(1, 7)},
}
_HEADERS = {"JPEG": read_jpeg, "PNG": read_png}
_NAME = re.compile(r"^(\D*)(?:(\d{1,300})(.*))?$", re.DOTALL)


def file_facts(
    source: pd.DataFrame | Iterable[str | Path | None], *, workers: int = 0
) -> pd.DataFrame:
    """Return the facts about each image file that need no pixels, one row per file.

    `source` is a lesion table (its column `path`; the result has its index) or paths, whose
    order is kept. Columns are those of `FILE_COLUMNS` and `NAME_COLUMNS`: `kind` is the
    format by the first bytes, `width` and `height` are those of the upright image,
    `quality` is the nearest quality of the IJG's encoder (1 to 100), `subsampling` that of
    the colours as in "4:2:0". Facts that a file does not have are missing, and so are all
    that cannot be read because a file does not exist, is inside a container (such as a zip)
    or is broken. `workers` is the number of threads that wait for a slow disk; 0 means
    none.
    """
    if isinstance(source, pd.DataFrame):
        paths, index = source["path"].tolist(), source.index
    else:
        paths = list(source)
        index = pd.RangeIndex(len(paths))
    if workers > 0:
        with ThreadPoolExecutor(workers) as pool:
            rows = list(pool.map(_facts, paths))
    else:
        rows = [_facts(path) for path in paths]
    facts = pd.DataFrame(rows, index=index, columns=list(FILE_COLUMNS))
    names = pd.Series(
        [None if pd.isna(path) else Path(path).stem for path in paths], index, dtype=object
    )
    return _with_ratios(facts.astype(FILE_COLUMNS)).join(name_facts(names))


def name_facts(names: pd.Series[Any]) -> pd.DataFrame:
    """Split image names into the text before the first number, the number, and the rest.

    `ISIC_0000123_downsampled` is "ISIC_", 123 and "_downsampled". A name without a number
    is all prefix.
    """
    parts = [_NAME.match(name) for name in names.dropna().astype(str)]
    known = pd.DataFrame(
        {
            "name_prefix": [part[1] if part else None for part in parts],
            "name_number": [float(part[2]) if part and part[2] else None for part in parts],
            "name_suffix": [part[3] if part else None for part in parts],
            "name_length": [len(part[0]) if part else None for part in parts],
        },
        index=names.index[names.notna()],
        columns=list(NAME_COLUMNS),
    )
    return known.reindex(names.index).astype(NAME_COLUMNS)


def _facts(path: Any) -> dict[str, Any]:
    """Return the facts of one file, without those computed from other facts."""
    if pd.isna(path):
        return {}
    place = Path(path)
    facts: dict[str, Any] = {
        "extension": place.suffix.lower(),
        "folder": place.parent.name,
    }
    try:
        state = place.stat()
        if not stat.S_ISREG(state.st_mode):  # opening a pipe could wait for ever
            return facts
        facts["bytes"] = state.st_size
        with place.open("rb") as file:
            start = file.read(132)
            kind = _kind(start)
            if kind in _HEADERS:
                facts |= _HEADERS[kind](file)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return facts
    facts["kind"] = kind
    if kind not in _HEADERS:
        facts |= _size(place)
    return facts


def _kind(start: bytes) -> str | None:
    if start[128:132] == b"DICM":
        return "DICOM"
    if is_avif(start):
        return "AVIF"
    if is_heic(start):
        return "HEIC"
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def _size(path: Path) -> dict[str, int]:
    try:
        width, height = read_size(path)
    except ImageError:
        return {}
    return {"width": width, "height": height}


def _with_ratios(facts: pd.DataFrame) -> pd.DataFrame:
    # A header may claim no pixel at all; nothing can be divided by that.
    pixels = (facts["width"] * facts["height"]).replace(0, np.nan)
    return facts.assign(
        aspect=facts["width"] / facts["height"].replace(0, np.nan),
        megapixels=pixels / 1e6,
        bytes_per_pixel=facts["bytes"] / pixels,
    )
