"""A pixel store while it is being built: finished rows survive a killed process.

The unfinished array is in the folder `unfinished` of the store, beside its journal. Only
when every row is done are the files moved to their final place. Memory use during a build
grows by about 100 bytes per image, and not with the pixels.

The store is not based on a cache with keys by content. 1,500 squares of 256 px were read in
shuffled order in 23 µs each from the memory map; in 308 from one joblib file each, in 183
from SQLite, which diskcache uses. For a key by content each file must be read and hashed
before a look-up, 2.0 ms for 3 MB; path, length and modification time take 5 µs. One core,
CPU time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

import numpy as np
import pandas as pd

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, RunError
from lentigo.imaging.decoding import packed
from lentigo.imaging.store.decode_process import DecodedFile, Job, PixelFile
from lentigo.imaging.store.journal import (
    Entry,
    Ledger,
    can_be_kept,
    end_last_line,
    read_journal,
)
from lentigo.imaging.store.place import STORE, UNFINISHED
from lentigo.imaging.store.shards import (
    PIXELS,
    all_pixel_files,
    create_files,
    pixel_files,
    rows_in_file,
)
from lentigo.json_files import read_json, write_json
from lentigo.progress import log
from lentigo.tables import write_table
from lentigo.words import counted

FORMAT = 3
"""Version of the store; it rises when a file would give other pixels than before, or when
the layout changes.

Version 1 reduced a large JPEG after decoding it at 1.5 times the side, displaced by up to
half a pixel of that. Version 2 trusted the name of a colour profile, left colours of 10 to
14 bits in 16 nearly black and mixed up planes of 16 bits. Such stores can still be opened,
but `build_store` makes them anew."""

NO_FILE = "no file"
"""The `error` of a table row that has no path."""

INDEX = "index.parquet"
_PLAN, _JOURNAL = "plan.json", "journal.jsonl"


def list_files(table: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id`, `path`, `bytes` and `modified` (ns since 1970) of every table row.

    `bytes` and `modified` are -1 if there is no such file. For a file in a zip or HDF5 they
    are the two numbers of `packed.mark`.
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


class Missing(Sequence[tuple[int, str]]):
    """Row and path of the files still to be decoded; a path is looked up on access."""

    __slots__ = ("_paths", "_rows")

    def __init__(self, rows: np.ndarray[Any, Any], paths: pd.Series[str]) -> None:
        self._rows, self._paths = rows, paths

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> tuple[int, str]: ...
    @overload
    def __getitem__(self, place: slice) -> Missing: ...
    def __getitem__(self, place: int | slice) -> tuple[int, str] | Missing:
        if isinstance(place, slice):
            return Missing(self._rows[place], self._paths)
        row = int(self._rows[place])
        return row, str(self._paths.array[row])


class Build:
    """An unfinished store in `folder` for `files`, new or continued.

    It is continued if files and settings are the same as before. Raises `ConfigError` if
    the folder holds the unfinished build of other files or settings, and `RunError` if the
    disk has too little free space.
    """

    def __init__(self, folder: Path, files: pd.DataFrame, config: ImagingConfig) -> None:
        self._folder, self._place = folder, folder / UNFINISHED
        self._files, self._config = files, config
        self._shape = config.size, config.size, 3
        self._marks = files[["bytes", "modified"]].to_numpy()
        self._ledger = Ledger(len(files))
        plan = {"plan": self._plan()}
        resumed = _content(self._place / _PLAN) == plan
        if not resumed:
            self._begin(plan)
        self.pixels = PixelFile(self._place)
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
        """Settings that the decoding processes need."""
        config = self._config
        return Job(str(self._place.resolve()), config.size, config.fit, config.max_pixels)

    def known(self, rows: np.ndarray[Any, Any]) -> int:
        """Return the number of different `rows` that are finished."""
        return int(self._ledger.known[np.unique(rows)].sum())

    def missing(self) -> Missing:
        """Return row and path of each file that exists but is not in the array yet."""
        there = (self._marks[:, 0] >= 0) & ~self._ledger.known
        return Missing(np.flatnonzero(there), self._files["path"])

    def record(self, answer: DecodedFile) -> None:
        """Write the result of a row to the journal; a row with an error becomes black."""
        if answer.error is not None:
            self.pixels.clear(answer.row)
        self._ledger.put(answer)
        size, modified = self._marks[answer.row].tolist()
        self._journal.write(Entry(size, modified, answer).as_line())
        self._journal.flush()

    def copy(self, old: PixelFile, old_row: int, answer: DecodedFile) -> None:
        """Copy the row `old_row` of an earlier store into the row of `answer`."""
        if answer.error is None:
            pixels = old.read(old_row)
            self.pixels.write(answer.row, pixels)
            answer = replace(answer, checksum=zlib.crc32(pixels))
        self.record(answer)

    def finish(self) -> None:
        """Write the index and the description, and move everything to its final place."""
        self.pixels.sync()
        index = self._index()
        write_table(index, self._place / INDEX)
        description: dict[str, Any] = {
            "format": FORMAT,
            "size": self._config.size,
            "fit": self._config.fit,
            "max_pixels": self._config.max_pixels,
            "images": len(index),
            "failed": int(index["error"].notna().sum()),
            "files": [path.name for path in pixel_files(self._place)],
        }
        description["digest"] = pixels_digest(index, description)
        write_json(self._place / STORE, description)
        put_in_place(self._folder)

    def _index(self) -> pd.DataFrame:
        index = pd.concat(
            [self._files[["image_id", "path"]], self._ledger.columns()], axis=1
        )
        gone = self._files["bytes"] < 0
        index.loc[gone, "error"] = index["path"] + " is not there, or is no file."
        index.loc[index["path"].isna(), "error"] = NO_FILE
        return index.assign(bytes=self._files["bytes"], modified=self._files["modified"])

    def _plan(self) -> str:
        """Return a digest of files and settings; with the same one a build is continued."""
        config, each = (
            self._config,
            rows_in_file(self._shape, shard_mb=self._config.shard_mb),
        )
        layout = config.size, config.fit, config.max_pixels, min(each, len(self._files))
        plan = hashlib.sha256(repr((FORMAT, *layout)).encode())
        for row in self._files[["image_id", "path"]].fillna("").itertuples(index=False):
            plan.update(json.dumps(list(row)).encode())
        return plan.hexdigest()

    def _begin(self, plan: dict[str, str]) -> None:
        if self._place.exists():
            self._check_nothing_is_lost()
            shutil.rmtree(self._place)
        self._check_room()
        self._place.mkdir(parents=True)
        limit = self._config.shard_mb
        create_files(self._place, len(self._files), self._shape, shard_mb=limit)
        write_json(self._place / _PLAN, plan)

    def _check_nothing_is_lost(self) -> None:
        journal = self._place / _JOURNAL
        if journal.exists() and journal.stat().st_size > 0:
            raise ConfigError(
                f"{self._place} is the unfinished build of another table, or of other "
                "settings. Finish it by the same command as before, give another folder "
                "(imaging.store), or delete it."
            )

    def _check_room(self) -> None:
        needed = int((self._marks[:, 0] >= 0).sum()) * self._config.size**2 * 3
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise RunError(
                f"The pixel store in {self._folder} needs {needed / 1e6:,.2f} MB, but "
                f"only {free / 1e6:,.2f} MB are free. Free some space, choose another "
                "folder (imaging.store) or a smaller imaging.size."
            )

    def _resume(self) -> None:
        """Keep journal rows whose file is unchanged and whose pixels are complete."""
        journal = self._place / _JOURNAL
        end_last_line(journal)
        for entry in read_journal(journal, count=len(self._files)):
            answer, mark = entry.answer, (entry.bytes, entry.modified)
            same = mark == tuple(self._marks[answer.row].tolist())
            if answer.error is None:
                same = same and zlib.crc32(self.pixels.read(answer.row)) == answer.checksum
            if same and can_be_kept(answer):
                self._ledger.put(answer)
            elif answer.error is None:
                self.pixels.clear(answer.row)
        log.info(
            f"Going on with {self._place}: {counted(len(self._ledger), 'image')} in it."
        )


def put_in_place(folder: Path) -> None:
    """Move a finished build from `unfinished` to `folder`, the description last.

    If the process is killed meanwhile, the description is still in `unfinished`, and the
    next call continues. Nothing happens if no build is finished.
    """
    place = folder / UNFINISHED
    if not (place / STORE).exists():
        return
    names = read_json(place / STORE).get("files", [PIXELS])
    (folder / STORE).unlink(missing_ok=True)
    for path in all_pixel_files(folder):
        if path.name not in names:  # of a store with another number of files
            path.unlink()
    for name in (*names, INDEX, STORE):
        if (place / name).exists():
            (place / name).replace(folder / name)
    shutil.rmtree(place)


def pixels_digest(index: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    """Return a fingerprint of the pixels: settings, and id and content of every image.

    It contains neither paths nor dates, so the same images give the same fingerprint
    anywhere.
    """
    made = tuple(settings[name] for name in ("format", "size", "fit"))
    digest = hashlib.sha256(repr(made).encode())
    content = index["sha256"].where(index["error"].isna(), "").fillna("")
    for pair in zip(index["image_id"], content, strict=True):
        digest.update(json.dumps(pair).encode())
    return digest.hexdigest()


def _content(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None
