"""The images of a lesion table, decoded once, in one memory-mapped array."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, DatasetError
from lentigo.files import cannot_write
from lentigo.imaging import pool
from lentigo.imaging.build import FORMAT, STORE, Build, list_files, put_in_place
from lentigo.imaging.pixel_store import PixelStore, add_store_columns, open_store
from lentigo.imaging.worker import Answer, PixelFile, decode_into
from lentigo.machine import cores
from lentigo.progress import log, track

__all__ = [
    "PixelStore",
    "Work",
    "add_store_columns",
    "build_store",
    "open_store",
    "update_store",
]


@dataclass(frozen=True)
class Work:
    """What a call had to do to make a store as it should be."""

    decoded: int = 0
    """Files that were decoded."""
    kept: int = 0
    """Images that were there already: in the store, or in a build that was broken off."""
    seconds: float = 0.0
    """Time that decoding took."""


def build_store(table: pd.DataFrame, folder: Path, *, config: ImagingConfig) -> PixelStore:
    """Decode the images of a lesion table into `folder`, and open the result.

    Files that are in the store already and have not changed (same path, length and time
    of modification) are not decoded again, and a build that was killed goes on where it
    was. A store that holds more images than `table` is left as it is: what is returned are
    the rows of the table. A file that is missing or broken becomes a row with an `error`,
    never an exception.

    Raises:
        ConfigError: the store in `folder` has images of another size or fit.
        RunError: the disk is full, or the folder cannot be written.
    """
    return update_store(table, folder, config=config)[0]


def update_store(
    table: pd.DataFrame, folder: Path, *, config: ImagingConfig
) -> tuple[PixelStore, Work]:
    """As `build_store`, and what there was to do."""
    folder = Path(folder)
    if len(table) == 0:
        raise DatasetError(
            "There is no image to put into a pixel store: the table is empty."
        )
    files = list_files(table)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            put_in_place(folder)
            old = _open_if_whole(folder)
            if old is not None:
                _check_settings(old, config)
                _note_format(old)
                rows = _current_rows(old, files, config)
                if rows is not None:
                    return old.take(rows), Work(kept=len(files))
            work = _build(folder, files, config, old)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return open_store(folder), work


def _build(
    folder: Path, files: pd.DataFrame, config: ImagingConfig, old: PixelStore | None
) -> Work:
    with Build(folder, files, config) as build:
        if old is not None:
            _copy_known(build, old, files, config)
        kept, missing = build.known, build.missing()
        started = time.perf_counter()
        answers = _decoded(build, missing, config.workers)
        with closing(answers):
            for answer in track(answers, total=len(missing), label="Decoding images"):
                build.record(answer)
        seconds = time.perf_counter() - started
        build.finish()
    return Work(decoded=len(missing), kept=kept, seconds=seconds)


def _decoded(
    build: Build, files: Sequence[tuple[int, str]], workers: int
) -> Generator[Answer]:
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
    build: Build, old: PixelStore, files: pd.DataFrame, config: ImagingConfig
) -> None:
    """Take over what an earlier store has of the same unchanged files."""
    usable = _still_good(old, config) & (old.index["bytes"] >= 0)
    places = _same_files(old.index[usable], files)
    rows = [row for row, _ in build.missing() if places[row] >= 0]
    columns = old.index[["sha256", "width", "height", "error"]].iloc[places[rows]]
    whole = columns.astype({"width": object, "height": object})
    known = zip(rows, whole.itertuples(index=False, name=None), strict=True)
    with closing(PixelFile(old.folder)) as pixels:
        for row, values in track(known, total=len(rows), label="Copying images"):
            found: list[Any] = [None if pd.isna(value) else value for value in values]
            build.copy(pixels, int(places[row]), Answer(row, *found))


def _same_files(index: pd.DataFrame, files: pd.DataFrame) -> NDArray[np.int64]:
    """For each of `files`, the label of the row of `index` with the same file, or -1."""
    # By hash, and then compared: keys of Python objects would take 300 bytes an image.
    known = pd.Series(index.index, index=_hashed(index))
    known = known[~known.index.duplicated()]
    found = known.reindex(_hashed(files)).fillna(-1).to_numpy(np.int64)
    there = np.flatnonzero(found >= 0)
    theirs, mine = index.loc[found[there], _MARKS], files.iloc[there][_MARKS]
    differs = (theirs.to_numpy() != mine.to_numpy()).any(axis=1)
    found[there[differs]] = -1
    return found


_MARKS = ["path", "bytes", "modified"]
"""What tells whether a file is the one that it was."""


def _hashed(files: pd.DataFrame) -> NDArray[np.uint64]:
    hashes = pd.util.hash_pandas_object(files[_MARKS], index=False)
    return np.asarray(hashes, np.uint64)


def _current_rows(
    store: PixelStore, files: pd.DataFrame, config: ImagingConfig
) -> NDArray[np.intp] | None:
    """The rows of just these files, unchanged and as the settings ask; None if not all."""
    known = pd.Index(store.index["image_id"])
    if not known.is_unique:
        return None
    rows = known.get_indexer(pd.Index(files["image_id"]))
    if (rows < 0).any() or not _still_good(store, config).iloc[rows].all():
        return None
    mine, theirs = store.index[_MARKS].iloc[rows].fillna(""), files[_MARKS].fillna("")
    return rows if (mine.to_numpy() == theirs.to_numpy()).all() else None


def _still_good(store: PixelStore, config: ImagingConfig) -> pd.Series[bool]:
    """Rows that decoding the same file would give again."""
    index = store.index
    if store.settings["format"] != FORMAT:
        return pd.Series(data=False, index=index.index)
    whole = index["error"].isna()
    small = (index["width"] * index["height"] <= config.max_pixels).fillna(value=False)
    same_limit = store.settings.get("max_pixels") == config.max_pixels
    known_bad = ~whole & index["sha256"].notna() & same_limit
    good: pd.Series[bool] = (whole & small) | known_bad | (index["bytes"] < 0)
    return good


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
            f"The pixel store {store.folder} is of an earlier version, which shrank large "
            "JPEGs less exactly; its images are decoded anew."
        )


def _check_settings(store: PixelStore, config: ImagingConfig) -> None:
    size, fit = store.settings["size"], store.settings["fit"]
    if (size, fit) != (config.size, config.fit):
        raise ConfigError(
            f"The pixel store {store.folder} holds images of {size} px ({fit}), but "
            f"{config.size} px ({config.fit}) are asked for. Give another folder "
            f"(imaging.store), or ask for what is there (imaging.size={size}, "
            f"imaging.fit={fit})."
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process builds in `folder`; the lock ends with the process."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context((folder / ".lock").open("w"))
        except PermissionError:  # somebody else's store: it may be used as it is
            file = None
        if file is not None:
            _lock(file, folder)
        yield


def _lock(file: IO[str], folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two builds at once are up to the user
        return
    with suppress(OSError):  # some network disks know no locks
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info(f"Another process is building {folder}; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
