"""Milliseconds of one core that a training image costs to vary, with each thing drawn.

    python benchmarks/augmentation.py

The image is a drawn lesion of 256 pixels, varied as the recipe `quick` does; images that
get the thing and images that do not are averaged (share 1: all get it).
"""

from __future__ import annotations

import time

import cv2
import numpy as np

from lentigo.config import AugmentConfig
from lentigo.models.augment import augment
from lentigo.recipes import recipe

TIMES, REPEATS = 100, 5


def milliseconds(config: AugmentConfig, size: int) -> float:
    """Return the least mean time of `REPEATS` rounds of one image, in ms of processor."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8), (0, 0), 5)
    rounds = []
    for _ in range(REPEATS):
        begun = time.process_time()
        for seed in range(TIMES):
            draw = np.random.default_rng(seed)
            augment(image, config, size=size, rng=draw)  # type: ignore[arg-type]
        rounds.append(1e3 * (time.process_time() - begun) / TIMES)
    return min(rounds)


def main() -> None:
    """Print a line a size."""
    cv2.setNumThreads(1)
    plain = recipe("quick").augment
    changes: list[dict[str, float]] = [{}, {"hair": 1.0}, {"ruler": 1.0}]
    changes.append({"hair": 0.3, "ruler": 0.3})
    for size in (160, 224, 384):
        found = [milliseconds(plain.model_copy(update=each), size) for each in changes]
        print(
            f"{size} px: quick {found[0]:.2f} ms; with hair in all {found[1]:.2f}, a ruler "
            f"in all {found[2]:.2f}, both in three of ten {found[3]:.2f}"
        )


if __name__ == "__main__":
    main()
