"""Wait for the computation of a stranger's network, but not for ever.

A network in a file may hold steps that take hours. Nobody can end a step from outside, so
it is computed in a thread that nobody waits for after its time, and that ends with the
process at the latest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from lentigo.models.schema import Member

_T = TypeVar("_T")

BASE = 5.0
"""Seconds for anything: a hundred times what the smallest network takes."""
_LOADED = 20e6
"""Bytes a second in which weights are read and arranged on a slow and busy machine."""
_COMPUTED = 1e9
"""Multiply-adds a second that such a machine does; an idle core does 30 times as many."""
_MOST = 30e9
"""Multiply-adds of an image that are granted; the largest of timm need three times as
many and are as much faster than such a machine."""


def seconds_to_load(size: int) -> float:
    """Return how long a file of `size` bytes may take to be opened."""
    return BASE + size / _LOADED


def seconds_to_answer(member: Member, images: int, *, size: int) -> float:
    """Return how long `member` may take for one look at each of `images`.

    What the model folder says of its cost is believed as far as `size`, the bytes of its
    file, makes it possible: each weight is used at most once a place, and there is a place
    for each 2 × 2 pixels.
    """
    possible = size * (member.input.size / 2) ** 2
    told = member.cost.multiply_adds if member.cost else None
    return BASE + images * min(told or _MOST, possible, _MOST) / _COMPUTED


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Return what `work` returns, or raise what it raises.

    Raises `TimeoutError` where it takes longer; it then goes on, but nobody hears of it.
    """
    found: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    if failed:
        raise failed[0]
    raise TimeoutError(f"it took more than {seconds:.0f} seconds")
