"""Journal (on disk) and ledger (in memory) of the finished rows of an unfinished store.

The journal has one JSON line per finished row, so a killed process loses at most the line
that it was writing. The ledger holds the same in arrays, about 50 bytes per image.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.imaging.store.decode_process import DecodedFile


@dataclass(frozen=True)
class Entry:
    """A line of the journal: the result of a row, and the mark of the file decoded into it.

    The mark, `bytes` and `modified`, shows later whether the file has changed.
    """

    bytes: int
    """Size of the file in bytes."""
    modified: int
    """Time of the file's last change, in nanoseconds."""
    answer: DecodedFile

    def as_line(self) -> str:
        """Return the entry as a line of JSON, with its line break."""
        return json.dumps([self.bytes, self.modified, asdict(self.answer)]) + "\n"


def read_journal(path: Path, *, count: int) -> Iterator[Entry]:
    """Yield the last entry of each of `count` rows; an incomplete line is skipped."""
    last = np.full(count, -1)
    for number, entry in _entries(path, count):
        last[entry.answer.row] = number
    for number, entry in _entries(path, count):
        if last[entry.answer.row] == number:
            yield entry


def end_last_line(path: Path) -> None:
    """End an incomplete last line, so that the next entry is on its own line."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("r+b") as journal:
        journal.seek(-1, os.SEEK_END)
        if journal.read(1) != b"\n":
            journal.write(b"\n")


def _entries(path: Path, count: int) -> Iterator[tuple[int, Entry]]:
    if not path.exists():
        return
    with path.open("rb") as journal:  # line by line: it may be long
        for number, line in enumerate(journal):
            try:
                size, modified, answer = json.loads(line)
                entry = Entry(size, modified, DecodedFile(**answer))
                inside = 0 <= entry.answer.row < count
            except (ValueError, TypeError):
                continue  # cut off by the kill
            if inside:
                yield number, entry


def can_be_kept(answer: DecodedFile) -> bool:
    """Tell whether decoding the same file again would certainly give the same result.

    A result without a hash (the file could not be read, or its decoder was killed) is not
    kept: the file is worth another try.
    """
    return answer.error is None or answer.sha256 is not None


class Ledger:
    """The results of `count` rows, as far as they are known."""

    def __init__(self, count: int) -> None:
        self._known = np.zeros(count, bool)
        self._hashed = np.zeros(count, bool)
        self._sha256 = np.zeros((count, 32), np.uint8)
        self._size = np.full((count, 2), -1, np.int64)
        self._errors: dict[int, str] = {}

    def __len__(self) -> int:
        return int(self._known.sum())

    @property
    def known(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each of N rows has a result, (N,)."""
        return self._known

    def put(self, answer: DecodedFile) -> None:
        """Record a result; it replaces an earlier one of the same row."""
        row = answer.row
        self._known[row], self._hashed[row] = True, answer.sha256 is not None
        self._sha256[row] = np.frombuffer(
            bytes.fromhex(answer.sha256 or "00" * 32), np.uint8
        )
        self._size[row] = [answer.width or -1, answer.height or -1]
        self._errors.pop(row, None)
        if answer.error is not None:
            self._errors[row] = answer.error

    def columns(self) -> pd.DataFrame:
        """Return sha256, width, height and error of every row; missing if not known."""
        width, height = (_whole_numbers(side) for side in self._size.T)
        return pd.DataFrame(
            {
                "sha256": pd.Series(self._hashes(), dtype="string"),
                "width": width,
                "height": height,
                "error": pd.Series(
                    map(self._errors.get, range(len(self._known))), dtype="string"
                ),
            }
        )

    def _hashes(self) -> Iterator[str | None]:
        for hashed, digest in zip(self._hashed, self._sha256, strict=True):
            yield digest.tobytes().hex() if hashed else None


def _whole_numbers(side: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pd.Series[int]:
    return pd.Series(side, dtype="Int64").mask(side < 0)
