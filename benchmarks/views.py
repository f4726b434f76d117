"""HSV and blur beside their peers, in one run: `python benchmarks/views.py`.

Peers: the same two calls of OpenCV without anything around them, and scikit-image. 1,000
images of 224 pixels, one thread; the times are the shortest of three turns, taken in
alternation so that other programs disturb all alike. The other views follow, each beside
HSV and blur.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from skimage.color import rgb2hsv
from skimage.filters import gaussian

from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.views import VIEWS, hair, view_image

SIDE = 224
COUNT = 1000
SIGMA = 0.01 * SIDE
Images = np.ndarray[Any, np.dtype[np.uint8]]


def main() -> None:
    cv2.setNumThreads(1)
    images = draw(32)
    ways: dict[str, Callable[[Images], object]] = {
        "lentigo": lambda image: view_image(image, "hsv_blur"),
        "OpenCV, bare": bare,
        "scikit-image": with_scikit_image,
    }
    counts = {"lentigo": COUNT, "OpenCV, bare": COUNT, "scikit-image": COUNT // 10}
    seconds = measured(ways, images, counts)
    print(f"HSV and blur (σ {SIGMA:.2f} px) of {COUNT:,} images of {SIDE} px, one thread")
    for name, taken in seconds.items():
        note = f" (measured on {counts[name]:,})" if counts[name] < COUNT else ""
        print(f"  {name:<14} {COUNT * taken:7.2f} s{note}")
    ours = seconds["lentigo"]
    print(f"  {ours / seconds['OpenCV, bare']:.2f} × the time of bare OpenCV (at most 1.2)")
    print(f"  {seconds['scikit-image'] / ours:.1f} × as fast as scikit-image (at least 8)")
    show_wide_blur(images)
    show_hair(images)
    show_all(images)


def show_wide_blur(images: list[Images]) -> None:
    """The local mean beside OpenCV's blur of bytes by the same Gaussian."""
    ways: dict[str, Callable[[Images], object]] = {
        "local_mean": lambda image: view_image(image, "local_mean"),
        "OpenCV, bare": lambda image: cv2.addWeighted(
            image, 4, cv2.GaussianBlur(image, (0, 0), 0.128 * SIDE), -4, 128
        ),
    }
    show_ratio("Local mean", measured(ways, images, dict.fromkeys(ways, 20)))


def show_hair(images: list[Images]) -> None:
    """Hair removal beside OpenCV's filter with 16 lines, a half of the method."""
    lines = [hair._line(20, turn).astype(np.float32) for turn in range(16)]
    ways: dict[str, Callable[[Images], object]] = {
        "dullrazor": lambda image: view_image(image, "dullrazor"),
        "OpenCV, 16 lines": lambda image: [
            cv2.filter2D(image[..., 1], -1, line / line.sum()) for line in lines
        ],
    }
    show_ratio("Hair removal", measured(ways, images, dict.fromkeys(ways, 20)))


def show_ratio(title: str, seconds: dict[str, float]) -> None:
    """Our time beside that of a peer."""
    ours, theirs = seconds.values()
    print(f"{title} of an image of {SIDE} px, one thread")
    for name, taken in seconds.items():
        print(f"  {name:<16} {1000 * taken:7.2f} ms")
    print(f"  {ours / theirs:.2f} × the time of OpenCV")


def draw(count: int) -> list[Images]:
    """Soft colours with grain."""
    pictures = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        soft = to_square(rng.integers(60, 230, (9, 9, 3), dtype=np.uint8), size=SIDE)
        grain = rng.integers(-5, 6, soft.shape)
        pictures.append(np.clip(soft + grain, 0, 255).astype(np.uint8))
    return pictures


def bare(image: Images) -> object:
    return cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), SIGMA), cv2.COLOR_RGB2HSV)


def with_scikit_image(image: Images) -> object:
    return rgb2hsv(gaussian(image, sigma=SIGMA, mode="mirror", channel_axis=2))


def measured(
    ways: dict[str, Callable[[Images], object]],
    images: list[Images],
    counts: dict[str, int],
) -> dict[str, float]:
    """Seconds an image of each way."""
    laps: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            started = time.perf_counter()
            for nth in range(counts[name]):
                way(images[nth % len(images)])
            laps[name].append((time.perf_counter() - started) / counts[name])
    return {name: min(times) for name, times in laps.items()}


def show_all(images: list[Images]) -> None:
    """Milliseconds an image of every view."""
    ways = {name: lambda image, n=name: view_image(image, n) for name in VIEWS}
    seconds = measured(ways, images, dict.fromkeys(ways, 20))  # type: ignore[arg-type]
    print(f"Every view of an image of {SIDE} px")
    for name, taken in seconds.items():
        print(f"  {name:<15} {1000 * taken:7.2f} ms")


if __name__ == "__main__":
    main()
