"""What the machine has that we run on."""

from __future__ import annotations

import os


def cores() -> int:
    """How many cores this process may use; a batch system may grant it only some."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
