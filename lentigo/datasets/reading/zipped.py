"""Read a zip as the folder that it contains, without unpacking its images to the disk.

Readers get a real folder of empty files rather than a `zipfile.Path` or an fsspec path:
these are not `pathlib.Path`, so that each reader would have to be written twice, and
neither limits the size of what is unpacked (`imaging.decoding.packed` has the numbers).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lentigo.errors import DatasetError, LentigoError
from lentigo.imaging.decoding.packed import BROKEN, members, not_read
from lentigo.imaging.decoding.zip_members import TWICE, inside
from lentigo.imaging.search import is_litter, not_read_inside
from lentigo.table_files.door import SUFFIXES
from lentigo.table_files.noted import NotedTable
from lentigo.table_files.opened import STAND_INS
from lentigo.words import counted, some

TABLE_SUFFIXES = (*SUFFIXES, ".txt", ".json")
"""Endings of the zip's members that appear as files in the folder."""

LARGEST = 2**30
"""Most bytes of all tables of a zip; SLICE-3D's, the largest, has 401,059 rows of 55
columns."""

MANY = 10_000
"""Most tables, and most folders, of a zip; MILK10k has a folder for each of 5,240
lesions."""


@dataclass
class _Zips:
    """The zips being read, and the temporary folders and empty files in their place."""

    place: Path
    """The temporary folder that holds all folders and empty files."""
    members: dict[str, tuple[Path, str]] = field(default_factory=dict)
    """Path of an empty file → the zip and the member that it stands for."""
    names: dict[str, Path] = field(default_factory=dict)
    """Path of a folder → the zip that it stands for."""
    files: dict[str, list[str]] = field(default_factory=dict)
    """Path of a folder → the names of all files in the zip that it stands for."""
    beside: list[Path] = field(default_factory=list)
    """Zips from which a table was read although the archive is a folder."""

    def stand_in(self, container: Path) -> Path:
        """Create a folder, named after `container`, that stands for this zip."""
        folder = self.place / str(len(self.names)) / container.stem
        folder.mkdir(parents=True)
        self.names[str(folder)] = container
        return folder

    def real(self, text: str) -> str:
        """Replace folders in `text`, a path or a sentence, by the zips they stand for."""
        for folder, container in self.names.items():
            text = text.replace(folder, str(container))
        return text


_READING: ContextVar[_Zips | None] = ContextVar("_READING", default=None)


def read_unpacked(
    read: Callable[..., NotedTable], root: Path, options: Mapping[str, Any]
) -> NotedTable:
    """Return `read(root, **options)`, where `root` may also be a zip of the folder.

    The reader gets a temporary folder with an empty file for each table of the zip
    (`table_files.opened` reads the member in its place); images stay in the zip, and their
    paths lead into it. Paths, notes and errors name the zip.

    Raises `DatasetError` where the zip is broken or its tables are too large, and what
    `read` raises.
    """
    with unpacked(root) as (folder, zips):
        try:
            found = read(folder, **options)
        except LentigoError as error:
            raise type(error)(zips.real(str(error))) from error
        table = found.table
        for column in ("path", "mask_path"):
            if column in table and table[column].notna().any():
                table[column] = table[column].map(zips.real, na_action="ignore")
                table[column] = table[column].astype("string")
        notes = map(zips.real, found.notes)
        return replace(found, table=table, notes=(*_told(root, zips), *notes))


def _told(root: Path, zips: _Zips) -> list[str]:
    notes = [f"The table was read out of {path}." for path in zips.beside]
    if is_zip(root):
        notes.append(f"{root} was read as it is, without unpacking its images.")
        notes += not_read_inside(root)
    return notes


def is_zip(path: Path) -> bool:
    """Tell whether `path` is an existing file that ends in .zip."""
    return path.suffix.lower() == ".zip" and path.is_file()


@contextmanager
def unpacked(root: Path) -> Iterator[tuple[Path, _Zips]]:
    """Give the folder to read for `root`, and the record of the zips that stand behind it.

    It is `root` itself or, for a zip, a temporary folder with an empty file for each table
    of the zip, in place of which `table_files.opened` reads the table in the zip. Other
    zips opened in the `with` block are added to the record.
    """
    _sweep()
    prefix = f"{_PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as place:
        zips = _Zips(Path(place))
        token, shown = _READING.set(zips), STAND_INS.set(zips.members)
        try:
            yield (_shown(root.absolute(), zips) if is_zip(root) else root), zips
        finally:
            STAND_INS.reset(shown)
            _READING.reset(token)


_PREFIX = "lentigo-zip-"


def _sweep() -> None:
    """Remove the temporary folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdecimal() and not _lives(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _shown(container: Path, zips: _Zips) -> Path:
    names = [name for name in members(container) if not is_hidden(name)]
    tables, folder = [n for n in names if _is_table(n)], zips.stand_in(container)
    folders = {str(PurePosixPath(name).parent) for name in names}
    if max(len(tables), len(folders)) > MANY:
        raise DatasetError(
            f"{container} holds {counted(len(tables), 'table')} in "
            f"{counted(len(folders), 'folder')}, too many for an archive; unpack it first."
        )
    for name in folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    _stand(container, tables, folder, zips)
    zips.files[str(folder)] = names
    return folder.joinpath(*_wrapping(names))


def is_hidden(name: str) -> bool:
    """Tell whether a member is a hidden file of the system that made the zip."""
    return is_litter(name)


def _is_table(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in TABLE_SUFFIXES or path.name == "HAM10000_metadata"


def _wrapping(names: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that enclose the whole archive.

    A folder that holds images and no table is not one of them: it may be a class.
    """
    steps = [PurePosixPath(name).parts for name in names]
    depth = 0
    while steps and all(
        len(step) > depth + 1 and step[depth] == steps[0][depth] for step in steps
    ):
        files = [step[-1] for step in steps if len(step) == depth + 2]
        if files and not any(map(_is_table, files)):
            break
        depth += 1
    return steps[0][:depth] if steps else ()


def _stand(container: Path, names: Sequence[str], folder: Path, zips: _Zips) -> None:
    """Put an empty file into `folder` for each of the members `names`."""
    wanted, left = set(names), LARGEST
    refused = not_read(container)
    if twice := [name for name in names if refused.get(name) == TWICE]:
        raise DatasetError(f"{some(twice)} in {container}: {TWICE}. Unpack the zip.")
    try:
        with zipfile.ZipFile(container) as file:
            there = file.infolist()
    except BROKEN as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"The tables in {container} cannot be read: {reason}") from error
    for member in there:
        if (name := inside(member.filename)) not in wanted or member.is_dir():
            continue
        left -= member.file_size
        if left < 0:
            raise DatasetError(
                f"The tables in {container} take more than {LARGEST:,} bytes; unpack it "
                "yourself if you trust it."
            )
        (folder / str(name)).touch()
        zips.members[str(folder / str(name))] = container, member.filename


def files_below(folder: Path) -> list[Path]:
    """Return the paths in `folder` of a zip's files; empty unless it stands for a zip."""
    zips = _READING.get()
    for stand_in, names in zips.files.items() if zips else ():
        if folder.is_relative_to(stand_in):
            start = folder.relative_to(stand_in).as_posix() + "/"
            start = "" if start == "./" else start
            return [Path(stand_in, name) for name in names if name.startswith(start)]
    return []


def real(path: Path) -> Path:
    """Return the path into the zip for a path in the folder that stands for it."""
    zips = _READING.get()
    return path if zips is None else Path(zips.real(str(path)))


def table_inside(containers: Sequence[Path], names: Sequence[str]) -> Path | None:
    """Return the first of `names` that is in one of the zips `containers`, or None."""
    zips = _READING.get()
    if zips is None:
        return None
    wanted = [name.lower() for name in names]
    for container in containers:
        try:
            there = {PurePosixPath(n).name.lower(): n for n in reversed(members(container))}
        except DatasetError:
            continue
        if found := next((there[name] for name in wanted if name in there), None):
            folder = zips.stand_in(container)
            (folder / found).parent.mkdir(parents=True, exist_ok=True)
            _stand(container, [found], folder, zips)
            zips.beside.append(container)
            return folder / found
    return None
