"""The bytes of a table file, unpacked if it is compressed, within limits of size.

Nothing is unpacked to the disk, so that no part of it can stay behind.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from io import BufferedIOBase, BytesIO
from pathlib import Path

from lentigo.errors import DatasetError, DatasetNotFoundError
from lentigo.output import note_read
from lentigo.words import some

LARGEST = 512 * 2**20
"""Most bytes of a table, unpacked: twice those of SLICE-3D's, the largest that is known."""

_FREE, _TIMES = 16 * 2**20, 100
"""A table of more than `_FREE` bytes may be compressed to 1/`_TIMES` of its size, not less.
A million ids in order, each with a 0, were compressed to a sixth, and no real table is as
regular."""

_CHUNK = 2**20
_ENCRYPTED = 0x1
_BROKEN = (
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError,
    RuntimeError, ValueError, LookupError, MemoryError,
)  # fmt: skip

STAND_INS: ContextVar[Mapping[str, tuple[Path, str]] | None] = ContextVar(
    "STAND_INS", default=None
)
"""Empty placeholder files for members of a zip: path → (zip, name of the member)."""


def read_bytes(path: Path, *, largest: int | None = None) -> bytes:
    """Return the content of an ordinary file, unpacked if it is gzip, bzip2 or xz.

    Raises `DatasetNotFoundError` where the file does not exist, and `DatasetError` where it
    is a pipe or a device (reading a pipe might never end), is broken, or is larger than
    `largest` bytes (`LARGEST` by default), compressed or unpacked.
    """
    largest = LARGEST if largest is None else largest
    note_read(path)
    member = (STAND_INS.get() or {}).get(str(path))
    if member is not None:
        return _member(*member, largest=largest)
    data = _plain_bytes(path, largest)
    unpack = next(
        (each for magic, each in _PACKERS.items() if data.startswith(magic)), None
    )
    if unpack is None:
        return data
    try:
        return b"".join(_unpacked(unpack, data, path, largest))
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def read_only_member(path: Path, data: bytes, suffixes: tuple[str, ...]) -> bytes | None:
    """Return the only member of a zip whose name ends in one of `suffixes`, unpacked.

    `data` are the bytes of the zip, and `path` its name in errors. None where no member
    fits.

    Raises `DatasetError` where several members fit, or where the zip is broken or too
    large.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as file:
            names = [
                item.filename for item in file.infolist()
                if item.filename.lower().endswith(suffixes)
                and not item.filename.startswith("__MACOSX/")
            ]  # fmt: skip
            if len(names) == 1:
                return _read_member(file, names[0], f"{path}/{names[0]}", LARGEST)
    except _BROKEN as error:
        raise _unreadable(path, error) from error
    if names:
        raise DatasetError(f"{path} holds {len(names)} tables ({some(names)}); unpack one.")
    return None


@contextmanager
def check_ordinary(path: Path) -> Iterator[os.stat_result]:
    """Check that `path` is an ordinary file; `with` gives its `os.stat_result`.

    Raises `DatasetNotFoundError` where `path` does not exist, is a broken link or is a
    folder, and `DatasetError` where it is a pipe or a device.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise DatasetNotFoundError(f"{path} is a link that leads nowhere.") from error
        raise DatasetNotFoundError(f"{path} does not exist; {GIVE}") from error
    if stat.S_ISDIR(found.st_mode):
        raise DatasetNotFoundError(f"{path} is a folder, not a file; {GIVE}")
    if not stat.S_ISREG(found.st_mode):
        raise DatasetError(
            f"{path} is a pipe or a device, no ordinary file; save its content as a file."
        )
    yield found


GIVE = "give a table (CSV, Excel, ODS or Parquet), or an archive's folder or zip."


def _plain_bytes(path: Path, largest: int) -> bytes:
    try:
        with check_ordinary(path) as found:
            if found.st_size > largest:
                raise too_large(path, found.st_size, largest)
            with path.open("rb") as file:
                # Some system files report the length 0, and never end.
                data = file.read(largest + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > largest:
        raise too_large(path, len(data), largest)
    return data


def too_large(path: Path | str, size: int, largest: int) -> DatasetError:
    """Return the `DatasetError` for a table of `size` bytes, with `largest` allowed."""
    return DatasetError(
        f"{path} has {size:,} bytes or more; a table may have {largest:,}. Keep the "
        "columns that are needed, or read it in parts."
    )


def check_ratio(path: Path | str, size: int, packed: int) -> None:
    """Raise `DatasetError` if `packed` bytes unpack to too many for a table (zip bomb)."""
    if size > _FREE and size > _TIMES * packed:
        raise DatasetError(
            f"{path} is packed into {packed:,} bytes and unpacks to {size:,} or more: no "
            "table is packed so small. Unpack it yourself if you trust it."
        )


Unpack = Callable[[BytesIO], BufferedIOBase]


def _gunzip(packed: BytesIO) -> BufferedIOBase:
    return gzip.GzipFile(fileobj=packed)


_PACKERS: Mapping[bytes, Unpack] = {
    b"\x1f\x8b": _gunzip,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


def _unpacked(unpack: Unpack, data: bytes, path: Path, largest: int) -> Iterator[bytes]:
    """Yield the unpacked parts of `data`, which may be several compressed streams in a row.

    Raises `DatasetError` where they exceed `largest` bytes.
    """
    total = 0
    with unpack(BytesIO(data)) as file:
        while part := file.read(_CHUNK):
            total += len(part)
            check_ratio(path, total, len(data))
            if total > largest:
                raise too_large(path, total, largest)
            yield part


def _member(container: Path, name: str, *, largest: int) -> bytes:
    whole = f"{container}/{name}"
    try:
        with check_ordinary(container), zipfile.ZipFile(container) as file:
            return _read_member(file, name, whole, largest)
    except _BROKEN as error:
        raise _unreadable(whole, error) from error


def _read_member(file: zipfile.ZipFile, name: str, whole: str, largest: int) -> bytes:
    member = file.getinfo(name)
    if member.flag_bits & _ENCRYPTED:
        raise DatasetError(
            f"{whole} is locked by a password; unpack the zip with it first."
        )
    check_ratio(whole, member.file_size, member.compress_size)
    if member.file_size > largest:
        raise too_large(whole, member.file_size, largest)
    with file.open(member) as source:
        # At most one byte more than is claimed; zipfile checks the checksum at the end.
        data = source.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise DatasetError(
            f"{whole} is cut short: {len(data):,} of {member.file_size:,} bytes."
        )
    return data


def _unreadable(path: Path | str, error: BaseException) -> DatasetError:
    return DatasetError(f"{path} cannot be read as a table: {reason(error)}.")


def reason(error: BaseException) -> str:
    """Return the message of a library's exception as one short line without a full stop."""
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return " ".join(text.split())[:200].rstrip(".") or type(error).__name__
