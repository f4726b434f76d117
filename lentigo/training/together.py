"""Processes that train together: the first prepares the run, the others wait for it.

torchrun starts all processes at once, and each of them reaches the store of torchrun, in
which the first one tells whether the run is prepared. The processes that lentigo itself
starts on one machine begin when everything is prepared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Protocol

import torch.distributed as dist

from lentigo.errors import ConfigError, RunError
from lentigo.run_layout import RunLayout


class Store(Protocol):
    """What is asked of a store of torch, which all processes reach."""

    def set(self, key: str, value: str) -> None:
        """Tell all processes `value`."""

    def get(self, key: str) -> bytes:
        """Return what was told."""

    def check(self, keys: list[str]) -> bool:
        """Tell whether something was told."""


_READY, _FAILED = "ready", "failed"
_SLICE, _LONGEST = 0.2, 24 * 3600.0
_turns = count()
"""Numbers the trainings of a process; all processes begin the same ones in one order."""


@contextmanager
def preparing() -> Iterator[Callable[[], None]]:
    """Give the first process the function that lets those in `wait_for_first` go on.

    If the block fails before it is called, they end, too.
    """
    store, key = _store(), _key()

    def tell(what: str) -> None:
        if store is not None:
            store.set(key, what)

    try:
        yield partial(tell, _READY)
    except BaseException:
        tell(_FAILED)
        raise


def wait_for_first(out: Path, *, longest: float = _LONGEST) -> None:
    """Wait until the first process has prepared the run in `out`.

    Raises `RunError` if it could not, if it has ended, if it takes more than `longest`
    seconds, or if nothing is prepared and torchrun did not start this process.
    """
    store, key = _store(), _key()
    if store is None:
        _check_prepared(out)
        return
    end = time.monotonic() + longest
    try:
        while not store.check([key]):
            if time.monotonic() > end:
                raise RunError(
                    f"The first process did not prepare {out} within {longest:.0f} s."
                )
            time.sleep(_SLICE)
        prepared = store.get(key).decode() == _READY
    except RuntimeError as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"The first process has ended before {out} was ready.") from error
    if not prepared:
        raise RunError(f"The first process could not prepare {out}; it says why.")


def check_started(*, devices: int) -> None:
    """Raise `ConfigError` if torchrun started other than `devices` processes."""
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if _by_torchrun() and started != devices:
        raise ConfigError(
            f"torchrun started {started} processes, and the settings name {devices}: give "
            "--devices (processes of a machine) and --nodes (machines) as to torchrun."
        )


def _check_prepared(out: Path) -> None:
    layout = RunLayout(out)
    if not (layout.is_prepared() and layout.arithmetic.is_file()):
        raise RunError(
            f"{out} is not prepared by a first process. Start the processes of all "
            "machines by torchrun, and let them share this folder."
        )


def _key() -> str:
    return f"lentigo/prepared/{next(_turns)}"


def _by_torchrun() -> bool:
    return dist.is_available() and dist.is_torchelastic_launched()


@cache  # kept for as long as the process: the first one may be its server
def _store() -> Store | None:
    """Return the store that torchrun gives its processes; None without torchrun."""
    if not _by_torchrun():
        return None
    from torch.distributed.rendezvous import rendezvous

    store: Store
    store, _, _ = next(iter(rendezvous("env://")))
    return store
