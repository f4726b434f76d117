"""Decode uploaded files to the squares that networks take.

Files are decoded in sandboxed processes (`lentigo.imaging.sandbox`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.machine import cores
from lentigo.models.backend import Preparation

Square = NDArray[np.uint8]


@dataclass(frozen=True)
class Prepared:
    """One file of an upload, decoded or not."""

    sha256: str
    """Digest of the bytes of the file."""
    size: tuple[int, int] | None = None
    """(width, height) of the whole upright image in pixels; None if it was not decoded."""
    squares: dict[Preparation, Square] = field(default_factory=dict)
    """How the image was made square → that square; empty if the file was not decoded."""
    reason: str = ""
    """Why the file could not be decoded; empty if it was."""


class Decoder:
    """Decodes the files of requests, as many at once as there are cores."""

    def __init__(self, *, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._reader = GuardedReader(workers=cores(), max_pixels=max_pixels)
        self._threads = ThreadPoolExecutor(cores(), thread_name_prefix="decode")

    def start(self) -> None:
        """Start a decoding process now, so that the first request need not wait for it."""
        self._reader.start()

    def prepare(
        self, files: Sequence[bytes], ways: Sequence[Preparation]
    ) -> list[Prepared]:
        """Decode each file to a square for each of the `ways`; return them in order.

        Blocks, maybe for seconds. A file that cannot be decoded has a `reason`.
        """
        ways = list(dict.fromkeys(ways))
        return list(self._threads.map(lambda content: self._one(content, ways), files))

    def picture(self, content: bytes | Path, *, side: int) -> Square:
        """Return an upright image, (H, W, 3), its longer side at most `side` pixels.

        Raises `ImageError` if the file cannot be decoded.
        """
        whole = self._reader.read_image(content, at_least=side)
        picture = Image.fromarray(whole)
        picture.thumbnail((side, side))
        return np.array(picture)

    def close(self) -> None:
        """End the decoding threads and processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reader.close()

    def _one(self, content: bytes, ways: Sequence[Preparation]) -> Prepared:
        digest = hashlib.sha256(content).hexdigest()
        found: dict[Preparation, Square] = {}
        size = (0, 0)
        try:
            for way in ways:
                most = min(way.max_pixels, self._max_pixels)
                found[way], size = self._reader.read_square(
                    content, size=way.size, fit=way.fit, max_pixels=most
                )
        except ImageError as error:
            return Prepared(digest, reason=str(error))
        return Prepared(digest, size=size, squares=found)
