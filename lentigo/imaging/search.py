"""The images in a folder and below: every one, and none that a program left there."""

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
"""Folders of previews and deleted files that systems leave beside the user's own."""

composed = partial(normalize, "NFC")
"""A name with each accented letter as one character; a Mac stores it as two."""


def files_below(folder: Path) -> list[str]:
    """Every file in `folder` and below, links followed, in a fixed order.

    Left out are hidden files and folders (such as a Mac's `._N0.jpg` and
    `.ipynb_checkpoints`), what systems leave behind, and links that lead back to where the
    search has been or to a folder around it.

    Raises `DatasetError` where a folder cannot be looked into.
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

    Of a longer path, with slashes, one such step is enough.
    """
    steps = name.replace("\\", "/").split("/")
    return any(step.startswith(".") or step.lower() in _LITTER for step in steps)


def is_image(name: str) -> bool:
    """Tell whether a file of this name may be read as an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def is_other_picture(name: str) -> bool:
    """Tell whether a file of this name is a picture of a kind that is not read."""
    return name.lower().endswith(OTHER_SUFFIXES)


def left_out(names: Iterable[str]) -> list[str]:
    """A sentence that counts and names the pictures of other kinds; none without any."""
    other = [as_text(Path(name).name) for name in names if is_other_picture(name)]
    if not other:
        return []
    return [
        f"{counted(len(other), 'picture')} {verb(len(other), 'is', 'are')} left out, of "
        f"kinds that are not read: {some(other)}. Save them as JPEG or PNG."
    ]


def unseen(files: Iterable[str]) -> list[str]:
    """Sentences on what a search of a folder does not look into, of the `files` it found.

    These are zips and HDF5 files, whose images have to be asked for by the container's
    name or by a table, and images whose names have no ending.
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
    """`path` as the disk spells it, where accents are written in another way there."""
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
