"""Give up the computation of a map that takes longer than there is time for."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_END: ContextVar[float] = ContextVar("end", default=math.inf)


class TooSlowError(Exception):
    """A map is not done, and the time for it is over."""


@contextmanager
def given_up_at(end: float) -> Iterator[None]:
    """Let `check_time` in the block raise `TooSlowError` from `end` on.

    `end` is a time of the monotonic clock.
    """
    token = _END.set(end)
    try:
        yield
    finally:
        _END.reset(token)


def check_time() -> None:
    """Raise `TooSlowError` if the time of `given_up_at` is over.

    Called between the parts of a long computation.
    """
    if time.monotonic() > _END.get():
        raise TooSlowError
