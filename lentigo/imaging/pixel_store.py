"""A finished pixel store: opened, asked for rows, and used to fill a lesion table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import DatasetError, DatasetNotFoundError, some
from lentigo.files import read_json
from lentigo.imaging.build import FORMAT, INDEX, NO_FILE, STORE, pixels_digest
from lentigo.imaging.shards import ImageRows, StoredImages, open_images

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class PixelStore:
    """Decoded images that load at the speed of memory.

    A store holds the images of one table, in the order of its rows; it is read-only.
    """

    folder: Path
    images: StoredImages = field(repr=False)
    """(N, size, size, 3) RGB; a row without an image is black."""
    index: pd.DataFrame = field(repr=False)
    """N rows: image_id, path, sha256, width, height (upright, of the file), error (missing
    where all is well), bytes and modified (of the file when it was decoded)."""
    settings: Mapping[str, Any]
    """Content of `store.json`: size, fit, max_pixels, digest, counts and files."""
    rows: Rows | None = field(default=None, repr=False)
    """Which rows of the folder these are, where they are not all."""

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self) -> tuple[Callable[..., PixelStore], tuple[Path, Rows | None]]:
        # Pickled by its folder: a memory map would be copied whole into every process.
        return _reopen, (self.folder, self.rows)

    def positions(self, image_ids: Iterable[object]) -> Rows:
        """The row in `images` of each image id.

        Raises `DatasetError` for ids that the store does not hold.
        """
        ids = pd.Index([str(image_id) for image_id in image_ids], dtype="object")
        known = pd.Index(self.index["image_id"].astype("object"))
        rows: Rows = known.get_indexer(ids)
        if (rows < 0).any():
            unknown = some(ids[rows < 0].tolist())
            raise DatasetError(
                f"The pixel store {self.folder} has no image {unknown}. "
                "Build it from the table that names them."
            )
        return rows

    def take(self, rows: Rows) -> PixelStore:
        """The store as if it held only `rows`, in that order; no pixel is read for it."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        mine = rows if self.rows is None else self.rows[rows]
        index = self.index.iloc[rows].reset_index(drop=True)
        counts = {"images": len(index), "failed": int(index["error"].notna().sum())}
        digest = pixels_digest(index, self.settings)
        return PixelStore(
            folder=self.folder,
            images=ImageRows(self.folder, mine),
            index=index,
            settings={**self.settings, **counts, "digest": digest},
            rows=mine,
        )

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
        images = open_images(folder)
        size, version = settings["size"], settings["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error
    if version not in range(1, FORMAT + 1) or images.shape != (len(index), size, size, 3):
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


def _reopen(folder: Path, rows: Rows | None) -> PixelStore:
    store = open_store(folder)
    return store if rows is None else store.take(rows)


def _damaged(folder: Path) -> DatasetError:
    return DatasetError(
        f"The pixel store in {folder} is damaged or from another version: its files do not "
        "fit together. Delete the folder and build it again."
    )
