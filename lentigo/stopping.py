"""Orderly end after Ctrl-C, SIGTERM or SIGHUP: save first, then report.

The command line installs signal handlers (`listening`); the library only asks whether a
signal came (`stop_if_asked`), so another program that uses it keeps its own handlers.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, as from a batch system or at a shutdown."""


class HungUp(Terminated):
    """The process received SIGHUP: its terminal was closed, or the line to it was lost."""


SIGHUP: int | None = getattr(signal, "SIGHUP", None)
"""The number of SIGHUP; None where the system has none (Windows)."""
_SIGNALS: dict[int, type[KeyboardInterrupt]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    **({} if SIGHUP is None else {SIGHUP: HungUp}),
}


class _State:
    asked: int | None = None
    """The number of a signal that was received and not yet acted on; None if there is
    none."""
    deferred = 0
    """How many nested `deferred` blocks the running code is in."""


@contextmanager
def listening() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP raise the exceptions of this module in this block.

    SIGINT raises `KeyboardInterrupt`, SIGTERM `Terminated` and SIGHUP `HungUp`. SIGHUP
    stays ignored where it was at the start of the process, as `nohup` arranges it.

    Inside a `deferred` block the first signal waits for `stop_if_asked`; a second one
    raises at once. Outside the main thread, where Python receives no signals, this does
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.asked, _State.deferred = None, 0
    heard = [each for each in _SIGNALS if not (each == SIGHUP and ignores_hang_up())]
    before: dict[int, Any] = {each: signal.signal(each, _hear) for each in heard}
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
    """Raise the exception of a signal that is waiting; do nothing if there is none."""
    if _State.asked is not None:
        number, _State.asked = _State.asked, None
        raise _SIGNALS[number]


def stop_if_swallowed() -> None:
    """Raise the exception of a signal that a library swallowed, but for `deferred` blocks.

    An import or compiled code may catch every exception, and the work would go on.
    """
    if not _State.deferred:
        stop_if_asked()


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return 128 plus the number of the signal.

    It is 130 for Ctrl-C, 143 for SIGTERM and 129 for SIGHUP.
    """
    if isinstance(stop, HungUp) and SIGHUP is not None:
        return 128 + SIGHUP
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


def ignores_hang_up() -> bool:
    """Tell whether this process ignores SIGHUP, as one does that `nohup` started."""
    return SIGHUP is not None and signal.getsignal(SIGHUP) is signal.SIG_IGN


def leave_lost_terminal() -> None:
    """Let what is written to a terminal that was closed go nowhere, instead of failing.

    A failure of such a line would end the process before its work is saved.
    """
    with suppress(ImportError, OSError):
        import termios

        nowhere = os.open(os.devnull, os.O_RDWR)
        for each in range(3):
            try:
                termios.tcgetattr(each)
            except termios.error as error:
                if error.args[0] == errno.EIO:  # no terminal would be ENOTTY
                    os.dup2(nowhere, each)
        os.close(nowhere)


def die_with_parent() -> None:
    """Let the system kill this process when its parent process ends (on Linux only)."""
    import ctypes
    import sys

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_PR_SET_PDEATHSIG = 1


def _hear(number: int, _frame: FrameType | None) -> None:
    if number == SIGHUP:
        leave_lost_terminal()
    if _State.deferred and _State.asked is None:
        _State.asked = number
        return
    # Noted all the same: a library may swallow the exception (code that numba compiles
    # does), and then the next `stop_if_asked` stops.
    _State.asked = None if _State.deferred else number
    raise _SIGNALS[number]
