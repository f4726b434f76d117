"""Peak memory of `lentigo predict` over few and many images.

    python benchmarks/predict_memory.py [--counts 1000,10000,50000] [--images FOLDER]
        [--kinds folder,table,zip,hdf5,list] [--model FOLDER]

As many JPEG files as are asked for: hard links to those of `--images` (it has to be on the
same disk as the temporary folder), by default to 40 drawn ones of 200 × 150. They are
given as a folder, in a lesion table, a zip, an HDF5 file, or as a list on standard input.
The network is a small one with random weights, computed by ONNX Runtime. The peaks are
those of the process that predicts, and of the largest process that decodes for it.
Promised: the former the same within 10 %.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from engines import made
from predict import draw

_LENTIGO = str(Path(sys.executable).parent / "lentigo")


def peaks(arguments: list[str], *, listed: Path | None) -> tuple[float, float, float]:
    """Run `lentigo`; return the peak memory of it and of a child in MB, and seconds."""
    began, most, childs = time.perf_counter(), 0.0, 0.0
    with (listed or Path(os.devnull)).open() as names:
        process = subprocess.Popen(
            [_LENTIGO, *arguments], stdin=names, stdout=subprocess.DEVNULL
        )
    threads = Path(f"/proc/{process.pid}/task")
    while process.poll() is None:
        # What the system says at the end counts the process that started it, too.
        with suppress(OSError):
            most = max(most, _peak(process.pid))
            for own in threads.glob("*/children"):
                childs = max([childs, *map(_peak, map(int, own.read_text().split()))])
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"lentigo ended with {process.returncode}.")
    return most, childs, time.perf_counter() - began


def _peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def laid_out(folder: Path, files: Sequence[Path], count: int) -> list[Path]:
    """Make `count` links to `files`, one after another; return them."""
    place = folder / f"images-{count}"
    place.mkdir()
    links = [place / f"image_{number:06d}.jpg" for number in range(count)]
    for number, link in enumerate(links):
        os.link(files[number % len(files)], link)
    return links


def given_as(kind: str, images: Sequence[Path]) -> Path:
    """Return the folder of `images`, or write them, or a list of them, to a file."""
    folder = images[0].parent
    base = folder.with_name(f"{kind}-{folder.name}")
    base.mkdir()  # a table has no images beside it, in which they would be searched
    if kind == "folder":
        return folder
    if kind == "table":
        named = {"image_id": [p.stem for p in images], "path": list(map(str, images))}
        pd.DataFrame(named).to_csv(base / "table.csv", index=False)
        return base / "table.csv"
    if kind == "list":
        (base / "list.txt").write_text("".join(f"{path}\n" for path in images))
        return base / "list.txt"
    if kind == "zip":
        with zipfile.ZipFile(base / "images.zip", "w") as packed:
            for path in images:
                packed.write(path, path.name)
        return base / "images.zip"
    with h5py.File(base / "images.hdf5", "w") as file:
        for path in images:
            file.create_dataset(path.stem, data=np.fromfile(path, np.uint8))
    return base / "images.hdf5"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1000,10000,50000")
    parser.add_argument("--kinds", default="folder,table,zip,hdf5,list")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--model", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = asked.model or folder / "model"
        if asked.model is None:
            model.mkdir()
            made(model, "test_resnet", 64)
        if asked.images is None:
            drawn = draw(folder, count=40, size=(200, 150))
            files = [source.path for source in drawn if source.path is not None]
        else:
            files = sorted(asked.images.glob("*.jpg"))
        counts = [int(count) for count in asked.counts.split(",")]
        images = {count: laid_out(folder, files, count) for count in counts}
        for kind in asked.kinds.split(","):
            measure(kind, images, model=model, out=folder / f"{kind}.csv")


def measure(kind: str, images: dict[int, list[Path]], *, model: Path, out: Path) -> None:
    """Print the peaks for each number of images, given as `kind`."""
    first = None
    for count, own in images.items():
        given = given_as(kind, own)
        listed = given if kind == "list" else None
        used, child, seconds = peaks(
            ["predict", str(model), "-" if listed else str(given), "--engine", "onnx",
             "--out", str(out)],
            listed=listed,
        )  # fmt: skip
        first = first or used
        print(
            f"{kind:6} {count:7,} images: {used:6.1f} MB ({used / first:.3f} ×), "
            f"decoding {child:.0f} MB, {seconds:.0f} s",
            flush=True,
        )
        out.unlink()


if __name__ == "__main__":
    main()
