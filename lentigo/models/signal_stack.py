"""Restore the alternate signal stack of this thread after a library has changed it.

The signal stack is the memory that signal handlers use (sigaltstack). OpenVINO (2026.4)
sets one of its own and frees its memory: the next Ctrl-C or SIGTERM then ended the process
with a segmentation fault, and no results were saved.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """`stack_t` of Linux; see sigaltstack(2)."""

    _fields_ = (
        ("place", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("size", ctypes.c_size_t),
    )


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Restore the signal stack of this thread when the `with` block ends (Linux only)."""
    if sys.platform != "linux":
        yield
        return
    change, before = ctypes.CDLL(None).sigaltstack, _Stack()
    change(None, ctypes.byref(before))
    try:
        yield
    finally:
        change(ctypes.byref(before), None)
