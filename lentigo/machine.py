"""Facts about the machine: cores, processor, the first process, the cache folder."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

_taken: list[int] = []


def take_cores(count: int) -> None:
    """Use no more than so many cores in this process, which shares the machine."""
    _taken[:] = [count]


def cores() -> int:
    """Return how many cores this process may use; a batch system may grant it only some."""
    if _taken:
        return _taken[0]
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """Return the name of the processor, or what is known of its kind."""
    with suppress(OSError, UnicodeDecodeError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
        if names:
            return names[0].strip()
    return platform.processor() or platform.machine()


def is_first_process() -> bool:
    """Tell whether this process prepares the data, of all that train together."""
    return all(
        os.environ.get(name, "0") == "0" for name in ("RANK", "NODE_RANK", "LOCAL_RANK")
    )


def cache_folder() -> Path:
    """Return the user's cache folder, which may not exist."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "lentigo"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "lentigo"
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "lentigo"
