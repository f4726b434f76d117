"""A pixel store built from packed images beside one built from files, in one run.

    python benchmarks/packed.py [--images 2000]

One decoding process throughout; CPU time, the best of three. The images are those of
HAM10000 (200 × 150) in `../shared/data` where it is, else drawn here at that size.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from lentigo.config import ImagingConfig
from lentigo.imaging.store.build import build_store

REAL = Path(__file__).resolve().parents[2] / "shared/data/ham10000/HAM10000_images_part_1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = sorted(REAL.glob("*.jpg"))[:count] or draw(folder / "drawn", count)
        times: dict[str, list[float]] = {kind: [] for kind in pack(folder, files)}
        for _ in range(3):
            for kind, paths in pack(folder, files).items():
                times[kind].append(seconds(folder, paths))
    best = {kind: min(values) for kind, values in times.items()}
    for kind, value in best.items():
        ratio = value / best["files"]
        print(f"{kind:>14}: {value:6.2f} s CPU for {len(files):,} images, {ratio:.2f} ×")


def draw(folder: Path, count: int) -> list[Path]:
    """Noise at the size of HAM10000 here, smooth enough to be packed as photographs are."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        small = rng.integers(0, 256, (15, 20, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((200, 150), Image.Resampling.BICUBIC)
        image.save(folder / f"{number:05d}.jpg", quality=95)
    return sorted(folder.iterdir())


def pack(folder: Path, files: list[Path]) -> dict[str, list[str]]:
    """The paths of the images, loose and in each container (packed once)."""
    zips = {"stored zip": zipfile.ZIP_STORED, "deflated zip": zipfile.ZIP_DEFLATED}
    kinds = {"files": [str(path) for path in files]}
    for kind, method in zips.items():
        container = folder / f"{kind}.zip"
        if not container.exists():
            with zipfile.ZipFile(container, "w", method) as file:
                for path in files:
                    file.write(path, path.name)
        kinds[kind] = [f"{container}/{path.name}" for path in files]
    container = folder / "images.hdf5"
    if not container.exists():
        with h5py.File(container, "w") as file:
            for path in files:
                file.create_dataset(path.stem, data=np.void(path.read_bytes()))
    return {**kinds, "HDF5": [f"{container}/{path.stem}" for path in files]}


def seconds(folder: Path, paths: list[str]) -> float:
    """CPU time of this process and the decoding one for a store of `paths`."""
    ids = [str(number) for number in range(len(paths))]
    table = pd.DataFrame({"image_id": ids, "path": paths})
    with tempfile.TemporaryDirectory(dir=folder) as place:
        before = os.times()
        store = build_store(table, Path(place), config=ImagingConfig(size=256, workers=1))
        after = os.times()
        if store.index["error"].notna().any():
            raise RuntimeError("An image could not be decoded.")
    return sum(after[:4]) - sum(before[:4])


if __name__ == "__main__":
    main()
