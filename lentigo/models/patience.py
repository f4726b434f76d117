"""Limit the time to wait for the computation of a network from an untrusted file.

Such a network may contain operations that take hours, and a running operation cannot be
stopped. So it is computed in a daemon thread; after the time limit the caller goes on, and
the thread ends with the process at the latest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from lentigo.models.schema import Member

_T = TypeVar("_T")

UNFINISHED = "lentigo: nobody waits for it"
"""Name of a thread whose work takes too long. If its work ends while Python takes itself
down, C++ aborts the process (code 134); `lentigo.cli.start` therefore ends it at once."""

BASE = 5.0
"""Seconds that every task gets: a hundred times what the smallest network takes."""
_LOADED = 20e6
"""Bytes per second at which a slow and busy machine reads and arranges weights."""
_COMPUTED = 1e9
"""Multiply-adds per second of a slow and busy machine; an idle core does 30 times more."""
_MOST = 30e9
"""Highest number of multiply-adds of an image that is believed. The largest networks of
timm need three times more, but run on machines that are faster by as much."""


_BUSY = 20.0
"""How many times its length a time limit may last by the clock while other programs keep
the cores busy."""
_LOOK = 0.05


def seconds_to_load(size: int) -> float:
    """Return the seconds allowed for opening a network file of `size` bytes."""
    return BASE + size / _LOADED


def seconds_to_answer(member: Member, images: int, *, size: int) -> float:
    """Return the seconds allowed for one pass of `member` over `images` images.

    The number of multiply-adds is that of the model folder, but at most what a file of
    `size` bytes makes possible: each byte is one weight, used at most once for each block
    of 2 × 2 pixels.
    """
    possible = size * (member.input.size / 2) ** 2
    told = member.cost.multiply_adds if member.cost else None
    return BASE + images * min(told or _MOST, possible, _MOST) / _COMPUTED


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Call `work` and return its result, or raise the exception that it raises.

    Raises `TimeoutError` if `work` takes longer than `seconds`, by the clock and by the
    processor time of this process: where other programs keep the cores busy, a harmless
    network may take minutes. By the clock it gets at most 20 times `seconds`. If it is too
    slow, `work` goes on in its thread, and its result is dropped.
    """
    found: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    began, used = time.monotonic(), time.process_time()
    thread.start()
    thread.join(seconds)
    while (
        thread.is_alive()
        and time.process_time() - used < seconds
        and time.monotonic() - began < _BUSY * seconds
    ):
        thread.join(_LOOK)
    if found:
        return found[0]
    if failed:
        raise failed[0]
    thread.name = UNFINISHED
    raise TimeoutError(f"it took more than {seconds:.0f} seconds")
