"""Squares for a network, one batch ahead of it, out of files that nobody vouches for.

A file is decoded in a process that may be killed (`lentigo.imaging.sandbox.reader`), as
many at once as there are cores: one that crashes, hangs or exhausts its decoder ends in a
reason, and the others never notice. The pixels are those that decoding here would give,
bit for bit.

It costs the start of the processes, half a second once: 200 images of 200 × 150 took 1.2
seconds rather than 0.5, and 50 of 4288 × 2848 took 3.8 rather than 3.3, on two busy cores
(`python benchmarks/predict.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.decoding.square import read_square, to_square
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.inference.inputs import Source
from lentigo.machine import cores
from lentigo.models.folder import LoadedModel

Square = NDArray[np.uint8]

_Read = Callable[..., tuple[Square, tuple[int, int]]]
"""`read_square`, here or in another process."""


@dataclass(frozen=True)
class Squares:
    """A batch: what can be shown to a network, and why the rest cannot."""

    places: list[int]
    """Which of the sources they are."""
    squares: list[Square]
    """One a place, (size, size, 3)."""
    reasons: dict[int, str]
    """For each of the other places, why there is no square."""


def squares(
    sources: Sequence[Source], model: LoadedModel, *, batch_size: int
) -> Generator[Squares]:
    """The squares of `sources`, in batches, in order.

    Whoever does not go to the end closes the generator (`contextlib.closing`), which ends
    the processes at once.
    """
    with _decoding(sources, model) as begin:
        waiting: dict[int, Future[Square | str]] = {}
        for start in range(0, len(sources), batch_size):
            part = sources[start : start + batch_size]
            ahead = {start + nth: begin(source) for nth, source in enumerate(part)}
            if waiting:
                yield _gathered(waiting)
            waiting = ahead
        if waiting:
            yield _gathered(waiting)


def _gathered(waiting: dict[int, Future[Square | str]]) -> Squares:
    batch = Squares([], [], {})
    for place, future in waiting.items():
        found = future.result()
        if isinstance(found, str):
            batch.reasons[place] = found
        else:
            batch.places.append(place)
            batch.squares.append(found)
    return batch


@contextmanager
def _decoding(
    sources: Sequence[Source], model: LoadedModel
) -> Iterator[Callable[[Source], Future[Square | str]]]:
    """Something that begins to decode a source."""
    files = sum(source.image is None and source.path is not None for source in sources)
    with ThreadPoolExecutor(cores()) as threads, _reading(files, model) as read:
        try:
            yield lambda source: threads.submit(_square, source, model=model, read=read)
        finally:
            # Before the processes are ended, so that none is started for what is left.
            threads.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _reading(files: int, model: LoadedModel) -> Iterator[_Read]:
    # Inside another program (no `executable`) there is nothing that could be started.
    if files == 0 or not sys.executable:
        yield partial(read_square, max_pixels=model.max_pixels)
        return
    workers = min(cores(), files)
    with GuardedReader(workers=workers, max_pixels=model.max_pixels) as reader:
        yield reader.read_square


def _square(source: Source, *, model: LoadedModel, read: _Read) -> Square | str:
    if source.image is not None:
        return to_square(source.image, size=model.store_size, fit=model.fit)
    if source.path is None:
        return "no file"
    try:
        return read(source.path, size=model.store_size, fit=model.fit)[0]
    except ImageError as error:
        return str(error)
