"""The members of a zip by the name under which each is read, and those that are not read.

No member is lost in silence: one whose name is taken or leads out of the zip has a name of
its own here, and a reason why it is not read.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field

LARGEST = 300_000_000
"""The largest size of a member in bytes: 100 million pixels of 24 bits, the largest image
that is decoded."""

_FREE = 16 * 2**20
_TIMES = 100
"""The highest compression ratio of a member of more than `_FREE` bytes. Photographs of skin
as BMP, the least compact of our formats, were packed 1.3 to 3.1 times smaller (four
originals of up to 4288 × 2848 pixels, twelve of 256 × 256); zeros, 1,000 times."""

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")

OUTSIDE = "its name leads out of the zip"
TWICE = "the zip holds several files of this name, and which is meant cannot be told"
FOLDER = "its name ends like that of a folder"


@dataclass
class ZipMembers:
    """The members of a zip, without its folders."""

    by_name: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    """By its own name, or by one made for it where that is taken or leads out."""
    refused: dict[str, str] = field(default_factory=dict)
    """Name, as in `by_name` → why it is not read: `OUTSIDE`, `TWICE` or `FOLDER`."""
    made: set[str] = field(default_factory=set)
    """Names in `by_name` that were made here; no file of the zip is called so."""
    _counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Iterable[zipfile.ZipInfo]) -> ZipMembers:
        """Sort the members `listed`; of identical ones of one name, one is kept."""
        found = cls()
        for member in listed:
            safe = inside(member.filename)
            if member.is_dir():
                if member.file_size:
                    found._make(member, "(folder)", FOLDER)
            elif safe is None:
                found._make(member, "(outside)", OUTSIDE)
            elif safe not in found.by_name:
                found.by_name[safe] = member
            elif not _is_copy(member, found.by_name[safe]):
                found.refused[safe] = TWICE
                found._make(member, "(again)", TWICE)
        return found

    def names(self) -> list[str]:
        """Return the names that files of the zip have, each once."""
        return [name for name in self.by_name if name not in self.made]

    def not_read(self) -> dict[str, str]:
        """Return name → reason for each member that is not read, whatever it holds."""
        found = {}
        for name, member in self.by_name.items():
            if reason := self.refused.get(name) or why_refused(member):
                found[name] = reason
        return found

    def _make(self, member: zipfile.ZipInfo, start: str, reason: str) -> None:
        steps = [
            "(up)" if step == ".." else step
            for step in member.filename.replace("\\", "/").split("/")
            if step not in {"", "."}
        ]
        name = whole = "/".join([start, *steps])
        while name in self.by_name:  # counted on: a million of one name are not slow
            self._counts[whole] = self._counts.get(whole, 1) + 1
            name = "/".join([f"{start[:-1]} {self._counts[whole]})", *steps])
        self.by_name[name] = member
        self.refused[name] = reason
        self.made.add(name)


def inside(name: str) -> str | None:
    """Return a member's name without empty steps; None if it leads out of the zip."""
    steps = [step for step in name.replace("\\", "/").split("/") if step not in {"", "."}]
    absolute = name.startswith(("/", "\\")) or (steps and _DRIVE.match(steps[0]))
    return None if absolute or ".." in steps or not steps else "/".join(steps)


def why_refused(member: zipfile.ZipInfo) -> str:
    """Return why a member is not read by what it is; empty if nothing speaks against it.

    It is locked, a link, too large, or packed by a method or to a ratio of no image.
    """
    if member.flag_bits & _ENCRYPTED:
        return "it is locked by a password"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "it is a link, not a file"
    if member.compress_type not in _METHODS:
        return (
            f"it is packed by method {member.compress_type}; only stored and deflated "
            "members are read"
        )
    size, packed = member.file_size, member.compress_size
    if size > LARGEST:
        return f"it claims {size:,} bytes; at most {LARGEST:,} are unpacked"
    if size > _FREE and size > _TIMES * packed:
        return (
            f"it claims {size:,} bytes, packed into {packed:,}: no image is packed so small"
        )
    return ""


def _is_copy(member: zipfile.ZipInfo, other: zipfile.ZipInfo) -> bool:
    """Tell whether two members hold the same bytes, by their length and checksum."""
    locked = (member.flag_bits | other.flag_bits) & _ENCRYPTED
    alike = (member.file_size, member.CRC) == (other.file_size, other.CRC)
    return alike and not locked and not (why_refused(member) or why_refused(other))
