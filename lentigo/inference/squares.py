"""Decode untrusted image files to the squares that networks take, one batch ahead.

Each file is decoded in a sandboxed process (`lentigo.imaging.sandbox.reader`), as many at
once as there are cores: a file that crashes, hangs or exhausts its process gets a reason
instead of a square, and other files are not affected. The pixels are the same, bit for bit,
as those decoded in this process.

To start the processes takes half a second once: 200 images of 200 × 150 pixels took 1.2
seconds rather than 0.5, and 50 of 4288 × 2848 took 3.8 rather than 3.3, on two busy cores
(`python benchmarks/predict.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.decoding.square import read_square, to_square
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.inference.inputs import Source
from lentigo.machine import cores
from lentigo.models.backend import Preparation

Square = NDArray[np.uint8]

_Read = Callable[..., tuple[Square, tuple[int, int]]]
"""`read_square`, run in this process or in a sandboxed one."""

_Prepared = list[Square] | str
"""An image's square for each `Preparation`, or the reason why it has none."""


@dataclass(frozen=True)
class Squares:
    """A batch: the squares of the images that could be read, and reasons for the rest."""

    places: list[int]
    """Positions among the sources of the images that could be read."""
    squares: dict[Preparation, list[Square]]
    """For each `Preparation` one square, (size, size, 3), for each of `places`."""
    reasons: dict[int, str]
    """By position, why an image of the batch could not be read."""


def squares(
    sources: Sequence[Source], ways: Sequence[Preparation], *, batch_size: int
) -> Generator[Squares]:
    """Yield the squares of `sources`, prepared in each of the `ways`, batch by batch.

    A source that cannot be prepared in one of the `ways` has a reason, and no square. Close
    the generator (`contextlib.closing`) if it is not read to the end: that ends the
    decoding processes at once.
    """
    ways = list(dict.fromkeys(ways))
    with _decoding(sources, ways) as begin:
        waiting: dict[int, Future[_Prepared]] = {}
        for start in range(0, len(sources), batch_size):
            part = sources[start : start + batch_size]
            ahead = {start + nth: begin(source) for nth, source in enumerate(part)}
            if waiting:
                yield _gathered(waiting, ways)
            waiting = ahead
        if waiting:
            yield _gathered(waiting, ways)


def _gathered(
    waiting: dict[int, Future[_Prepared]], ways: Sequence[Preparation]
) -> Squares:
    batch = Squares([], {way: [] for way in ways}, {})
    for place, future in waiting.items():
        found = future.result()
        if isinstance(found, str):
            batch.reasons[place] = found
            continue
        batch.places.append(place)
        for way, square in zip(ways, found, strict=True):
            batch.squares[way].append(square)
    return batch


@contextmanager
def _decoding(
    sources: Sequence[Source], ways: Sequence[Preparation]
) -> Iterator[Callable[[Source], Future[_Prepared]]]:
    """Yield a function that begins to decode a source in a thread.

    It makes the image square in each of `ways`. `sources` are all that will be decoded.
    """
    files = sum(source.image is None and source.path is not None for source in sources)
    with ThreadPoolExecutor(cores()) as threads, _reading(files) as read:
        try:
            yield lambda source: threads.submit(_prepared, source, ways=ways, read=read)
        finally:
            # Before the processes are ended, so that none is started for what is left.
            threads.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _reading(files: int) -> Iterator[_Read]:
    # Inside another program (no `executable`) there is nothing that could be started.
    if files == 0 or not sys.executable:
        yield read_square
        return
    with GuardedReader(workers=min(cores(), files)) as reader:
        yield reader.read_square


def _prepared(source: Source, *, ways: Sequence[Preparation], read: _Read) -> _Prepared:
    if source.image is None and source.path is None:
        return "no file"
    try:
        return [_square(source, way, read) for way in ways]
    except ImageError as error:
        return str(error)


def _square(source: Source, way: Preparation, read: _Read) -> Square:
    if source.image is not None:
        return to_square(source.image, size=way.size, fit=way.fit)
    # Each way anew: a JPEG is decoded at the fraction of its size that the square needs.
    return read(source.path, size=way.size, fit=way.fit, max_pixels=way.max_pixels)[0]
