"""What guarded processes cost a prediction: `python benchmarks/predict.py`.

The squares of 200 images of 200 × 150 and of 50 of 4288 × 2848, made as `lentigo predict`
makes them: by processes that may be killed, starting them included, and by threads of this
process, as it does where nothing can be started. The pictures are drawn here.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lentigo.inference.inputs import Source
from lentigo.inference.squares import squares
from lentigo.machine import cores
from lentigo.models.backend import Preparation

WAY = Preparation(256, "stretch", 100_000_000)


def main() -> None:
    print(f"Squares of 256 px for a network, {cores()} cores, seconds")
    with tempfile.TemporaryDirectory() as folder:
        for count, size in ((200, (200, 150)), (50, (4288, 2848))):
            compare(draw(Path(folder), count=count, size=size), size)


def draw(folder: Path, *, count: int, size: tuple[int, int]) -> list[Source]:
    """JPEGs of soft colours with grain."""
    sources = []
    rng = np.random.default_rng(0)
    for number in range(count):
        soft = Image.fromarray(rng.integers(90, 230, (24, 36, 3), np.uint8)).resize(size)
        grain = rng.integers(-6, 7, (size[1], size[0], 1), np.int16)
        pixels = np.asarray(soft).astype(np.int16) + grain
        path = folder / f"{size[0]}-{number}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=92)
        sources.append(Source(path.stem, path=path))
    return sources


def compare(sources: list[Source], size: tuple[int, int]) -> None:
    """Both ways in turn, three times; the shortest counts. They have to agree."""
    times: dict[str, list[float]] = {"threads": [], "processes": []}
    for _ in range(3):
        with nothing_to_start():
            plain = timed(sources, times["threads"])
        guarded = timed(sources, times["processes"])
        if not np.array_equal(plain, guarded):
            raise SystemExit("The two ways give different pixels.")
    threads, processes = (min(each) for each in times.values())
    print(
        f"  {len(sources):3} of {size[0]} × {size[1]}: {threads:.2f} in threads, "
        f"{processes:.2f} in processes"
    )


def timed(sources: list[Source], times: list[float]) -> np.ndarray[Any, Any]:
    started = time.perf_counter()
    batches = list(squares(sources, [WAY], batch_size=32))
    times.append(time.perf_counter() - started)
    return np.stack([square for batch in batches for square in batch.squares[WAY]])


@contextmanager
def nothing_to_start() -> Iterator[None]:
    python, sys.executable = sys.executable, ""
    try:
        yield
    finally:
        sys.executable = python


if __name__ == "__main__":
    main()
