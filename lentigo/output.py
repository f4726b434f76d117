"""Checks of the place that a user names with `--out`, and a lock on the folder in use.

There are two kinds of place. A new file (a table, an image, a split) and a new folder (an
audit) must not exist before: nothing is overwritten. A folder of lentigo (a pixel store)
and a run or a prediction that is resumed are continued. A wrong place is an error before
anything heavy is imported. Only one process at a time works in a folder.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.errors import ConfigError, RunError
from lentigo.extras import require
from lentigo.files import (
    LOCK,
    cannot_write,
    check_new,
    clear_leftovers,
    clear_unfinished,
    is_leftover,
)
from lentigo.own_files import others_than_own, recording, remove_own
from lentigo.progress import log
from lentigo.run_layout import COMMAND, ENVIRONMENT, UNFINISHED, RunLayout
from lentigo.words import some

if TYPE_CHECKING:
    from filelock import FileLock

_PARQUET = {".parquet", ".pq"}


@dataclass(frozen=True)
class Kind:
    """A kind of file that commands write, and the endings that its name may have."""

    name: str
    """The kind in words, such as "a table"."""
    endings: tuple[str, ...]
    """The endings, the usual one first, such as ".csv"."""
    others: tuple[str, ...] = ()
    """Endings that are accepted too, but not proposed in an error."""
    beside: tuple[str, ...] = ()
    """Endings of further files that are written together with it."""

    def check_name(self, path: Path) -> None:
        """Check that `path` ends as a file of this kind does, and that it can be written.

        Raises `ConfigError` for another ending (a table ends in .csv or .parquet), and
        `NotInstalledError` for Parquet without pyarrow.
        """
        if path.suffix.lower() not in {*self.endings, *self.others}:
            ways = " or ".join(", ".join(self.endings).rsplit(", ", 1))
            raise ConfigError(f"{path}: {self.name} is written as {ways}; name it so.")
        if path.suffix.lower() in _PARQUET:
            require("pyarrow", what=f"Writing {path}")


TABLE = Kind("a table", (".csv", ".parquet"), others=(".pq",))
PREDICTIONS = Kind(
    "a table of predictions", (".csv", ".parquet", ".jsonl"), others=(".pq",)
)
SPLIT = Kind("a split", (".csv",), beside=(".json",))
PAGE = Kind("a page", (".png", ".svg", ".pdf"))


def check_file(path: Path, kind: Kind | None = None, *, new: bool = False) -> Path:
    """Check that the file `path` can be written as `kind`, and return it; write nothing.

    Raises what `Kind.check_name` raises, and `RunError` for a folder, for a place that
    cannot be written and, with `new`, for a file that exists.
    """
    path = Path(path)
    if kind is not None:
        kind.check_name(path)
    if path.is_dir():
        raise RunError(f"{path} is a folder; give the name of a file.")
    if new:
        for each in (path, *map(path.with_suffix, kind.beside if kind else ())):
            check_new(each)
    elif (path.exists() or path.is_symlink()) and not path.is_file():
        raise RunError(f"{path} is no ordinary file; give another place.")
    check_folder(path.parent)
    return path


def check_folder(folder: Path) -> None:
    """Raise `RunError` if files cannot be written in `folder`, or if it is a file.

    The folder need not exist, and it is not created.
    """
    folder = Path(folder).absolute()
    try:
        places = (folder, *folder.parents)
        place = next(each for each in places if each.exists() or each.is_symlink())
        if place.is_symlink() and not place.exists():
            raise RunError(f"{place} is a link to what is not there; give another place.")
        if place.is_file():
            raise RunError(f"{place} is a file; give a folder.")
        # Try to write: the permissions that a system reports do not tell everything.
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from error


def check_new_folder(
    folder: Path, *, besides: tuple[str, ...] = (), option: str = "--out"
) -> None:
    """Raise `RunError` if `new_folder` would refuse `folder`; nothing is written.

    Files and folders with the names `besides` may be in it. `option` gave the folder.
    """
    folder = Path(folder)
    check_folder(folder)
    if not folder.is_dir():
        return
    if (folder / UNFINISHED).exists():
        _check_only_own(folder, besides)
    elif _holds_others(folder, besides):
        raise RunError(f"{folder} is not empty. Give {option} a folder that is new.")


def _check_only_own(folder: Path, besides: Sequence[str]) -> None:
    """Raise `RunError` if anything lies beside what a killed command left in `folder`."""
    kept = {*besides, UNFINISHED}
    beside = [
        path for path in others_than_own(folder, besides=kept)
        if not is_leftover(folder / path)
    ]  # fmt: skip
    if beside:
        raise RunError(
            f"{folder} holds what a command left that was killed, and files that are not "
            f"known to be its own: {some(beside)}. Move those away, or give another folder."
        )


def check_planned_folder(folder: Path, *, plan: str, holds: str, resume: bool) -> None:
    """Raise `RunError` if work by a plan can neither begin nor go on in `folder`.

    It goes on, with `resume`, where the file `plan` lies in the folder, and begins in a
    folder that is new. `holds` names what such a folder holds, for the message.
    """
    if not (folder / plan).is_file():
        check_new_folder(folder)
    elif not resume:
        raise RunError(f"{folder} holds {holds}. Go on with --resume, or give a new --out.")


def check_own_folder(folder: Path, *, signs: Sequence[str], what: str) -> None:
    """Raise `RunError` if `folder` holds other files, among which lentigo's would be lost.

    A folder belongs to lentigo if a file with one of the names `signs` is in it. `what` is
    the purpose of the folder, for the message.
    """
    folder = Path(folder)
    if folder.is_file():
        raise RunError(f"{folder} is a file; give a folder for the {what}.")
    check_folder(folder)
    if not folder.is_dir() or any((folder / sign).exists() for sign in signs):
        return
    if _holds_others(folder):
        raise RunError(
            f"{folder} holds other files and is no {what}; give a new folder for it."
        )


def check_run_folder(out: Path, *, resume: bool) -> None:
    """Raise `RunError` if `out` is not empty, unless it holds a run that may be resumed.

    A prepared run needs `resume`; one that was killed before is simply begun again. The
    settings of a run (`config.yaml`) stand beside its environment: where they stand alone
    they are the user's own, and nothing is written over them.
    """
    check_folder(out)
    run = RunLayout(out)
    if run.config.is_file() and (run.environment.is_file() or run.is_prepared()):
        if not resume and run.is_prepared():
            raise RunError(
                f"{out} holds a run already, and runs are never overwritten. Give another "
                "--out, or --resume to go on with this one."
            )
    # A run that was killed in its first moment has left only these two files.
    elif out.is_dir() and _holds_others(out, (COMMAND, ENVIRONMENT)):
        raise RunError(f"{out} is not empty and holds no run. Give a folder that is new.")


def _holds_others(folder: Path, besides: Sequence[str] = ()) -> bool:
    try:
        there = list(folder.iterdir())
    except OSError as error:
        raise cannot_write(folder, error) from error
    return any(path.name not in besides and not is_leftover(path) for path in there)


def check_not_there(paths: Iterable[Path]) -> None:
    """Raise `RunError` if any of `paths` exists."""
    there = [path for path in paths if path.exists() or path.is_symlink()]
    if there:
        raise RunError(
            f"{some(there)} would be overwritten. Give another folder, or move them away."
        )


def check_not_input(out: Path, inputs: Iterable[Path | str]) -> None:
    """Raise `RunError` if `out` is the same file as one of `inputs`, whatever its name."""
    for path in inputs:
        with suppress(OSError, ValueError):
            if Path(out).samefile(path):
                raise RunError(f"{out} is what is read; give another --out.")


def check_not_of_run(out: Path) -> None:
    """Raise `RunError` if `out` exists and lies in the folder of a run."""
    if Path(out).exists() and any(map(_is_run, Path(out).resolve().parents)):
        raise RunError(
            f"{out} belongs to a run, and runs are never overwritten; give another --out."
        )


def _is_run(folder: Path) -> bool:
    run = RunLayout(folder)
    return run.config.is_file() and run.is_prepared()


_READ: ContextVar[list[str] | None] = ContextVar("_READ", default=None)


def start_noting() -> None:
    """Start to record which tables are read, for `check_not_read`."""
    _READ.set([])


def note_read(path: Path | str) -> None:
    """Record that a table is read, if `start_noting` was called."""
    if (noted := _READ.get()) is not None:
        noted.append(str(path))


def check_not_read(out: Path) -> None:
    """Raise `RunError` if `out` is a table that was read since `start_noting`.

    The command line does not name all of them: a table may lie in a folder or match a
    pattern.
    """
    check_not_input(out, _READ.get() or ())


@contextmanager
def alone(
    folder: Path, *, keep: bool = True, wait: bool = False, shared: bool = False
) -> Iterator[None]:
    """Lock `folder`, which is created if need be, so that no other process works in it.

    The system releases the lock when the process ends, even if it is killed; the process
    that holds the lock may acquire it again. With `keep`, the lock file stays after the
    block; a folder that holds only the lock file is removed. With `wait`, the block begins
    when the other process has ended, however long that takes. For a `shared` folder that is
    read-only or on a disk without locks, the block runs without a lock.

    Raises `RunError` where another process works in `folder`, or it cannot be written.
    """
    folder = Path(folder)
    lock = _locked(folder, wait=wait, shared=shared)
    try:
        yield
    finally:
        if lock is not None:
            if lock.lock_counter == 1:
                _tidy(folder, folder / LOCK, keep=keep)
            lock.release()


def _locked(folder: Path, *, wait: bool, shared: bool) -> FileLock | None:
    """Return the held lock of `folder`; None where a `shared` folder cannot have one.

    Raises `RunError` if another process holds it; with `wait` it is waited for instead.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        # One object per file: a process that holds the lock may acquire it again.
        lock = FileLock(folder.resolve() / LOCK, is_singleton=True)
        _acquire(lock, folder, wait=wait)
    except Timeout:
        raise RunError(
            f"Another process is working in {folder}; wait until it has ended."
        ) from None
    except OSError as error:
        if shared and folder.is_dir() and error.errno in _NO_LOCK:
            return None
        raise cannot_write(folder, error) from error
    return lock


_NO_LOCK = {
    errno.EACCES, errno.EPERM, errno.EROFS,  # read-only
    errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL,  # some network disks
}  # fmt: skip
_PATIENCE = 0.5
"""Seconds to wait for a lock: children of a killed process may outlive it for a moment."""


def _acquire(lock: FileLock, folder: Path, *, wait: bool) -> None:
    from filelock import Timeout

    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        if not wait:
            raise
        log.info("Another process is working in %s; waiting for it.", folder)
        lock.acquire(timeout=-1)


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
    """Fill `folder`, which must be new or empty but for the names `besides`, under a lock.

    A folder that a killed process left half filled in this way is cleared, with a log line,
    and filled again. If the block fails or is stopped, the files it wrote are removed,
    except `besides`. Files of others are never removed: the block notes each file that it
    writes (`files.written_beside` does; `own_files.note_own` for other writers).

    Raises `RunError` where the folder is not empty, is a file, holds files of others beside
    what a killed process left, or another process fills it.
    """
    folder = Path(folder)
    check_new_folder(folder, besides=besides)
    with alone(folder, keep=False):
        check_new_folder(folder, besides=besides)  # it may have been filled since
        clear_unfinished(folder)
        marker, kept = folder / UNFINISHED, {*besides, LOCK, UNFINISHED}
        _clear_of_killed(folder, keep=kept)
        try:
            marker.write_bytes(b"")
        except OSError as error:
            raise cannot_write(folder, error) from error
        try:
            with recording(folder):
                yield
        except BaseException as stop:
            # Else a user would take the unfinished files for a complete result.
            remove_own(folder, besides=kept)
            marker.unlink(missing_ok=True)
            if isinstance(stop, KeyboardInterrupt) and not stop.args:
                stop.args = (
                    f"Stopped before {folder} was finished; give the same command again.",
                )
            raise
        marker.unlink(missing_ok=True)


def _clear_of_killed(folder: Path, *, keep: set[str]) -> None:
    if left := remove_own(folder, besides=keep):
        log.info(
            "%s holds what a command left that was killed (%s); it is cleared.",
            folder, some(left),
        )  # fmt: skip
