"""One process at a time works in a folder, and a new one is filled once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.errors import RunError
from lentigo.files import (
    LOCK,
    cannot_write,
    check_folder,
    clear_leftovers,
    clear_unfinished,
    is_leftover,
    write_text,
)
from lentigo.progress import log

if TYPE_CHECKING:
    from filelock import FileLock

_UNFINISHED = ".unfinished"


@contextmanager
def alone(
    folder: Path, *, name: str = LOCK, keep: bool = True, wait: bool = False
) -> Iterator[None]:
    """Work in `folder`, which is made if need be, while no other process does.

    The lock ends with the process, however that ends. Its file `name` stays if `keep`;
    a folder in which there is nothing else goes again. With `wait` the other one may end
    first, however long that takes.

    Raises `RunError` where another process works there, or it cannot be written.
    """
    from filelock import FileLock, Timeout

    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # One object a file: what holds the lock already may ask for it again.
        lock = FileLock(folder.resolve() / name, is_singleton=True)
        _acquire(lock, folder, wait=wait)
    except Timeout:
        raise RunError(
            f"Another process is working in {folder}; wait until it has ended."
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        if lock.lock_counter == 1:
            _tidy(folder, folder / name, keep=keep)
        lock.release()


def _acquire(lock: FileLock, folder: Path, *, wait: bool) -> None:
    from filelock import Timeout

    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        if not wait:
            raise
        log.info("Another process is working in %s; waiting for it.", folder)
        lock.acquire(timeout=-1)


_PATIENCE = 0.5
"""Seconds to wait for a lock: children of a killed process may outlive it for a moment."""


def _tidy(folder: Path, lock: Path, *, keep: bool) -> None:
    with suppress(OSError):
        empty = all(map(is_leftover, folder.iterdir()))
        if empty:
            clear_leftovers(folder)
        if empty or not keep:
            lock.unlink()
        if empty:
            folder.rmdir()


@contextmanager
def new_folder(folder: Path, *, besides: tuple[str, ...] = ()) -> Iterator[None]:
    """Fill `folder`, which must be new or empty (`besides` some names), and alone.

    A folder that a killed process left half filled by the same means may be filled again.

    Raises `RunError` where it is not empty, is a file, or another process is filling it.
    """
    folder = Path(folder)
    check_new_folder(folder, besides=besides)
    with alone(folder, keep=False):
        check_new_folder(folder, besides=besides)  # others may have filled it since
        clear_unfinished(folder)
        marker = folder / _UNFINISHED
        write_text(marker, "")
        try:
            yield
        except BaseException:
            if {path.name for path in folder.iterdir()} <= {_UNFINISHED, LOCK}:
                marker.unlink(missing_ok=True)
            raise
        marker.unlink(missing_ok=True)


def check_new_folder(folder: Path, *, besides: tuple[str, ...] = ()) -> None:
    """Refuse a folder that `new_folder` would refuse; nothing is written."""
    folder = Path(folder)
    check_folder(folder)
    if not folder.is_dir() or (folder / _UNFINISHED).exists():
        return
    if any(path.name not in besides and not is_leftover(path) for path in folder.iterdir()):
        raise RunError(f"{folder} is not empty. Give --out a folder that is new.")
