"""Writing and reading of files: each is written under a temporary name and then renamed.

So no file is ever half written under its own name.
"""

from __future__ import annotations

import csv
import errno
import filecmp
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.errors import RunError, UnreadableFileError
from lentigo.own_files import note_new_folders, note_own

LOCK = ".lock"
"""The lock file that says that a process works in a folder."""
_BESIDE = ".lentigo-"
"""The beginning of the temporary name under which a file is written."""
_LOOKED_THROUGH: set[str] = set()
"""Folders in which this process has already removed temporary files of killed processes."""
if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def written_beside(path: Path, *, new: bool = False, same: bool = False) -> Iterator[Path]:
    """Give a temporary path next to `path`; rename it to `path` when the block succeeds.

    The temporary name keeps the suffix of `path`, because many writers choose the format by
    it. If the block fails, the temporary file is removed; those that killed processes left
    in the folder are removed, too. With `new` no file is overwritten, not even one that was
    created during the block; with `same`, too, one of the same bytes may be there, and is
    left.

    Raises `RunError` where the disk is full, the folder cannot be written or, with `new` or
    `same`, `path` exists.
    """
    path = Path(path)
    temporary: Path | None = None
    handle = -1
    try:
        note_new_folders(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_once(path.parent)
        handle, temporary = _opened_beside(path)
        yield temporary
        _sync(temporary)
        temporary.chmod(0o666 & ~_umask())
        if not (same and path.is_file() and filecmp.cmp(temporary, path, shallow=False)):
            note_own(path, temporary)
            _put(temporary, path, new=new or same)
    except OSError as error:
        if error.errno in _CANNOT_WRITE:
            raise cannot_write(path, error) from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if handle >= 0:
            os.close(handle)


def _put(temporary: Path, path: Path, *, new: bool) -> None:
    if new:
        try:
            path.hardlink_to(temporary)
            return
        except FileExistsError:
            check_new(path)
        except OSError:  # a disk without hard links
            check_new(path)
    temporary.replace(path)


def clear_unfinished(folder: Path) -> None:
    """Remove temporary files of killed processes in `folder` and all folders below it."""
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        clear_leftovers(place)


def _opened_beside(path: Path) -> tuple[int, Path]:
    """Return the descriptor and the path of a new temporary file next to `path`.

    The open descriptor holds the lock that says that the file is in use; it is -1 on
    systems without locks.
    """
    while True:
        handle, name = tempfile.mkstemp(prefix=_BESIDE, suffix=path.suffix, dir=path.parent)
        if not locked(handle):  # a system without locks: nothing is cleared up there
            os.close(handle)
            return -1, Path(name)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # taken for a leftover in the moment before it was locked


def _clear_once(folder: Path) -> None:
    place = os.path.realpath(folder)
    if place not in _LOOKED_THROUGH:
        _LOOKED_THROUGH.add(place)
        clear_leftovers(folder)


def clear_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of killed processes that lie in `folder`."""
    left: list[Path] = []
    with suppress(OSError):  # tidying up is no reason to fail
        left = [path for path in Path(folder).iterdir() if path.name.startswith(_BESIDE)]
    for path in left:
        with suppress(OSError):  # of somebody else, or already gone
            _clear(path)


def _clear(path: Path) -> None:
    is_folder = path.is_dir() and not path.is_symlink()
    handle = os.open(path / LOCK if is_folder else path, os.O_RDWR)
    try:
        if not locked(handle):
            return
        if is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(handle)


@contextmanager
def temporary_folder(folder: Path | None = None) -> Iterator[Path]:
    """Give a new folder in `folder`, or the system's, that is removed after the block.

    If this process is killed, the next one that works in `folder` removes it: a lock file
    in it says that it is in use.
    """
    place = Path(tempfile.gettempdir() if folder is None else folder)
    _clear_once(place)
    with tempfile.TemporaryDirectory(
        prefix=_BESIDE, dir=place, ignore_cleanup_errors=True
    ) as name:
        # Made before it is locked: without a lock file, nobody removes the folder.
        handle = os.open(Path(name) / f"{LOCK}-", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            locked(handle)
            (Path(name) / f"{LOCK}-").rename(Path(name) / LOCK)
            yield Path(name)
        finally:
            os.close(handle)


def locked(handle: int) -> bool:
    """Try to lock an open file; return whether that worked.

    The lock ends with its process.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_leftover(path: Path) -> bool:
    """Tell whether the name of a file is that of a lock or a temporary file of lentigo."""
    return path.name == LOCK or path.name.startswith(_BESIDE)


_CANNOT_WRITE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENOENT,
    errno.ENAMETOOLONG,
    errno.EFBIG,
    errno.EIO,
}


def cannot_write(path: Path, error: OSError) -> RunError:
    """Return the `RunError` for an operating system error while `path` was written."""
    # Some libraries put a whole sentence into the text; the number is reliable.
    reason = os.strerror(error.errno) if error.errno else error.strerror or str(error)
    hint = {
        errno.ENOSPC: "Free some space or write to another disk.",
        errno.EDQUOT: "Your disk quota is used up: free some space or write elsewhere.",
        errno.EFBIG: "The disk, or a limit of this session (ulimit -f), takes no file so "
        "large: write elsewhere.",
        errno.EIO: "A disk may be broken or unplugged; try another one.",
    }.get(error.errno or 0, "Give a place that you may write to.")
    return RunError(f"Cannot write {path}: {reason}. {hint}")


def check_new(path: Path) -> None:
    """Raise `RunError` if `path` exists, even if only as a broken link."""
    path = Path(path)
    if path.exists() or path.is_symlink():  # a broken link may be wanted, too
        raise RunError(f"{path} is there already; give another place, or move it away.")


def write_text(path: Path, text: str, *, new: bool = False, same: bool = False) -> None:
    """Write `text` to `path` as UTF-8; `new` and `same` are as for `written_beside`."""
    with written_beside(path, new=new, same=same) as temporary:
        temporary.write_text(text, encoding="utf-8")


def copy_file(source: Path, path: Path) -> None:
    """Copy the bytes of `source` to `path`, by way of a temporary file."""
    with written_beside(path) as temporary:
        shutil.copyfile(source, temporary)


_DANGER = "[=+\\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""First characters of a cell that a spreadsheet may run as a formula (CWE-1236)."""
_CELL = r"(?:\A|(?<=[;\t\r\n]))"
"""Places within a cell where a spreadsheet may see the beginning of another cell: many
divide at semicolons or tabs, or ignore the quotes around a line break."""
_BEFORE = r"[\s'\"]*"
"""What a spreadsheet drops before a formula; "" is an empty text behind a semicolon."""
_RUNS = re.compile(rf"{_CELL}(?={_BEFORE}{_DANGER})")
_MARKED = re.compile(rf"{_CELL}'(?={_BEFORE}{_DANGER})")
"""Matches the apostrophe that `guarded` put before a text that may run as a formula. Spaces
before the formula are skipped, as a spreadsheet does."""
_MAY_RUN = f"^{_BEFORE}{_DANGER}|[;\\t\\r\\n]"
_PLAIN_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def write_csv(
    table: pd.DataFrame, path: Path, *, new: bool = False, same: bool = False
) -> None:
    """Write `table` as the CSV of `csv_text`, by way of a temporary file.

    `new` and `same` are as for `written_beside`.
    """
    with written_beside(path, new=new, same=same) as temporary:
        temporary.write_text(csv_text(table), encoding="utf-8", newline="")


def csv_text(
    table: pd.DataFrame, *, quoted: bool | None = None, header: bool = True
) -> str:
    """Return `table` as CSV, in which no text can run as a formula in a spreadsheet.

    A text such as `=1+1` gets an apostrophe in front, and so does such a text behind a
    semicolon, tab or line break within a cell; numbers stay as they are. `unguarded`
    removes the apostrophes, so that the table is read back the same. `quoted` puts every
    text in quotes, by default if `has_returns`.
    """
    quoted = has_returns(table) if quoted is None else quoted
    return guarded(table).to_csv(
        index=False,
        header=header,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if quoted else csv.QUOTE_MINIMAL,
    )


def has_returns(table: pd.DataFrame) -> bool:
    """Tell whether a text of `table` has a carriage return.

    The writer leaves a bare one unquoted, and readers end the line there.
    """
    texts = [column for _, column in table.items() if column.dtype.kind == "O"]
    return any(
        column.astype("string").str.contains("\r", regex=False).any() for column in texts
    )


def guarded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of `table` in which a spreadsheet runs no text as a formula.

    Such a text, also as the name of a column, gets an apostrophe in front.
    """
    import pandas as pd

    columns = [_guard(column) for _, column in table.items()]
    names = pd.Series([str(name) for name in table.columns], dtype="object")
    safe = pd.concat(columns, axis=1) if columns else table.copy()
    return safe.set_axis(_guard(names).tolist(), axis=1)


def _guard(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype) or column.empty:
        return column
    words = column.astype("string")
    runs = words.str.contains(_MAY_RUN, regex=True).fillna(False)
    runs &= ~words.str.fullmatch(_PLAIN_NUMBER).fillna(False)
    if not runs.any():
        return column
    safe = column.astype("object").copy()
    safe[runs.astype(bool)] = [_RUNS.sub("'", word) for word in words[runs]]
    return safe


def unguarded(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table`, whose cells are text, without the apostrophes added by `guarded`."""
    import pandas as pd

    columns = [_unguard(column) for _, column in table.items()] if len(table) else []
    names = pd.Series([str(name) for name in table.columns], dtype="string")
    fresh = pd.concat(columns, axis=1) if columns else table.copy()
    return fresh.set_axis(_unguard(names).tolist(), axis=1)


def _unguard(column: pd.Series[Any]) -> pd.Series[Any]:
    marked = column.str.contains("'", regex=False).fillna(False).astype(bool)
    # Faster: a table may have thousands of columns, of which few have an apostrophe.
    if not marked.any():
        return column
    fresh = column.copy()
    fresh[marked] = [_MARKED.sub("", word) for word in column[marked]]
    return fresh


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open an ordinary file for reading; `with` gives the file object.

    Never waits for data of a pipe. Raises `UnreadableFileError` for a pipe, a device or a
    folder, and `FileNotFoundError` if `path` does not exist.
    """
    path = Path(path)
    # Without O_NONBLOCK, opening a pipe would wait for a process that writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    ordinary = path.stat()
    if stat.S_ISREG(ordinary.st_mode):
        with os.fdopen(os.open(path, flags), "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                yield file
                return
    raise UnreadableFileError(
        f"{path} is no ordinary file; give the file that was written."
    )


def read_bytes(path: Path, *, most: int) -> bytes:
    """Return the content of an ordinary file of at most `most` bytes.

    Raises `UnreadableFileError` for a larger file, and what `opened` raises.
    """
    with opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UnreadableFileError(
            f"{path} is longer than {most / 1e6:,.0f} MB, and lentigo writes no such file. "
            "Copy it again from where it came."
        )
    return content


def as_text(path: str | os.PathLike[str]) -> str:
    """Return `path` as UTF-8 text.

    Bytes that are not UTF-8 become escapes such as `\\udc80`.

    Python reads a name that is not UTF-8 as text with lone surrogates, which neither tables
    nor terminals accept.
    """
    return os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits.

    Raises what `opened` raises.
    """
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    # Without fsync a power cut can leave the new name pointing at an empty file.
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
