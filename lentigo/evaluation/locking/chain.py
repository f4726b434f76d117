"""A log that is only added to, each line of which holds the digest of the line before."""

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
"""What the first line holds in place of a digest."""
_LONGEST = 100_000_000


def read_chain(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a log in their order, each with its own `digest`.

    Raises `UnreadableFileError` where a line was changed, taken out or put in.
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
    """Add one line to a log, and return its digest; it is on the disk before that."""
    line = json.dumps({**entry, "previous": previous}, ensure_ascii=False, sort_keys=True)
    data = line.encode("utf-8")
    with path.open("ab") as file:
        file.write(data + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def check_head(path: Path, entries: Sequence[Mapping[str, Any]], head: str) -> None:
    """Refuse a log whose last lines were taken away: `head` is a digest of one of them."""
    if head not in {START, *(entry["digest"] for entry in entries)}:
        raise UnreadableFileError(
            f"{path} lacks lines that were there: the last one that was noted is gone. "
            "Fetch the log from a copy."
        )
