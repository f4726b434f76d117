"""A pixel store while it is being built: what is done so far survives a kill.

The unfinished array lies in the folder `unfinished` of the store, beside a journal with
one JSON line a finished row. Only when every row is done are the files moved into place.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from lentigo.config import ImagingConfig
from lentigo.errors import RunError
from lentigo.files import read_json, write_json
from lentigo.imaging import packed
from lentigo.imaging.worker import Answer, Job, PixelFile
from lentigo.progress import log
from lentigo.tables import write_table

FORMAT = 1
"""Raised when the same file would give other pixels than before, or the layout changes."""

NO_FILE = "no file"
"""The `error` of a table row that has no path."""

PIXELS, INDEX, STORE = "images.npy", "index.parquet", "store.json"
_PLAN, _JOURNAL = "plan.json", "journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """A line of the journal: what became of a row, and the file as it was then."""

    bytes: int
    modified: int
    answer: Answer


def list_files(table: pd.DataFrame) -> pd.DataFrame:
    """`image_id`, `path`, `bytes` and `modified` (ns since 1970) of every table row.

    The last two are -1 where there is no such file. For a file in a zip or HDF5 they are
    the numbers of `packed.mark`.
    """
    files = table[["image_id", "path"]].astype("string").reset_index(drop=True)
    marks = [_mark(path) for path in files["path"].fillna("")]
    files["bytes"], files["modified"] = np.array(marks, np.int64).reshape(-1, 2).T
    return files


def _mark(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 (a Path for each of 400,000 files is slow)
    except (OSError, ValueError):
        return packed.mark(path)
    if not stat.S_ISREG(status.st_mode):
        return -1, -1
    return status.st_size, status.st_mtime_ns


class Build:
    """An unfinished store in `folder` for `files`, begun or taken up again."""

    def __init__(self, folder: Path, files: pd.DataFrame, config: ImagingConfig) -> None:
        self._folder, self._place = folder, folder / "unfinished"
        self._files, self._config = files, config
        self._marks = files[["bytes", "modified"]].to_numpy()
        self._done: dict[int, Answer] = {}
        plan = {"plan": self._plan()}
        resumed = _content(self._place / _PLAN) == plan
        if not resumed:
            self._begin(plan)
        self.pixels = PixelFile(self._place / PIXELS)
        """The array, row by row."""
        if resumed:
            self._resume()
        self._journal = (self._place / _JOURNAL).open("a", encoding="ascii")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._journal.close()
        self.pixels.close()

    @property
    def job(self) -> Job:
        """What the decoding processes need to know."""
        pixels = str((self._place / PIXELS).resolve())
        config = self._config
        return Job(pixels, config.size, config.fit, config.max_pixels)

    def missing(self) -> list[tuple[int, str]]:
        """Row and path of each file that is there but not in the array yet."""
        paths = self._files["path"].tolist()
        there = np.flatnonzero(self._marks[:, 0] >= 0).tolist()
        return [(row, paths[row]) for row in there if row not in self._done]

    def record(self, answer: Answer) -> None:
        """Note in the journal what became of a row."""
        if answer.error is not None:
            self.pixels.clear(answer.row)
        self._done[answer.row] = answer
        size, modified = self._marks[answer.row].tolist()
        line = json.dumps([size, modified, asdict(answer)])
        self._journal.write(line + "\n")
        self._journal.flush()

    def copy(self, old: PixelFile, old_row: int, answer: Answer) -> None:
        """Take over a row of an earlier store."""
        if answer.error is None:
            pixels = old.read(old_row)
            self.pixels.write(answer.row, pixels)
            answer = replace(answer, checksum=zlib.crc32(pixels))
        self.record(answer)

    def finish(self) -> None:
        """Write the index and the description, and move everything into place."""
        self.pixels.sync()
        index = self._index()
        write_table(index, self._place / INDEX)
        description = {
            "format": FORMAT,
            "size": self._config.size,
            "fit": self._config.fit,
            "max_pixels": self._config.max_pixels,
            "images": len(index),
            "failed": int(index["error"].notna().sum()),
            "digest": _digest(index, self._config),
        }
        write_json(self._place / STORE, description)
        put_in_place(self._folder)

    def _index(self) -> pd.DataFrame:
        nothing = Answer(-1)
        answers = [self._done.get(row, nothing) for row in range(len(self._files))]
        index = self._files[["image_id", "path"]].copy()
        index["sha256"] = pd.array([each.sha256 for each in answers], dtype="string")
        index["width"] = pd.array([each.width for each in answers], dtype="Int64")
        index["height"] = pd.array([each.height for each in answers], dtype="Int64")
        index["error"] = pd.array([each.error for each in answers], dtype="string")
        gone = self._files["bytes"] < 0
        index.loc[gone, "error"] = index["path"] + " is not there, or is no file."
        index.loc[index["path"].isna(), "error"] = NO_FILE
        return index.assign(bytes=self._files["bytes"], modified=self._files["modified"])

    def _plan(self) -> str:
        """What has to be the same for a broken-off build to go on."""
        config = self._config
        plan = hashlib.sha256()
        plan.update(repr((FORMAT, config.size, config.fit, config.max_pixels)).encode())
        for row in self._files[["image_id", "path"]].fillna("").itertuples(index=False):
            plan.update(json.dumps(list(row)).encode())
        return plan.hexdigest()

    def _begin(self, plan: dict[str, str]) -> None:
        if self._place.exists():
            shutil.rmtree(self._place)
        self._place.mkdir(parents=True)
        self._check_room()
        shape = len(self._files), self._config.size, self._config.size, 3
        # A hole in the file: rows without an image take no room on most disks.
        np.lib.format.open_memmap(self._place / PIXELS, "w+", np.uint8, shape)
        write_json(self._place / _PLAN, plan)

    def _check_room(self) -> None:
        needed = int((self._marks[:, 0] >= 0).sum()) * self._config.size**2 * 3
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise RunError(
                f"The pixel store in {self._folder} needs {needed / 1e6:,.0f} MB, but "
                f"only {free / 1e6:,.0f} MB are free. Free some space, choose another "
                "folder (imaging.store) or a smaller imaging.size."
            )

    def _resume(self) -> None:
        """Believe the journal where the file is unchanged and the pixels are whole."""
        entries, whole = _read_journal(self._place / _JOURNAL)
        for row, entry in entries.items():
            answer, mark = entry.answer, (entry.bytes, entry.modified)
            same = mark == tuple(self._marks[row].tolist())
            if answer.error is None:
                same = same and zlib.crc32(self.pixels.read(row)) == answer.checksum
            if same and can_be_kept(answer):
                self._done[row] = answer
            elif answer.error is None:
                self.pixels.clear(row)
        if not whole:  # end the torn line, so that the next one is a line of its own
            with (self._place / _JOURNAL).open("a", encoding="ascii") as journal:
                journal.write("\n")
        log.info(f"Going on with {self._place}: {len(self._done):,} images are there.")


def can_be_kept(answer: Answer) -> bool:
    """Whether decoding the same file again must end the same way.

    A file that could not be read, or whose decoder was killed, has no hash: it is worth
    another try.
    """
    return answer.error is None or answer.sha256 is not None


def put_in_place(folder: Path) -> None:
    """Move a finished build to where a store is looked for, the description last.

    A kill in between leaves the description in `unfinished`: then this is done again.
    """
    place = folder / "unfinished"
    if not (place / STORE).exists():
        return
    (folder / STORE).unlink(missing_ok=True)
    for name in (PIXELS, INDEX, STORE):
        if (place / name).exists():
            (place / name).replace(folder / name)
    shutil.rmtree(place)


def _digest(index: pd.DataFrame, config: ImagingConfig) -> str:
    """A fingerprint of the pixels: settings, and id and content of every image.

    Neither paths nor dates are in it, so the same images give the same one anywhere.
    """
    digest = hashlib.sha256(repr((FORMAT, config.size, config.fit)).encode())
    content = index["sha256"].where(index["error"].isna(), "").fillna("")
    for pair in zip(index["image_id"], content, strict=True):
        digest.update(json.dumps(pair).encode())
    return digest.hexdigest()


def _content(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None


def _read_journal(path: Path) -> tuple[dict[int, Entry], bool]:
    """The last entry of each row, and whether the last line is whole."""
    entries: dict[int, Entry] = {}
    text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        try:
            size, modified, answer = json.loads(line)
            entry = Entry(size, modified, Answer(**answer))
        except (ValueError, TypeError):
            continue  # cut off by the kill
        entries[entry.answer.row] = entry
    return entries, not text or text.endswith("\n")
