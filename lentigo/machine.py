"""Facts about the machine: cores, processor, the first process, the cache folder."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_taken: list[int] = []


def take_cores(count: int) -> None:
    """Let `cores` return `count` in this process, which shares the machine with others."""
    _taken[:] = [count]


def cores() -> int:
    """Return the number of cores this process may use.

    A batch system may grant only some.
    """
    if _taken:
        return _taken[0]
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def give_back_memory() -> None:
    """Return to the system what this process has freed, as far as the libraries allow.

    Reading a table of 50,000 images leaves 40 MB with pyarrow and the C library, which
    they would keep.
    """
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def spin_briefly() -> None:
    """Let the threads of torch and scikit-learn that wait for each other soon give way.

    The GNU OpenMP library lets a waiting thread compute for a while before it sleeps.
    Beside other programs that takes the cores from the very thread that is waited for: a
    training step on two busy cores took 1.7 times as long and more
    (`benchmarks/beside_others.py`). The library reads this when it is loaded, so call it
    first. What the user has set in the environment is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let NumPy compute the matrix products of a block, or of a function, with one thread.

    NumPy's library divides products of half a millisecond among all cores, and its threads
    compute while they wait for each other. On two cores shared with ten programs the
    product of 32 × 1,280 and 1,280 × 128 numbers took 35 ms of processor time with two
    threads, 0.4 ms with one. The number of threads is that of the whole process until the
    block ends.
    """
    with _blas().limit(limits=1):
        yield


@cache
def _blas() -> ThreadpoolController:
    import numpy as np  # noqa: F401, its library must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


_SPINS = "5000"
"""Rounds that a waiting thread turns. With 1,000 to 60,000 a training alone
on two cores was as fast as with the 300,000 of the library; beside others 5,000 was fast,
20,000 slower."""


def processor() -> str:
    """Return the name of the processor or, where it is unknown, its architecture."""
    with suppress(OSError, UnicodeDecodeError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
        if names:
            return names[0].strip()
    return platform.processor() or platform.machine()


def is_first_process() -> bool:
    """Tell whether this is the first of the processes that train together.

    The first one prepares the data.
    """
    return all(
        os.environ.get(name, "0") == "0" for name in ("RANK", "NODE_RANK", "LOCAL_RANK")
    )


def cache_folder() -> Path:
    """Return lentigo's folder in the user's cache folder; it is not created here."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "lentigo"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "lentigo"
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "lentigo"
