"""Small images and text files, for archives that are made up."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
from PIL import Image


def draw_image(path: Path, *, seed: int, size: tuple[int, int] = (24, 16)) -> None:
    """A small image of coloured noise, `size` as (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(
        0, 256, (size[1], size[0], 3), dtype=np.uint8
    )
    Image.fromarray(pixels).save(path)


def image_bytes(*, seed: int, size: tuple[int, int] = (24, 16)) -> bytes:
    """The JPEG file of a small image of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3))
    file = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG")
    return file.getvalue()


def write_hdf5(path: Path, names: Sequence[str]) -> Path:
    """An HDF5 file in the layout of SLICE-3D: a JPEG file an entry, as opaque bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for seed, name in enumerate(names):
            file.create_dataset(name, data=np.void(image_bytes(seed=seed)))
    return path


def write_zip(
    path: Path, folder: Path, *, below: str = "", names: Sequence[str] | None = None
) -> Path:
    """A zip of everything in `folder` (or of `names`), under `below`."""
    files = sorted(each for each in folder.rglob("*") if each.is_file() and each != path)
    with zipfile.ZipFile(path, "w") as file:
        for each in files if names is None else [folder / name for name in names]:
            file.write(each, Path(below) / each.relative_to(folder))
    return path


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    """Write a text file of `lines`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
