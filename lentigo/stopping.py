"""Orderly end after Ctrl-C or SIGTERM: save first, then report.

The command line installs signal handlers (`listening`); the library only asks whether a
signal came (`stop_if_asked`), so another program that uses it keeps its own handlers.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, as from a batch system or at a shutdown."""


_SIGNALS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


class _State:
    asked: int | None = None
    """The number of a signal that was received and not yet acted on; None if there is
    none."""
    deferred = 0
    """How many nested `deferred` blocks the running code is in."""


@contextmanager
def listening() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise `KeyboardInterrupt` and `Terminated` in this block.

    Inside a `deferred` block the first signal waits for `stop_if_asked`; a second one
    raises at once. Outside the main thread, where Python receives no signals, this does
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.asked, _State.deferred = None, 0
    before: dict[int, Any] = {each: signal.signal(each, _hear) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler if handler is not None else signal.SIG_DFL)
        _State.asked = None


@contextmanager
def deferred() -> Iterator[None]:
    """Let a first signal that `listening` receives in this block wait for `stop_if_asked`.

    Call `stop_if_asked` where stopping does no harm; the end of the block raises nothing. A
    second signal raises at once.
    """
    _State.deferred += 1
    try:
        yield
    finally:
        _State.deferred -= 1


def stop_if_asked() -> None:
    """Raise `KeyboardInterrupt` or `Terminated` if a signal is waiting; else do nothing."""
    if _State.asked is not None:
        number, _State.asked = _State.asked, None
        raise _SIGNALS[signal.Signals(number)]


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return 128 plus the number of the signal: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


def die_with_parent() -> None:
    """Let the system kill this process when its parent process ends (on Linux only)."""
    import ctypes
    import sys

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_PR_SET_PDEATHSIG = 1


def _hear(number: int, _frame: FrameType | None) -> None:
    if _State.deferred and _State.asked is None:
        _State.asked = number
        return
    # Noted all the same: a library may swallow the exception (code that numba compiles
    # does), and then the next `stop_if_asked` stops.
    _State.asked = None if _State.deferred else number
    raise _SIGNALS[signal.Signals(number)]
