"""Read images directly from a container: a zip or an HDF5 file.

The path of such an image leads through the container, as Python's own zipimport writes it:
`ISIC-images.zip/ISIC_0000000.jpg` or `train-image.hdf5/ISIC_0015670`. Nothing is unpacked
to the disk, and whatever a container holds, the result is the bytes of one file, or an
`ImageError`.

Neither `zipfile.Path` nor fsspec can replace this module. From a zip of 0.3 MB both
returned a member of 315 MB, and one called `../out.jpg` besides; they have no mark that
shows if a member has changed, and do not read HDF5. They are no faster: of 20,000 members
they read one in 41 to 43 µs (this module in 64, with the look-up of the path and the
checks), and `zipfile.Path` made anew from a path, as a table names it, in 205 ms.
"""

from __future__ import annotations

import math
import os
import re
import stat
import struct
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lentigo.errors import DatasetError, ImageError
from lentigo.imaging.decoding.limits import opening
from lentigo.imaging.decoding.zip_members import LARGEST, ZipMembers, inside, why_refused
from lentigo.visible import named

SUFFIXES = (".zip", ".hdf5", ".h5")
"""File extensions of containers."""

GONE = (-1, -1)
"""The mark of a file that does not exist."""

_OPEN_AT_ONCE = 8
"""The number of containers that a process keeps open; an archive has few, and its table
names them in turn."""

_KEPT = 8 * 2**20
"""Bytes, more than a decoded image of a store takes."""

_THROUGH = re.compile(r"\.(?:zip|hdf5|h5)(?=[/\\])", flags=re.IGNORECASE)

BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, OSError, EOFError,
    LookupError, ValueError, RuntimeError, ArithmeticError, MemoryError, TypeError,
    AttributeError, AssertionError,
)  # fmt: skip
"""Exceptions that `zipfile` and `h5py` are known to raise for broken files."""


def split(path: str | os.PathLike[str]) -> tuple[str, str] | None:
    """Split a path that leads through a container into the container and the name inside.

    `a/images.zip/b.jpg` gives `("a/images.zip", "b.jpg")`. A container is an existing file
    that ends in one of `SUFFIXES`, not a folder. None if the path leads through no
    container.
    """
    text = os.fspath(path)
    for found in _THROUGH.finditer(text):
        outer, inner = text[: found.end()], text[found.end() + 1 :]
        if inner and os.path.isfile(outer):  # noqa: PTH113 (called for each of 400,000)
            return outer, inner.replace(os.sep, "/")
    return None


def is_there(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path leads through a container to an existing entry in it."""
    return mark(path) != GONE


def read_bytes(path: str | os.PathLike[str], *, name: str | None = None) -> bytes:
    """Return the uncompressed bytes of the file in a container that `path` leads to.

    `name` is the file's name in error messages; by default its path.

    Raises `ImageError` if the container or the member does not exist, is broken, encrypted,
    larger than `LARGEST`, compressed too strongly for an image, or leads out of the
    container.
    """
    name = name or str(path)
    parts = split(path)
    if parts is None:
        raise ImageError(f"{name} leads through no zip and no HDF5 file.")
    with _refusing(name):
        return _container(parts[0]).read(parts[1], name)


def length(path: str | os.PathLike[str]) -> int:
    """Return the uncompressed size in bytes that a container claims for the file at `path`.

    The size is at most `LARGEST`. It is 0 if `path` leads through no container, or to no
    file in it. For an HDF5 string of variable length it is the size of the whole container.

    Raises any of `BROKEN` if the container is broken.
    """
    parts = split(path)
    return 0 if parts is None else min(_container(parts[0]).length(parts[1]), LARGEST)


def mark(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return two numbers that change when the file in the container changes.

    For a member of a zip they are its length, and its checksum combined with its
    modification time; a copy of the zip, or a new date of the zip itself, does not change
    them. An HDF5 file keeps no checksum and no time of its entries, so the numbers are
    length and modification time (ns) of the whole file.

    They are `GONE` if the container has no such entry or cannot be read.
    """
    parts = split(path)
    if parts is None:
        return GONE
    try:
        return _container(parts[0]).mark(parts[1])
    except BROKEN:
        return GONE


def members(container: Path) -> list[str]:
    """Return the names of the files in a zip, or of the top entries of an HDF5 file.

    Names that lead out of the zip are left out, as are folders; a name that several files
    have is there once (`not_read` tells of both). The list is empty for an HDF5 file
    whose first array is not a file (the weights of a network, for example).

    Raises `DatasetError` if the container cannot be read.
    """
    with _telling(container):
        return _container(str(container)).names()


def not_read(container: Path) -> dict[str, str]:
    """Return name → reason for each member of a zip that is known not to be readable.

    These are members whose name leads out of the zip or is that of several files, links,
    and what is locked, too large or packed in an unusual way. A member whose name is taken
    or leads out has one made for it, so that each has a path of its own, of which
    `read_bytes` says the reason. The entries of an HDF5 file are not looked at.

    Raises `DatasetError` if the container cannot be read.
    """
    with _telling(container):
        return _container(str(container)).not_read()


@contextmanager
def _telling(container: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise DatasetError(
            f"{container} cannot be read: {_reason(error)}. Is its download complete?"
        ) from error


def close(container: Path) -> None:
    """Forget an open container: the list of a zip takes 1 kB of memory a member."""
    with _LOCK:
        _OPENED.pop((os.getpid(), str(container)), None)


def close_all() -> None:
    """Forget all containers that this process has open; they are opened anew if needed."""
    own = os.getpid()
    with _LOCK:
        for opened in [key for key in _OPENED if key[0] == own]:
            del _OPENED[opened]


class _Container(Protocol):
    def names(self) -> list[str]: ...
    def not_read(self) -> dict[str, str]: ...
    def length(self, inner: str) -> int: ...
    def read(self, inner: str, name: str) -> bytes: ...
    def mark(self, inner: str) -> tuple[int, int]: ...


class _Zip:
    def __init__(self, path: str) -> None:
        # Closed by the garbage collector: another thread may still be reading from it.
        self._file = zipfile.ZipFile(path)
        self._listed = ZipMembers.of(self._file.infolist())
        self._members = self._listed.by_name

    def names(self) -> list[str]:
        return self._listed.names()

    def not_read(self) -> dict[str, str]:
        return self._listed.not_read()

    def length(self, inner: str) -> int:
        member = self._members.get(inner)
        return 0 if member is None else member.file_size

    def read(self, inner: str, name: str) -> bytes:
        member = self._members.get(inner)
        if member is None:
            raise ImageError(f"{name} is not there: {_why_absent(inner)}.")
        if reason := self._listed.refused.get(inner) or why_refused(member):
            raise ImageError(
                f"{name} is not read: {reason}. Unpack the zip if you trust it."
            )
        with self._file.open(member) as file:
            # Never more than is claimed; zipfile compares the checksum at the end.
            data = file.read(member.file_size + 1)
        if len(data) != member.file_size:
            raise ImageError(
                f"{name} has {len(data):,} of {member.file_size:,} bytes; it is cut short."
            )
        return data

    def mark(self, inner: str) -> tuple[int, int]:
        member = self._members.get(inner)
        if member is None:
            return GONE
        year, month, day, hour, minute, second = member.date_time
        days = (year * 12 + month) * 31 + day
        seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        # A store keeps both in 63 bits; a broken directory may claim more.
        return min(member.file_size, 2**62), member.CRC << 31 | seconds & 0x7FFFFFFF


def _why_absent(inner: str) -> str:
    if inside(inner) is None:
        return "its name leads out of the zip"
    if _THROUGH.search(inner):
        return "a container inside a zip is not read; unpack the outer one"
    return "the zip holds no such file"


_LOOKED_AT = 50
"""Entries of an HDF5 file of which the first array says if it is a file of images."""
_AS_NAME = "utf-8", "surrogateescape"
"""Encoding of names as text, with the error handler of file names on a disk."""


class _Hdf5:
    # Through the lower level of h5py: 152 instead of 221 µs an entry of 4,000 bytes.
    def __init__(self, path: str) -> None:
        import h5py

        try:
            self._file = h5py.File(path, "r")
        except OSError:  # some network disks know no locks
            self._file = h5py.File(path, "r", locking=False)
        # Beside h5py glibc gives the memory of each image back to the system and asks for
        # it again: 0.4 ms an image, of 1.5. Freeing a large block teaches it to keep some.
        bytearray(_KEPT)
        status = os.stat(path)  # noqa: PTH116
        self._mark = status.st_size, status.st_mtime_ns

    def names(self) -> list[str]:
        return sorted(self._names)

    @cached_property
    def _names(self) -> frozenset[str]:
        # Not through h5py's upper level, which gives bytes for what is no UTF-8.
        names = [name.decode(*_AS_NAME) for name in self._file.id]
        # Links and groups before it say nothing of what the file holds.
        entries = map(self._entry, names[:_LOOKED_AT])
        first = next((entry for entry in entries if entry is not None), None)
        return frozenset(names if first is not None and _is_file(first) else ())

    def not_read(self) -> dict[str, str]:
        return {}

    def length(self, inner: str) -> int:
        entry = self._entry(inner)
        if entry is None or not _is_file(entry):
            return 0
        if entry.dtype.kind == "O":  # of any length; only reading it tells
            return self._mark[0]
        return _bytes_of(entry)

    def read(self, inner: str, name: str) -> bytes:
        entry = self._entry(inner)
        if entry is None:
            raise ImageError(
                f"{name} is not there: the HDF5 file has no such entry, or it is a group "
                "or leads to another file."
            )
        if not _is_file(entry):
            raise ImageError(
                f"{name} is an array {entry.shape} of {entry.dtype}, not the bytes of an "
                "image file."
            )
        size = _bytes_of(entry)
        if size > LARGEST:
            raise ImageError(f"{name} claims {size:,} bytes; at most {LARGEST:,} are read.")
        value = np.empty(entry.shape, entry.dtype)
        entry.read(*2 * [_everything()], value)
        if value.dtype.kind == "O":  # strings of any length
            value = value.item()
            return value if isinstance(value, bytes) else bytes(np.asarray(value).data)
        # Not `value.item()`: NumPy cuts zeros off the end of a string of bytes.
        return bytes(value.tobytes())

    def mark(self, inner: str) -> tuple[int, int]:
        # An entry in a group is read, too, but is not among the names.
        there = inner in self._names or self._entry(inner) is not None
        return self._mark if there else GONE

    def _entry(self, inner: str) -> Any:
        """Return the dataset called `inner`; None if it is missing or in another file."""
        from h5py import h5d, h5l, h5o

        root, whole = self._file.id, inner.encode(*_AS_NAME)
        steps = whole.split(b"/")
        for count in range(1, len(steps) + 1):
            name = b"/".join(steps[:count])
            there = root.links.exists(name)
            if not there or root.links.get_info(name).type != h5l.TYPE_HARD:
                return None
        entry = h5o.open(root, whole)
        if not isinstance(entry, h5d.DatasetID):
            return None
        made = entry.get_create_plist()
        elsewhere = made.get_layout() == h5d.VIRTUAL or made.get_external_count() > 0
        return None if elsewhere else entry


def _everything() -> Any:
    from h5py import h5s

    return h5s.ALL


def _bytes_of(entry: Any) -> int:
    return int(math.prod(entry.shape)) * int(entry.dtype.itemsize)


def _is_file(entry: Any) -> bool:
    """Tell whether an HDF5 entry is one string of bytes, or a row of bytes."""
    import h5py

    kind = entry.dtype.kind
    if entry.shape == ():
        inner = h5py.check_vlen_dtype(entry.dtype) if kind == "O" else None
        text = kind == "O" and h5py.check_string_dtype(entry.dtype) is not None
        return kind in "SV" or text or inner == np.uint8
    return len(entry.shape or ()) == 1 and entry.dtype == np.uint8


_OPENED: OrderedDict[tuple[int, str], tuple[tuple[int, int], _Container]] = OrderedDict()
_LOCK = threading.Lock()


def _container(path: str) -> _Container:
    """Return the open container at `path`; it is reopened if the file has changed.

    The key has the process id, because a forked process would share the position in the
    file.
    """
    status = os.stat(path)  # noqa: PTH116
    if not stat.S_ISREG(status.st_mode):  # opening a pipe could wait for ever
        raise OSError(f"{path} is no ordinary file")
    key, now = (os.getpid(), path), (status.st_size, status.st_mtime_ns)
    with _LOCK:
        known = _OPENED.get(key)
        if known is None or known[0] != now:
            kind = _Zip if path.lower().endswith(".zip") else _Hdf5
            with opening(status.st_size):
                opened: _Container = kind(path)
            known = _OPENED[key] = now, opened
        _OPENED.move_to_end(key)
        while len(_OPENED) > _OPEN_AT_ONCE:
            _OPENED.popitem(last=False)
    return known[1]


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turn every exception of a broken container into an `ImageError` with `name`."""
    try:
        yield
    except BROKEN as error:
        raise ImageError(f"{name} cannot be unpacked: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return named(" ".join(text.split())).rstrip(".") or type(error).__name__
