"""The pixel store beside its peers, in one run: `python benchmarks/pixel_store.py`.

Peers: Pillow's full decode with Lanczos; per-file JPEGs decoded one by one; a bare copy of
memory. One core throughout. The originals are 6000 × 4000 JPEGs, drawn here; real ones
in `../shared/data/odd` are used as well where they are.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.config import ImagingConfig
from lentigo.imaging.decoding.square import read_square
from lentigo.imaging.store.build import PixelStore, build_store
from lentigo.tables import check_table

SIZE = 256
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "odd"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare_builds("drawn with noise, 6000 × 4000", draw(Path(folder), count=3))
        real = sorted(REAL.glob("ISIC_*.jpg"))
        if real:
            compare_builds("real, enlarged to 6000 × 4000", enlarge(real, Path(folder)))
            compare_builds("real originals, 1022 × 767 to 4288 × 2848", real)
        compare_reads(Path(folder), count=2000)
        compare_memory(Path(folder))


def draw(folder: Path, *, count: int) -> list[Path]:
    """Large pictures with soft colours, sharp hairs and the noise of a sensor."""
    paths = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        soft = Image.fromarray(rng.integers(90, 230, (40, 60, 3), np.uint8))
        pixels = np.asarray(soft.resize((6000, 4000), Image.Resampling.BICUBIC)).astype(
            np.int16
        )
        for column in rng.integers(0, 5980, 40):
            pixels[:, column : column + rng.integers(4, 20)] //= 3
        pixels += rng.integers(-6, 7, pixels.shape, np.int16)
        path = folder / f"large-{seed}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=92)
        paths.append(path)
    return paths


def enlarge(originals: Sequence[Path], folder: Path) -> list[Path]:
    """Real pictures at the size of the drawn ones, without the noise of such a sensor."""
    paths = []
    for original in originals[:3]:
        path = folder / f"enlarged-{original.name}"
        with Image.open(original) as image:
            large = image.convert("RGB").resize((6000, 4000), Image.Resampling.BICUBIC)
        large.save(path, quality=92)
        paths.append(path)
    return paths


def compare_builds(title: str, paths: Sequence[Path]) -> None:
    """How fast files become squares, and how far the fast way is from the full one."""
    full = [full_lanczos(path) for path in paths]
    ours = [read_square(path, size=SIZE)[0] for path in paths]
    slow, fast = best_of_each(
        lambda: [full_lanczos(path) for path in paths],
        lambda: [read_square(path, size=SIZE) for path in paths],
    )
    nearness = [psnr(a, b) for a, b in zip(ours, full, strict=True)]
    count = len(paths)
    weight = sum(path.stat().st_size for path in paths) / count / 1e6
    print(f"Decode to {SIZE} px ({title}, {count} files of {weight:.1f} MB, one core)")
    print(f"  Pillow, full decode and Lanczos  {1000 * slow / count:8.1f} ms an image")
    print(f"  lentigo                          {1000 * fast / count:8.1f} ms an image")
    print(
        f"  {slow / fast:.1f} times as fast, PSNR {np.median(nearness):.1f} dB "
        f"(lowest {min(nearness):.1f})"
    )


def full_lanczos(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as image:
        return np.asarray(
            image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        )


def compare_reads(folder: Path, *, count: int) -> None:
    """Shuffled reads from the store, from JPEG files of the same size, and from memory."""
    table = small_jpegs(folder / "small", count=count)
    store = timed_build(table, folder / "store")
    config = ImagingConfig(size=SIZE, shard_mb=100)
    pieces = build_store(table, folder / "pieces", config=config)
    memory = np.array(store.images)
    order = np.random.default_rng(0).permutation(count)
    square = np.empty((SIZE, SIZE, 3), np.uint8)
    paths = table["path"].tolist()

    def read(images: Any) -> None:
        for row in order:
            np.copyto(square, images[row])

    def decode() -> None:
        for row in order:
            with Image.open(paths[row]) as image:
                np.copyto(square, np.asarray(image.convert("RGB")))

    ways: list[Callable[[], object]] = [
        decode,
        lambda: read(store.images),
        lambda: read(pieces.images),
        lambda: read(memory),
    ]
    files = len(list((folder / "pieces").glob("*.npy")))
    print_reads([1e6 * best / count for best in best_of_each(*ways)], files=files)


def timed_build(table: pd.DataFrame, folder: Path) -> PixelStore:
    """The store, built and asked for once more."""
    times = []
    for _ in range(2):
        started = time.perf_counter()
        store = build_store(table, folder, config=ImagingConfig(size=SIZE))
        times.append(time.perf_counter() - started)
    built, reused = times
    print(f"Store of {len(table):,} JPEGs of {SIZE} px, all cores")
    speed = len(table) / built
    print(f"  built in {built:.1f} s ({speed:,.0f} images/s), reused in {reused:.2f} s")
    return store


def print_reads(times: Sequence[float], *, files: int) -> None:
    decoded, mapped, sharded, copied = times
    print(f"Shuffled reads of {SIZE} px images, one core")
    print(f"  per-file JPEG, Pillow  {decoded:8.1f} µs an image")
    print(f"  pixel store            {mapped:8.1f} µs an image")
    print(f"  the same in {files:2} files   {sharded:8.1f} µs an image")
    print(f"  memory (np.copyto)     {copied:8.1f} µs an image")
    print(
        f"  {decoded / mapped:.0f} times as fast as files, {copied / mapped:.2f} × memory"
    )


_BUILD = """
import sys, pandas as pd
from pathlib import Path
from lentigo.config import ImagingConfig
from lentigo.imaging.store.build import build_store
from lentigo.imaging.store.opened import PixelStore
build_store(pd.read_parquet(sys.argv[1]), Path(sys.argv[2]), config=ImagingConfig(size=64))
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))
"""


def compare_memory(folder: Path) -> None:
    """Most memory that a build takes, for 1,000 and for 20,000 images."""
    if not Path("/proc/self/status").is_file():
        return
    table = small_jpegs(folder / "many", count=1000)
    print("Most memory of the process that builds a store, decoding processes aside")
    for copies in (1, 20):
        rows = [
            table.assign(image_id=table["image_id"] + f"-{each}") for each in range(copies)
        ]
        whole = pd.concat(rows, ignore_index=True)
        whole["path"] = [linked(path, number) for number, path in enumerate(whole["path"])]
        whole.to_parquet(folder / "many.parquet")
        made = folder / f"store of {len(whole)}"
        arguments = [sys.executable, "-c", _BUILD, str(folder / "many.parquet"), str(made)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        print(f"  {len(whole):6,} images  {float(done.stdout):6.0f} MB")


def linked(path: str, number: int) -> str:
    """Another name of the file, so that it is decoded once more."""
    name = Path(path).with_name(f"{number:06}-again.jpg")
    name.unlink(missing_ok=True)
    name.hardlink_to(path)
    return str(name)


def small_jpegs(folder: Path, *, count: int) -> pd.DataFrame:
    """A lesion table of JPEGs that have the size of the store already."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        soft = Image.fromarray(rng.integers(60, 230, (24, 24, 3), np.uint8))
        path = folder / f"{number:05}.jpg"
        soft.resize((SIZE, SIZE)).save(path, quality=92)
        rows.append({"image_id": path.stem, "path": str(path)})
    return check_table(pd.DataFrame(rows), source="benchmark")


def best_of_each(*ways: Callable[[], object], repeats: int = 7) -> list[float]:
    """The shortest time of each, in seconds, taken in turn so that other programs disturb
    all alike."""
    best = [math.inf] * len(ways)
    for _ in range(repeats):
        for number, way in enumerate(ways):
            started = time.perf_counter()
            way()
            best[number] = min(best[number], time.perf_counter() - started)
    return best


def psnr(ours: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> float:
    error = float(np.mean((ours.astype(float) - reference) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


if __name__ == "__main__":
    main()
