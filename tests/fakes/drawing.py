"""Small images and text files, for archives that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def draw_image(path: Path, *, seed: int, size: tuple[int, int] = (24, 16)) -> None:
    """A small image of coloured noise, `size` as (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(
        0, 256, (size[1], size[0], 3), dtype=np.uint8
    )
    Image.fromarray(pixels).save(path)


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    """Write a text file of `lines`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
