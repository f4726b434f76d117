"""A finished pixel store: open it, select its rows, and use it to fill a lesion table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import DatasetError, DatasetNotFoundError
from lentigo.imaging.store.place import STORE
from lentigo.imaging.store.shards import ImageRows, StoredImages, open_images
from lentigo.imaging.store.unfinished import FORMAT, INDEX, NO_FILE, pixels_digest
from lentigo.json_files import read_json
from lentigo.tables import NotedTable
from lentigo.words import counted, some

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class PixelStore:
    """Decoded images of a table that load at the speed of memory; read-only.

    The images are in the order of the table's rows. The folder may also hold images of
    other tables.
    """

    folder: Path
    images: StoredImages = field(repr=False)
    """(N, size, size, 3) RGB: N squares; a row without an image is black."""
    index: pd.DataFrame = field(repr=False)
    """N rows: image_id, path, sha256, width, height (of the upright image in the file),
    error (missing if the image was decoded), bytes and modified (of the file when it was
    decoded)."""
    settings: Mapping[str, Any]
    """Content of `store.json`: size, fit, max_pixels, digest, counts and files."""
    rows: Rows | None = field(default=None, repr=False)
    """Row number in the folder of each image of this store; None for all rows in order."""
    names: tuple[str, ...] | None = field(default=None, repr=False)
    """Image ids of this store; None if they are the ids stored in the folder."""

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self) -> tuple[Callable[..., PixelStore], tuple[Any, ...]]:
        # Pickled by its folder: a memory map would be copied whole into every process.
        return _reopen, (self.folder, self.rows, self.names, self.digest)

    def positions(
        self, image_ids: Iterable[object], *, paths: pd.Series[str] | None = None
    ) -> Rows:
        """Return the row in `images` of each image id.

        With `paths`, one for each id, an image is searched by its file first: another table
        may have added it to the store under another id.

        Raises `DatasetError` for ids that the store does not hold.
        """
        ids = pd.Index([str(image_id) for image_id in image_ids], dtype="object")
        known = pd.Index(self.index["image_id"].astype("object"))
        rows: Rows = known.get_indexer(ids)
        if paths is not None:
            theirs = self.index["path"].fillna("").to_numpy()[rows]
            other = np.flatnonzero((rows < 0) | (theirs != paths.fillna("").to_numpy()))
            if len(other):
                by_file = self._rows_of_files(paths.iloc[other])
                rows[other] = np.where(by_file >= 0, by_file, rows[other])
        if (rows < 0).any():
            unknown = some(ids[rows < 0].tolist())
            raise DatasetError(
                f"The pixel store {self.folder} has no image {unknown}. "
                "Build it from the table that names them."
            )
        return rows

    def _rows_of_files(self, paths: pd.Series[str]) -> Rows:
        """Return the row of each path, or -1.

        A missing path gets a row without a path, if there is one: neither has an image.
        """
        rows = rows_of_paths(self.index["path"], paths)
        without = np.flatnonzero(self.index["path"].isna())
        if len(without):
            rows[paths.isna().to_numpy()] = without[0]
        return rows

    def of(self, table: pd.DataFrame) -> PixelStore:
        """Return the store limited to the images of `table`, in its order and with its ids.

        Raises `DatasetError` for images that the store does not hold.
        """
        rows = self.positions(table["image_id"], paths=table["path"])
        return self.take(rows, names=table["image_id"])

    def take(self, rows: Rows, *, names: pd.Series[str] | None = None) -> PixelStore:
        """Return the store limited to `rows`, in that order; no pixel is read.

        With `names`, one for each of `rows`, the images get these ids.
        """
        index = self.index.iloc[rows].reset_index(drop=True)
        given = self.names
        if names is not None and (index["image_id"].to_numpy() != names.to_numpy()).any():
            index["image_id"] = pd.Series(names.to_numpy(), dtype="string")
            given = tuple(index["image_id"])
        elif given is not None:
            given = tuple(index["image_id"])
        all_in_order = np.array_equal(rows, np.arange(len(self)))
        if all_in_order and given == self.names:
            return self
        mine = rows if self.rows is None else self.rows[rows]
        counts = {"images": len(index), "failed": int(index["error"].notna().sum())}
        digest = pixels_digest(index, self.settings)
        return PixelStore(
            folder=self.folder,
            images=self.images if all_in_order else ImageRows(self.folder, mine),
            index=index,
            settings={**self.settings, **counts, "digest": digest},
            rows=self.rows if all_in_order else mine,
            names=given,
        )

    @property
    def digest(self) -> str:
        """Fingerprint of the pixels: settings, and id and content of every image.

        The same images give the same fingerprint on any machine.
        """
        return str(self.settings["digest"])

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of `index` that have no pixels; their `error` gives the reason."""
        return self.index[self.index["error"].notna()]


def open_store(folder: Path) -> PixelStore:
    """Open a pixel store that `build_store` finished.

    Raises `DatasetNotFoundError` if there is no finished store in `folder`, and
    `DatasetError` if its files do not fit together or are just being replaced.
    """
    folder = Path(folder)
    if not (folder / STORE).is_file():
        raise DatasetNotFoundError(
            f"There is no finished pixel store in {folder}. Build it first; a build that "
            "was broken off goes on where it was."
        )
    settings: Any = None
    try:
        settings = read_json(folder / STORE)
        index = pd.read_parquet(folder / INDEX)
        images = open_images(folder)
        size, version = settings["size"], settings["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, settings) from error
    fits = images.shape == (len(index), size, size, 3)
    if version not in range(1, FORMAT + 1) or not fits or _is_other(folder, settings):
        raise _damaged(folder, settings)
    return PixelStore(folder=folder, images=images, index=index, settings=settings)


def add_store_columns(table: pd.DataFrame, store: PixelStore) -> NotedTable:
    """Return `table` with `sha256`, `width` and `height` of its images from the store.

    Values that the store does not know are kept from the table. A note counts and names the
    files that could not be decoded. Raises `DatasetError` for images that the store does
    not hold.
    """
    positions = store.positions(table["image_id"], paths=table["path"])
    rows = store.index.iloc[positions].set_index(table.index)
    filled = table.copy()
    for name in ("sha256", "width", "height"):
        filled[name] = rows[name].fillna(table[name])
    broken = rows.loc[rows["error"].notna() & (rows["error"] != NO_FILE), "error"]
    if broken.empty:
        return NotedTable(filled)
    reasons = some([reason.rstrip(".") for reason in broken])
    note = f"{counted(len(broken), 'image file')} cannot be used: {reasons}."
    return NotedTable(filled, (note,))


def rows_of_paths(known: pd.Series[str], paths: pd.Series[str]) -> Rows:
    """Return for each of `paths` the first position of the same path in `known`, or -1."""
    first = pd.Series(np.arange(len(known)), index=pd.Index(known.to_numpy(), dtype=object))
    first = first[first.index.notna() & ~first.index.duplicated()]
    found = pd.Index(first.index).get_indexer(pd.Index(paths.to_numpy(), dtype=object))
    rows: Rows = np.append(first.to_numpy(), -1)[found]
    return rows


def _reopen(
    folder: Path, rows: Rows | None, names: tuple[str, ...] | None, digest: str
) -> PixelStore:
    store = open_store(folder)
    rows = np.arange(len(store)) if rows is None else rows
    if len(rows) == 0 or rows.max() < len(store):
        ids = None if names is None else pd.Series(names, dtype="string")
        mine = store.take(rows, names=ids)
        if mine.digest == digest:
            return mine
    raise DatasetError(
        f"The pixel store {folder} was added to or made anew while it was in use, so its "
        "rows may be others now. Start again, when nobody builds there."
    )


def _is_other(folder: Path, settings: Any) -> bool:
    """Tell whether the description on disk differs from `settings`."""
    try:
        return bool(read_json(folder / STORE) != settings)
    except (OSError, ValueError):
        return True


def _damaged(folder: Path, settings: Any) -> DatasetError:
    if settings is not None and _is_other(folder, settings):
        return DatasetError(
            f"The pixel store in {folder} is just being replaced by another process. Try "
            "again when that has finished."
        )
    return DatasetError(
        f"The pixel store in {folder} is damaged or from another version: its files do not "
        "fit together. Delete the folder and build it again."
    )
