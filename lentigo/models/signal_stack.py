"""Keep the stack on which this thread hears signals, whatever a library makes of it.

OpenVINO (2026.4) leaves a stack of its own behind and frees its memory: the next Ctrl-C or
SIGTERM then ended the process with a segmentation fault, and nothing was saved.
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
    """Put the signal stack of this thread back when the block ends (on Linux)."""
    if sys.platform != "linux":
        yield
        return
    change, before = ctypes.CDLL(None).sigaltstack, _Stack()
    change(None, ctypes.byref(before))
    try:
        yield
    finally:
        change(ctypes.byref(before), None)
