"""Find all image files in a folder and its subfolders.

Hidden files, and folders that an operating system or a storage server makes for previews
and deleted files, are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from unicodedata import normalize

from lentigo.errors import DatasetError
from lentigo.files import as_text
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import IMAGE_SUFFIXES
from lentigo.imaging.decoding.other_kinds import OTHER_SUFFIXES, is_avif, is_heic
from lentigo.imaging.decoding.packed import SUFFIXES as PACKED
from lentigo.words import counted, some, verb

_LITTER = {
    "__macosx", "__pycache__", "@eadir", "#recycle", "@recycle", "$recycle.bin",
    "lost+found", "system volume information",
}  # fmt: skip
"""Folders of previews and deleted files that systems create beside the user's own."""

NOT_OPENED = (
    ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst", ".rar",
    ".7z",
)  # fmt: skip
"""Endings of containers that are not read."""
_NO_IMAGES = {"license", "licence", "readme", "makefile", "changelog", "ham10000_metadata"}

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


def not_read_inside(container: Path) -> list[str]:
    """Return sentences that count and name the members of a zip that are not read.

    They are those of `packed.not_read`, containers inside it, and members whose names have
    no ending, which may be images. Hidden ones are left out. The list is empty for an HDF5
    file, of which every entry is read.

    Raises `DatasetError` if the container cannot be read.
    """
    if container.suffix.lower() != ".zip":
        return []
    alike: dict[str, tuple[str, list[str]]] = {}
    refused = packed.not_read(container)
    for name, reason in refused.items():
        if not is_litter(name):  # one sentence for all sizes that are too large
            kind = re.sub(r"[\d,]+", "", reason)
            alike.setdefault(kind, (reason, []))[1].append(as_text(name))
    said = [
        f"{counted(len(names), 'file')} in {container} {verb(len(names), 'is', 'are')} not "
        f"read ({reason}): {some(names)}. Unpack it if you trust it."
        for reason, names in alike.values()
    ]
    others = [n for n in packed.members(container) if n not in refused and not is_litter(n)]
    if closed := [as_text(n) for n in others if n.lower().endswith((*PACKED, *NOT_OPENED))]:
        said.append(
            f"{counted(len(closed), 'container')} in {container} "
            f"{verb(len(closed), 'is', 'are')} not looked into: {some(closed)}."
        )
    if unnamed := [as_text(n) for n in others if _has_no_ending(n)]:
        said.append(
            f"{counted(len(unnamed), 'file')} in {container} "
            f"{verb(len(unnamed), 'is', 'are')} left out, for the name has no ending: "
            f"{some(unnamed)}. Add one, such as .jpg, to an image."
        )
    return said


def _has_no_ending(name: str) -> bool:
    last = name.rpartition("/")[2]
    return "." not in last and last.lower() not in _NO_IMAGES


def unseen(files: Iterable[str]) -> list[str]:
    """Return sentences on the `files` of a search that may hold images but were not read.

    These are zips and HDF5 files, whose images are only read if the container or a table is
    named, archives of kinds that are not read, and images whose names have no extension.
    """
    closed, unnamed, strange = [], [], []
    for path in files:
        name = os.path.basename(path)  # noqa: PTH119
        if name.lower().endswith(PACKED):
            closed.append(as_text(Path(name)))
        elif name.lower().endswith(NOT_OPENED):
            strange.append(as_text(Path(name)))
        elif "." not in name and _begins_as_image(path):
            unnamed.append(as_text(Path(name)))
    said = []
    if closed:
        said.append(
            f"{counted(len(closed), 'zip or HDF5 file')} {verb(len(closed), 'is', 'are')} "
            f"not looked into: {some(closed)}. Name it itself, or unpack it."
        )
    if strange:
        said.append(
            f"{counted(len(strange), 'archive')} {verb(len(strange), 'is', 'are')} of a "
            f"kind that is not read: {some(strange)}. Unpack it."
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
