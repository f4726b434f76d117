"""Files that take far less room on the disk than they are long."""

from __future__ import annotations

import os
from io import BufferedReader

_LARGE = 100_000_000
"""Bytes below which a file is read in any case: its digest takes 0.3 seconds at most."""
_MOST_HOLES = 10_000


def is_hollow(file: BufferedReader, size: int) -> bool:
    """Tell whether most of a large open file are holes, which read as zeros.

    Such a file costs nothing to send or keep, and seconds of a core for each gigabyte to
    read; weights have no long runs of zeros. The position in the file stays as it is.
    Always False where the system does not tell holes (Windows; some network disks).
    """
    if size < _LARGE or not hasattr(os, "SEEK_HOLE"):
        return False
    descriptor, before, empty = file.fileno(), file.tell(), 0
    try:
        begin = os.lseek(descriptor, 0, os.SEEK_HOLE)
        for _ in range(_MOST_HOLES):
            if begin >= size or 2 * empty > size:
                break
            end = _next_data(descriptor, begin, size)
            empty += end - begin
            begin = os.lseek(descriptor, end, os.SEEK_HOLE) if end < size else size
        return 2 * empty > size or begin < size
    except OSError:  # a disk that knows no holes
        return False
    finally:
        file.seek(before)


def _next_data(descriptor: int, begin: int, size: int) -> int:
    """Return where data follow behind the hole at `begin`, else the end of the file."""
    try:
        return os.lseek(descriptor, begin, os.SEEK_DATA)
    except OSError:  # ENXIO: the hole reaches to the end
        return size
