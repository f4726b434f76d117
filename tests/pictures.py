"""Small pictures that are known to the last pixel, and tables of them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.config import ImagingConfig
from lentigo.tables import check_table

# Top row red, green, blue; bottom row black, grey, white: no two orientations agree.
SIX = np.array(
    [
        [(255, 0, 0), (0, 255, 0), (0, 0, 255)],
        [(0, 0, 0), (128, 128, 128), (255, 255, 255)],
    ],
    np.uint8,
)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(mode: str, color: Any, size: tuple[int, int] = (5, 4)) -> Image.Image:
    return Image.new(mode, size, color)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


SMALL = ImagingConfig(size=32)
SHARDED = SMALL.model_copy(update={"shard_mb": 0.04})
"""Files of 13 images: far smaller than a setting may ask for, so that tests need few."""


def draw(folder: Path, count: int, *, size: tuple[int, int] = (48, 40)) -> pd.DataFrame:
    """A lesion table of `count` small pictures, no two alike."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        path = folder / f"lesion {number:03}.{'jpg' if number % 2 else 'png'}"
        Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8)).save(path)
        rows.append({"image_id": path.stem, "path": str(path)})
    return check_table(pd.DataFrame(rows), source="test")
