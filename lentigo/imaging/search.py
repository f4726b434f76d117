"""Find all image files in a folder and its subfolders.

Hidden files, and folders that an operating system or a storage server makes for previews
and deleted files, are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from unicodedata import normalize

from lentigo.errors import DatasetError
from lentigo.files import as_text
from lentigo.imaging.decoding.image import IMAGE_SUFFIXES
from lentigo.imaging.decoding.other_kinds import OTHER_SUFFIXES, is_avif, is_heic
from lentigo.imaging.decoding.packed import SUFFIXES as PACKED
from lentigo.words import counted, some, verb

_LITTER = {
    "__macosx", "__pycache__", "@eadir", "#recycle", "@recycle", "$recycle.bin",
    "lost+found", "system volume information",
}  # fmt: skip
"""Folders of previews and deleted files that systems create beside the user's own."""

composed = partial(normalize, "NFC")
"""Return a name with each accented letter as one character (NFC); a Mac stores two."""


def files_below(folder: Path) -> list[str]:
    """Return every file in `folder` and its subfolders, sorted by name within each folder.

    Symbolic links are followed. Left out are hidden files and folders (such as a Mac's
    `._N0.jpg` and `.ipynb_checkpoints`), files of systems (`is_litter`), and links to a
    folder that was searched already or that contains `folder`.

    Raises `DatasetError` if a folder cannot be read.
    """
    around = [os.path.realpath(place) for place in (folder, *folder.absolute().parents)]
    been, found = set(around[1:]), []
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_refuse):
        if (real := os.path.realpath(place)) in been:
            folders.clear()
            continue
        been.add(real)
        folders[:] = sorted(name for name in folders if not is_litter(name))
        start = os.path.join(place, "")  # noqa: PTH118
        found += [start + name for name in sorted(names) if not is_litter(name)]
    return found


def is_litter(name: str) -> bool:
    """Tell by its name whether a file or folder was made by a system, not the user.

    For a path with slashes, one such folder in it is enough.
    """
    steps = name.replace("\\", "/").split("/")
    return any(step.startswith(".") or step.lower() in _LITTER for step in steps)


def is_image(name: str) -> bool:
    """Tell whether a file of this name may be read as an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def is_other_picture(name: str) -> bool:
    """Tell whether a file of this name is an image in a format that is not read."""
    return name.lower().endswith(OTHER_SUFFIXES)


def left_out(names: Iterable[str]) -> list[str]:
    """Return one sentence that counts and names the images in formats that are not read.

    The list is empty if there are none.
    """
    other = [as_text(Path(name).name) for name in names if is_other_picture(name)]
    if not other:
        return []
    return [
        f"{counted(len(other), 'picture')} {verb(len(other), 'is', 'are')} left out, of "
        f"kinds that are not read: {some(other)}. Save them as JPEG or PNG."
    ]


def unseen(files: Iterable[str]) -> list[str]:
    """Return sentences on the `files` of a search that may hold images but were not read.

    These are zips and HDF5 files, whose images are only read if the container or a table is
    named, and images whose names have no extension.
    """
    closed, unnamed = [], []
    for path in files:
        name = os.path.basename(path)  # noqa: PTH119
        if name.lower().endswith(PACKED):
            closed.append(as_text(Path(name)))
        elif "." not in name and _begins_as_image(path):
            unnamed.append(as_text(Path(name)))
    said = []
    if closed:
        said.append(
            f"{counted(len(closed), 'zip or HDF5 file')} {verb(len(closed), 'is', 'are')} "
            f"not looked into: {some(closed)}. Name it itself, or unpack it."
        )
    if unnamed:
        said.append(
            f"{counted(len(unnamed), 'image')} {verb(len(unnamed), 'is', 'are')} left out "
            f"whose file name has no ending: {some(unnamed)}. Add one, such as .jpg."
        )
    return said


def _begins_as_image(path: str) -> bool:
    try:
        if not os.path.isfile(path):  # noqa: PTH113 (a pipe could be waited for)
            return False
        with open(path, "rb") as file:  # noqa: PTH123
            start = file.read(132)
    except (OSError, ValueError):
        return False
    known = start.startswith(_BEGINNINGS) or start[128:132] == b"DICM"
    return known or is_avif(start) or is_heic(start)


_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")


def on_disk(path: Path) -> Path:
    """Return `path` as spelled on the disk, which may encode accents in another way.

    A path that does not exist is returned unchanged.
    """
    if os.path.lexists(path) or path.parent == path:
        return path
    parent = on_disk(path.parent)
    if path.name.isascii():
        return parent / path.name
    try:
        there = [each.name for each in parent.iterdir()]
    except (OSError, ValueError):
        return path
    wanted = composed(path.name)
    return next((parent / name for name in there if composed(name) == wanted), path)


def _refuse(error: OSError) -> None:
    raise DatasetError(
        f"{as_text(error.filename or '')} cannot be looked into: {error.strerror}. Make it "
        "readable, or move it elsewhere."
    ) from error
