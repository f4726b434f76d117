"""An append-only log: each line holds the digest of the line before."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lentigo.errors import UnreadableFileError
from lentigo.files import read_bytes

START = "0" * 64
"""The value that the first line holds instead of a digest."""
_LONGEST = 100_000_000


def read_chain(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a log, the oldest first, each with the `digest` of its line.

    Raises `UnreadableFileError` when a line was changed, removed or inserted before another
    line. Lines removed from the end are found by `check_head`.
    """
    lines = read_bytes(path, most=_LONGEST).split(b"\n")
    entries: list[dict[str, Any]] = []
    previous = START
    for number, line in enumerate(filter(None, lines), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or entry.get("previous") != previous:
            raise UnreadableFileError(
                f"{path} was changed: line {number} does not follow the line before it. "
                "The log of a locked test set is added to and never edited; fetch it from "
                "a copy."
            )
        previous = hashlib.sha256(line).hexdigest()
        entries.append({**entry, "digest": previous})
    return entries


def append(path: Path, entry: Mapping[str, Any], *, previous: str) -> str:
    """Append one line to a log, write it to the disk, and return its digest.

    `previous` is the digest of the line before, or `START`.
    """
    line = json.dumps({**entry, "previous": previous}, ensure_ascii=False, sort_keys=True)
    data = line.encode("utf-8")
    with path.open("ab") as file:
        file.write(data + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def check_head(path: Path, entries: Sequence[Mapping[str, Any]], head: str) -> None:
    """Raise `UnreadableFileError` if no line of the log has the digest `head`.

    `head` is the recorded digest of the last line; without it, last lines were removed.
    """
    if head not in {START, *(entry["digest"] for entry in entries)}:
        raise UnreadableFileError(
            f"{path} lacks lines that were there: the last one that was noted is gone. "
            "Fetch the log from a copy."
        )
