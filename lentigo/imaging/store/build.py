"""Decode the images of a lesion table once, into one memory-mapped array."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import ImagingConfig
from lentigo.errors import DatasetError
from lentigo.files import cannot_write
from lentigo.imaging.store import pool
from lentigo.imaging.store.decode_process import DecodedFile, PixelFile, decode_into
from lentigo.imaging.store.merge import Joined, join, serving_rows
from lentigo.imaging.store.opened import PixelStore, add_store_columns, open_store
from lentigo.imaging.store.place import STORE, check_squares, check_store_folder
from lentigo.imaging.store.unfinished import FORMAT, Build, list_files, put_in_place
from lentigo.machine import cores
from lentigo.output import alone
from lentigo.progress import log, track

__all__ = [
    "PixelStore",
    "Work",
    "add_store_columns",
    "build_store",
    "open_store",
    "update_store",
]


Decode = Callable[[Build, Sequence[tuple[int, str]]], Generator[DecodedFile]]
"""Function that writes the decoded pixels of files into the rows of a build, and yields the
result of each file."""


@dataclass(frozen=True)
class Work:
    """Work that a call did to complete a store: files decoded, images kept, time."""

    decoded: int = 0
    """Number of files that were decoded."""
    kept: int = 0
    """Number of images that were present already, in the store or an interrupted build."""
    seconds: float = 0.0
    """Seconds that decoding took."""


def build_store(table: pd.DataFrame, folder: Path, *, config: ImagingConfig) -> PixelStore:
    """Decode the images of a lesion table into `folder`, and open the result.

    Files that are in the store already and have not changed (same path, length and
    modification time) are not decoded again, whatever their image id, and an interrupted
    build is continued. The result has the rows of `table`, with its image ids. The store on
    disk never shrinks: images that `table` does not have stay, new ones are appended, and
    if a file was deleted after decoding, its stored pixels are used. A file that is missing
    or broken becomes a row with an `error`, never an exception.

    Raises:
        ConfigError: the store in `folder` has images of another size or fit, has other
            files under the same ids, or is the unfinished build of another table.
        DatasetError: `table` is empty.
        RunError: the disk is full, or the folder cannot be written or holds other things.
    """
    return update_store(table, folder, config=config)[0]


def update_store(
    table: pd.DataFrame,
    folder: Path,
    *,
    config: ImagingConfig,
    decode: Decode | None = None,
) -> tuple[PixelStore, Work]:
    """Build a store like `build_store`; return it and the work done.

    `decode` decodes the missing files; by default processes on this machine do.
    """
    folder = Path(folder)
    if len(table) == 0:
        raise DatasetError(
            "There is no image to put into a pixel store: the table is empty."
        )
    check_store_folder(folder)
    files = list_files(table)
    names = files["image_id"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder, wait=True, shared=True):
            put_in_place(folder)
            old = _open_if_whole(folder)
            if old is not None:
                check_squares(folder, size=config.size, fit=config.fit)
                _note_format(old)
                serving = serving_rows(old, files, config)
                if (serving >= 0).all():
                    return old.take(serving, names=names), Work(kept=len(files))
                joined = join(old, files, serving)
            else:
                joined = _all_new(files)
            work = _build(folder, joined, config, old, decode)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return open_store(folder).take(joined.rows, names=names), work


def _all_new(files: pd.DataFrame) -> Joined:
    rows = np.arange(len(files))
    return Joined(files, np.full(len(files), -1), rows)


def _build(
    folder: Path,
    joined: Joined,
    config: ImagingConfig,
    old: PixelStore | None,
    decode: Decode | None,
) -> Work:
    with Build(folder, joined.files, config) as build:
        if old is not None:
            _copy_known(build, old, joined.sources, config)
        kept, missing = build.known(joined.rows), build.missing()
        started = time.perf_counter()
        decode = decode or partial(_decoded, workers=config.workers)
        answers = decode(build, missing)
        with closing(answers):
            for answer in track(answers, total=len(missing), label="Decoding images"):
                build.record(answer)
        seconds = time.perf_counter() - started
        build.finish()
    return Work(decoded=len(missing), kept=kept, seconds=seconds)


def _decoded(
    build: Build, files: Sequence[tuple[int, str]], workers: int
) -> Generator[DecodedFile]:
    if not files:
        return
    if not sys.executable:  # inside another program there is nothing to start
        for row, path in files:
            yield decode_into(build.pixels, row, path, build.job)
        return
    chunks = -(-len(files) // pool.CHUNK)
    count = min(workers or cores(), chunks)
    with closing(pool.decode_files(files, build.job, workers=count)) as answers:
        yield from answers


def _copy_known(
    build: Build, old: PixelStore, sources: NDArray[np.intp], config: ImagingConfig
) -> None:
    """Copy the rows of an earlier store that `sources` names, also those with an error."""
    rows = [row for row, _ in build.missing() if sources[row] >= 0]
    columns = old.index[["sha256", "width", "height", "error"]].iloc[sources[rows]]
    whole = columns.astype({"width": object, "height": object})
    if old.settings.get("max_pixels") != config.max_pixels:
        # Too large for one limit is not so for another: without a hash it is tried again.
        whole.loc[whole["error"].notna(), "sha256"] = pd.NA
    known = zip(rows, whole.itertuples(index=False, name=None), strict=True)
    with closing(PixelFile(old.folder)) as pixels:
        for row, values in track(known, total=len(rows), label="Copying images"):
            found: list[Any] = [None if pd.isna(value) else value for value in values]
            build.copy(pixels, int(sources[row]), DecodedFile(row, *found))


def _open_if_whole(folder: Path) -> PixelStore | None:
    if not (folder / STORE).is_file():
        return None
    try:
        return open_store(folder)
    except DatasetError as error:
        log.warning(f"{error} It is built again.")
        return None


def _note_format(store: PixelStore) -> None:
    if store.settings["format"] != FORMAT:
        log.info(
            f"The pixel store {store.folder} is of an earlier version, which read some "
            "files less exactly; its images are decoded anew."
        )
