"""Fingerprints of images, about 5 kB each, to compare each image with all others.

Hashes give the images that may show the same picture; the fine structure decides. Neither
depends on colour or brightness, because archives hold one photograph with several colour
corrections.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lentigo.progress import track

Array = np.ndarray[Any, Any]

SIDE = 64
"""The side in pixels at which images are compared. The details that JPEG at quality 40
leaves of a 100 × 75 image (half of HAM10000's) are still visible: altered copies of it
correlate at 0.92 and more."""

_FULL, _MIDDLE = (0.0, 0.0, 1.0), (0.05, 0.05, 0.9)
PROBES = (
    _FULL,
    _MIDDLE,
    *((x, y, 0.95) for x in (0.0, 0.025, 0.05) for y in (0.0, 0.025, 0.05)),
)
"""The parts of an image (left, top and side, as shares of the whole) that another image may
show. No crop to 95 % of the side lies further than 1.25 % from one of these parts."""

TURNS = 8
"""The number of turns. Turn t flips left-right (bit 0), top-bottom (bit 1) and then
transposes (bit 2)."""

CLIP = 4.0
"""Structure is clipped at ± this number of grey levels, so that two dark spots on clean
skin, two frames or two rulers do not make a pair. Different lesions of HAM10000 reach a
correlation of 0.87 if clipped at 6, 0.85 at 4; copies 0.95 and 0.94 (the worst one in a
hundred)."""
LEVELS = 31.0
"""Steps of the stored structure per grey level."""
LEAST_STRUCTURE = 0.5
"""An image whose structure has a lower standard deviation, in grey levels, is not compared.
Of 10,154 images of ISIC 2017 and HAM10000 none has less than 0.9; a black image with
camera noise of 4 grey levels has 0.2."""

_LOW = 8
_CHUNK = 128


@dataclass(frozen=True)
class Prints:
    """Fingerprints of N images."""

    digests: list[bytes | None]
    """SHA-256 of the small grey image; None for an image of a single colour."""
    hashes: Array
    """(N, probes, turns) uint64: the hash of each part of the image in each turn."""
    structure: Array
    """(N, SIDE, SIDE) int8: the fine structure, `LEVELS` steps per grey level."""
    plain: Array
    """(N,) bool: images with too little structure to be compared."""


def fingerprints(images: Any, *, workers: int) -> Prints:
    """Return the fingerprints of `images`, (N, S, S, 3) uint8 RGB, each read once.

    N is the number of images, S the side of each square in pixels; `workers` is the number
    of threads.
    """
    count = len(images)
    prints = Prints(
        [None] * count,
        np.empty((count, len(PROBES), TURNS), np.uint64),
        np.empty((count, SIDE, SIDE), np.int8),
        np.empty(count, dtype=bool),
    )
    chunks = [range(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(lambda rows: _take(images, rows, prints), chunks)
        for _ in track(done, total=len(chunks), label="Looking for duplicates"):
            pass
    return prints


def digest(pixels: Array) -> bytes:
    """Return the SHA-256 of the pixels, which is equal only if every value is equal."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).digest()


def _take(images: Any, rows: range, prints: Prints) -> None:
    """Fill in the fingerprints of some rows."""
    small = np.stack([_small(images[row]) for row in rows])
    fine = np.stack([fine_structure(grey) for grey in small])
    part = slice(rows.start, rows.stop)
    prints.structure[part] = np.rint(fine * LEVELS)
    prints.plain[part] = fine.std(axis=(1, 2)) < LEAST_STRUCTURE
    prints.hashes[part] = hashes(small)
    for row, grey in zip(rows, small, strict=True):
        prints.digests[row] = None if grey.min() == grey.max() else digest(grey)


def _small(image: Array) -> Array:
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def fine_structure(grey: Array) -> Array:
    """Return the grey image, (SIDE, SIDE), filtered to details of one to a few pixels.

    It is the difference of two Gaussians of 1 and 3 pixels, clipped to ±`CLIP` grey levels.
    """
    values = grey.astype(np.float32)
    band = cv2.GaussianBlur(values, (0, 0), 1.0) - cv2.GaussianBlur(values, (0, 0), 3.0)
    return np.asarray(np.clip(band, -CLIP, CLIP))


def hashes(small: Array) -> Array:
    """Return the hashes of the parts of N grey images in each turn: (N, probes, turns).

    `small` is (N, SIDE, SIDE). A hash holds the signs of the 63 lowest frequencies of the
    discrete cosine transform (Zauner 2010, "Implementation and benchmarking of perceptual
    image hash functions"). The transform of a part is summed over the pixels within it; a
    turn only changes signs or transposes.
    """
    found = np.empty((len(small), len(PROBES), TURNS), np.uint64)
    for probe, frequencies in enumerate(_frequencies(small.astype(np.float32))):
        for turn in range(TURNS):
            found[:, probe, turn] = _signs(_turned_frequencies(frequencies, turn))
    return found


def _frequencies(small: Array) -> Iterator[Array]:
    """Yield for each probe the lowest frequencies of that part of N images: (N, 8, 8)."""
    for left, top, side in PROBES:
        rows, columns = _cosines(top, side), _cosines(left, side)
        yield rows @ small @ columns.T


def _cosines(start: float, side: float) -> Array:
    """The 8 lowest cosines over a part of a line, integrated in each pixel: (8, SIDE).

    The part begins at `start` and is `side` long, both as shares of the line.
    """
    edges = np.clip((np.arange(SIDE + 1) / SIDE - start) / side, 0, 1)
    order = np.pi * np.arange(1, _LOW)[:, None]
    integral = np.vstack([edges, np.sin(order * edges) / order])
    return np.asarray(np.diff(integral, axis=1), np.float32)


def _turned_frequencies(frequencies: Array, turn: int) -> Array:
    # Mirroring an image turns the sign of its odd frequencies.
    odd = np.where(np.arange(_LOW) % 2, -1, 1).astype(np.float32)
    down, across = odd if turn & 2 else odd**2, odd if turn & 1 else odd**2
    flipped = frequencies * (down[:, None] * across[None, :])
    return np.asarray(flipped.swapaxes(-1, -2) if turn & 4 else flipped)


def _signs(frequencies: Array) -> Array:
    """Pack 63 signs into one uint64 per image, (N,); the mean brightness is left out."""
    bits = frequencies.reshape(len(frequencies), _LOW * _LOW) > 0
    bits[:, 0] = False
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]
