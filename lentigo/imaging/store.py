"""The images of a lesion table, decoded once, in one memory-mapped array."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, DatasetError, DatasetNotFoundError, some
from lentigo.files import cannot_write, read_json
from lentigo.imaging import pool
from lentigo.imaging.build import (
    FORMAT,
    INDEX,
    NO_FILE,
    PIXELS,
    STORE,
    Build,
    list_files,
    put_in_place,
)
from lentigo.imaging.worker import Answer, PixelFile, decode_into
from lentigo.progress import log, track

_FEW = 50
"""Fewer files than this are decoded before other processes would have started."""


@dataclass(frozen=True)
class PixelStore:
    """Decoded images that load at the speed of memory.

    A store holds the images of one table, in the order of its rows; it is read-only.
    """

    folder: Path
    images: np.memmap[Any, np.dtype[np.uint8]] = field(repr=False)
    """(N, size, size, 3) RGB; a row without an image is black."""
    index: pd.DataFrame = field(repr=False)
    """N rows: image_id, path, sha256, width, height (upright, of the file), error (missing
    where all is well), bytes and modified (of the file when it was decoded)."""
    settings: Mapping[str, Any]
    """Content of `store.json`: size, fit, max_pixels, digest and counts."""

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self) -> tuple[Callable[[Path], PixelStore], tuple[Path]]:
        # Pickled by its folder: a memory map would be copied whole into every process.
        return open_store, (self.folder,)

    def positions(self, image_ids: Iterable[object]) -> NDArray[np.intp]:
        """The row in `images` of each image id.

        Raises `DatasetError` for ids that the store does not hold.
        """
        ids = pd.Index([str(image_id) for image_id in image_ids], dtype="object")
        known = pd.Index(self.index["image_id"].astype("object"))
        rows: NDArray[np.intp] = known.get_indexer(ids)
        if (rows < 0).any():
            unknown = some(ids[rows < 0].tolist())
            raise DatasetError(
                f"The pixel store {self.folder} has no image {unknown}. "
                "Build it from the table that names them."
            )
        return rows

    @property
    def digest(self) -> str:
        """Fingerprint of the pixels: settings, and id and content of every image.

        The same images give the same one on any machine.
        """
        return str(self.settings["digest"])

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of `index` that have no pixels; `error` says why."""
        return self.index[self.index["error"].notna()]


def build_store(table: pd.DataFrame, folder: Path, *, config: ImagingConfig) -> PixelStore:
    """Decode the images of a lesion table into `folder`, and open the result.

    Files that are in the store already and have not changed (same path, length and time
    of modification) are not decoded again, and a build that was killed goes on where it
    was. A file that is missing or broken becomes a row with an `error`, never an exception.

    Raises:
        ConfigError: the store in `folder` has images of another size or fit.
        RunError: the disk is full, or the folder cannot be written.
    """
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
            if old is None or not _is_current(old, files, config):
                _build(folder, files, config, old)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return open_store(folder)


def open_store(folder: Path) -> PixelStore:
    """Open a pixel store that `build_store` finished.

    Raises `DatasetNotFoundError` where there is none and `DatasetError` where its files
    do not fit together.
    """
    folder = Path(folder)
    if not (folder / STORE).is_file():
        raise DatasetNotFoundError(
            f"There is no finished pixel store in {folder}. Build it first; a build that "
            "was broken off goes on where it was."
        )
    try:
        settings = read_json(folder / STORE)
        index = pd.read_parquet(folder / INDEX)
        images = np.load(folder / PIXELS, mmap_mode="r")
        size, version = settings["size"], settings["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error
    if version != FORMAT or images.shape != (len(index), size, size, 3):
        raise _damaged(folder)
    return PixelStore(folder=folder, images=images, index=index, settings=settings)


def add_store_columns(table: pd.DataFrame, store: PixelStore) -> pd.DataFrame:
    """`table` with `sha256`, `width` and `height` of its images filled in from the store.

    Values that the store does not know stay. Files that could not be decoded are counted
    and named in a note (`attrs["notes"]`).
    """
    rows = store.index.iloc[store.positions(table["image_id"])].set_index(table.index)
    filled = table.copy()
    for name in ("sha256", "width", "height"):
        filled[name] = rows[name].fillna(table[name])
    broken = rows.loc[rows["error"].notna() & (rows["error"] != NO_FILE), "error"]
    if len(broken):
        files = "file" if len(broken) == 1 else "files"
        reasons = some([reason.rstrip(".") for reason in broken])
        note = f"{len(broken):,} image {files} cannot be used: {reasons}."
        filled.attrs["notes"] = [*table.attrs.get("notes", []), note]
    return filled


def _build(
    folder: Path, files: pd.DataFrame, config: ImagingConfig, old: PixelStore | None
) -> None:
    with Build(folder, files, config) as build:
        if old is not None:
            _copy_known(build, old, files, config)
        missing = build.missing()
        answers = _decoded(build, missing, config.workers)
        with closing(answers):
            for answer in track(answers, total=len(missing), label="Decoding images"):
                build.record(answer)
        build.finish()


def _decoded(build: Build, files: list[tuple[int, str]], workers: int) -> Generator[Answer]:
    if not files:
        return
    if (workers == 0 and len(files) < _FEW) or not sys.executable:
        for row, path in files:
            yield decode_into(build.pixels, row, path, build.job)
        return
    chunks = -(-len(files) // pool.CHUNK)
    count = min(workers or _cores(), chunks)
    with closing(pool.decode_files(files, build.job, workers=count)) as answers:
        yield from answers


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _copy_known(
    build: Build, old: PixelStore, files: pd.DataFrame, config: ImagingConfig
) -> None:
    """Take over what an earlier store has of the same unchanged files."""
    kept = old.index[_still_good(old, config) & (old.index["bytes"] >= 0)]
    place = dict(zip(_marks(kept), kept.index, strict=True))
    columns = ["sha256", "width", "height", "error"]
    known = old.index[columns].astype(object).where(old.index[columns].notna(), None)
    values = known.to_numpy()
    left = {row for row, _ in build.missing()}
    marks = _marks(files)
    rows = [row for row in sorted(left) if marks[row] in place]
    with closing(PixelFile(old.folder / PIXELS)) as pixels:
        for row in track(rows, total=len(rows), label="Copying images"):
            old_row = place[marks[row]]
            build.copy(pixels, old_row, Answer(row, *values[old_row]))


def _marks(files: pd.DataFrame) -> list[tuple[object, ...]]:
    """What tells whether a file is the one that it was."""
    return list(files[["path", "bytes", "modified"]].itertuples(index=False, name=None))


def _is_current(store: PixelStore, files: pd.DataFrame, config: ImagingConfig) -> bool:
    """Whether the store holds just these files, unchanged, as the settings ask."""
    columns = ["image_id", "path", "bytes", "modified"]
    mine, theirs = store.index[columns], files[columns]
    if len(mine) != len(theirs) or not _still_good(store, config).all():
        return False
    return bool((mine.fillna("").to_numpy() == theirs.fillna("").to_numpy()).all())


def _still_good(store: PixelStore, config: ImagingConfig) -> pd.Series[bool]:
    """Rows that decoding the same file would give again."""
    index = store.index
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


def _check_settings(store: PixelStore, config: ImagingConfig) -> None:
    size, fit = store.settings["size"], store.settings["fit"]
    if (size, fit) != (config.size, config.fit):
        raise ConfigError(
            f"The pixel store {store.folder} holds images of {size} px ({fit}), but "
            f"{config.size} px ({config.fit}) are asked for. Give another folder "
            "(imaging.store), or delete this one."
        )


def _damaged(folder: Path) -> DatasetError:
    return DatasetError(
        f"The pixel store in {folder} is damaged or from another version: its files do not "
        "fit together. Delete the folder and build it again."
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process builds in `folder`; the lock ends with the process."""
    with (folder / ".lock").open("w") as file:
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
