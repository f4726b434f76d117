"""The record of the files that a command has written into the folder that it fills.

Where the command fails, is stopped or is killed, these files are removed, and nothing else:
what a user has put beside them stays. The record is a hidden file in the folder, with one
line for each file, written before the file is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lentigo.run_layout import UNFINISHED as RECORD

_FILLED: list[str] = []
"""The folders that this process is filling, without links."""
Sizes = dict[str, set[tuple[int, int] | None]]
"""By path below the folder, the size and the time (ns) of each file that was written there;
None stands for any."""


@contextmanager
def recording(folder: Path) -> Iterator[None]:
    """Note in the record of `folder`, which is there, what `note_own` is told."""
    place = os.path.realpath(folder)
    _FILLED.append(place)
    try:
        yield
    finally:
        _FILLED.remove(place)


def note_own(path: Path, content: Path | None = None) -> None:
    """Note that this process writes the file `path`, if it lies in a folder being filled.

    `content` is the file that gets this name in the next moment; without it, `path` is the
    command's own whatever it holds. A folder that is noted is only removed when empty.
    """
    if not _FILLED:
        return
    place = os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118
    for folder in _FILLED:
        if place.startswith(folder + os.sep) and path.name != RECORD:
            facts = None
            if content is not None:
                status = content.stat()
                facts = status.st_size, status.st_mtime_ns
            line = json.dumps([os.path.relpath(place, folder), facts])
            with (Path(folder) / RECORD).open("a", encoding="ascii") as file:
                file.write(line + "\n")


def note_new_folders(folder: Path) -> None:
    """Note `folder`, and those above it, that this process is about to make."""
    for each in (folder, *folder.parents) if _FILLED else ():
        if each.exists():
            return
        note_own(each)


def others_than_own(folder: Path, *, besides: Collection[str]) -> list[str]:
    """Return the paths below `folder` of the files that its record does not know.

    A file that has changed since it was written is one of them. The names `besides` in the
    folder are left out.
    """
    known = _read(folder)
    return [path for path in _below(folder, besides) if not _is_own(folder, path, known)]


def remove_own(folder: Path, *, besides: Collection[str]) -> list[str]:
    """Remove the files below `folder` that its record knows, and its folders left empty.

    The names `besides` in the folder stay. Returns the names in `folder` of which something
    was removed.
    """
    known, removed = _read(folder), dict[str, None]()
    for path in _below(folder, besides):
        if _is_own(folder, path, known):
            with suppress(OSError):
                (folder / path).unlink()
                removed[Path(path).parts[0]] = None
    for path in sorted(known, reverse=True):  # what lies in a folder comes before it
        if Path(path).parts[0] not in besides:
            with suppress(OSError):  # no folder, or others lie in it
                (folder / path).rmdir()
    return list(removed)


def _below(folder: Path, besides: Collection[str]) -> list[str]:
    """Return the paths of all files and links below `folder`; links are not followed."""
    found = []
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118
        inner = os.path.relpath(place, folder)
        if inner == ".":
            folders[:] = [name for name in folders if name not in besides]
            names = [name for name in names if name not in besides]
            links = [name for name in links if name not in besides]
        found += [os.path.normpath(os.path.join(inner, name)) for name in (*names, *links)]  # noqa: PTH118
    return sorted(found)


def _is_own(folder: Path, path: str, known: Sizes) -> bool:
    written = known.get(path, set())
    if None in written:
        return True
    with suppress(OSError):
        status = (folder / path).lstat()
        return (status.st_size, status.st_mtime_ns) in written
    return False


def _read(folder: Path) -> Sizes:
    """Return what the record in `folder` says; a line cut short by a kill says nothing."""
    found: Sizes = {}
    with (
        suppress(OSError),
        (folder / RECORD).open(encoding="ascii", errors="replace") as file,
    ):
        for line in file:
            with suppress(ValueError, TypeError):
                path, facts = json.loads(line)
                own = None if facts is None else (int(facts[0]), int(facts[1]))
                found.setdefault(str(path), set()).add(own)
    return found
