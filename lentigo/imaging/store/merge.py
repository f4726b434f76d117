"""Which rows of a finished store can be used for a table, and which are added.

A row is used for every table row with its file, whatever the image id. A store never
shrinks: images that the table does not have stay, new ones are appended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError
from lentigo.imaging.store.opened import PixelStore, rows_of_paths
from lentigo.imaging.store.unfinished import FORMAT
from lentigo.words import some

Rows = NDArray[np.intp]

_FILE = ["path", "bytes", "modified"]
"""Columns that tell whether a file is unchanged."""


@dataclass(frozen=True)
class Joined:
    """The files that a store will hold from now on."""

    files: pd.DataFrame
    """Columns image_id, path, bytes and modified; one row per row of the new store."""
    sources: Rows
    """For each row of `files` the row of the earlier store that is copied, or -1."""
    rows: Rows
    """For each row of the table its row in `files`."""


def serving_rows(store: PixelStore, files: pd.DataFrame, config: ImagingConfig) -> Rows:
    """Return for each of `files` the row of `store` that holds its decoded image, or -1.

    A file that was deleted after decoding has a row, too.
    """
    good = still_good(store, config)
    index = store.index
    rows = _rows_of_names(index, files)
    mine, theirs = files[_FILE].fillna(""), index[_FILE].iloc[rows].fillna("")
    same = (mine.to_numpy() == theirs.to_numpy()).all(axis=1) & good.to_numpy()[rows]
    rows = np.where(same, rows, -1)
    left = np.flatnonzero(rows < 0)
    if len(left):
        rows[left] = _same_files(index[good], files.iloc[left])
    gone = (files["bytes"] < 0).to_numpy() & files["path"].notna().to_numpy()
    left = np.flatnonzero(gone)
    if len(left):
        whole = index[good & index["error"].isna()]
        found = rows_of_paths(whole["path"], files["path"].iloc[left])
        rows[left[found >= 0]] = whole.index.to_numpy()[found[found >= 0]]
    return rows


def still_good(store: PixelStore, config: ImagingConfig) -> pd.Series[bool]:
    """Tell for each row whether decoding its file again would give the same result."""
    index = store.index
    if store.settings["format"] != FORMAT:
        return pd.Series(data=False, index=index.index)
    whole = index["error"].isna()
    small = (index["width"] * index["height"] <= config.max_pixels).fillna(value=False)
    same_limit = store.settings.get("max_pixels") == config.max_pixels
    known_bad = ~whole & index["sha256"].notna() & same_limit
    good: pd.Series[bool] = (whole & small) | known_bad | (index["bytes"] < 0)
    return good


def join(store: PixelStore, files: pd.DataFrame, serving: Rows) -> Joined:
    """Return the rows of `store` with those that `files` adds.

    `serving` comes from `serving_rows`.

    Raises `ConfigError` if an id means another file in the store already, or if images that
    `files` does not have are of an earlier format.
    """
    rows, fresh = serving.copy(), serving < 0
    rows[fresh] = _rows_to_replace(store, files[fresh])
    _check_names(store, files, rows)
    held = store.index[["image_id", *_FILE]].copy()
    sources = np.arange(len(held))
    anew = np.flatnonzero(fresh & (rows >= 0))
    for name in _FILE:
        held.loc[rows[anew], name] = files[name].iloc[anew].to_numpy()
    sources[rows[anew]] = -1
    added = np.flatnonzero(rows < 0)
    rows[added] = len(held) + np.arange(len(added))
    held = pd.concat([held, files.iloc[added]], ignore_index=True)
    sources = np.concatenate([sources, np.full(len(added), -1)])
    if _is_all(held, files, rows):  # then in the table's order, which reads faster
        return Joined(held.iloc[rows].reset_index(drop=True), sources[rows], _count(rows))
    _check_format(store, np.setdiff1d(_count(held), rows))
    return Joined(held, sources, rows)


def _rows_to_replace(store: PixelStore, files: pd.DataFrame) -> Rows:
    """Return for each file the row of `store` to overwrite, or -1.

    It has the same path (the file changed), or the same id but no image.
    """
    index = store.index
    by_name = _rows_of_names(index, files)
    mine, theirs = (each["path"].fillna("").to_numpy() for each in (files, index))
    same_path = mine == theirs[by_name]
    empty = index["error"].notna().to_numpy()[by_name]
    by_path = rows_of_paths(index["path"], files["path"])
    known = by_name >= 0
    rows = np.where(known & same_path, by_name, by_path)
    return np.where((rows < 0) & known & empty, by_name, rows)


def _rows_of_names(index: pd.DataFrame, files: pd.DataFrame) -> Rows:
    known = pd.Index(index["image_id"])
    first = np.flatnonzero(~known.duplicated())
    found = known[first].get_indexer(pd.Index(files["image_id"]))
    rows: Rows = np.append(first, -1)[found]
    return rows


def _check_names(store: PixelStore, files: pd.DataFrame, rows: Rows) -> None:
    names = files["image_id"][rows < 0]
    taken = names[names.isin(store.index["image_id"])]
    if files["path"].isna()[taken.index].any():
        raise ConfigError(
            f"The pixel store {store.folder} holds {some(taken.tolist())}, but this table "
            "finds no file for it any more. Put the file back, leave its row out of the "
            "table, or give another folder."
        )
    if len(taken):
        raise ConfigError(
            f"The pixel store {store.folder} holds other files as {some(taken.tolist())}. "
            "Give another folder for this table (its images may have been moved)."
        )


def _check_format(store: PixelStore, others: Rows) -> None:
    if len(others) and store.settings["format"] != FORMAT:
        raise ConfigError(
            f"The pixel store {store.folder} is of an earlier version, and {len(others):,} "
            "of its images are not in this table. Give another folder, or build it anew "
            "from the table that it was made of."
        )


def _is_all(held: pd.DataFrame, files: pd.DataFrame, rows: Rows) -> bool:
    """Tell whether `held` has exactly the images of `files`, each once and under its id.

    `rows` holds for each of `files` its row in `held`.
    """
    if not np.array_equal(np.sort(rows), _count(held)):
        return False
    return bool((held["image_id"].to_numpy()[rows] == files["image_id"].to_numpy()).all())


def _count(rows: pd.DataFrame | Rows) -> Rows:
    return np.arange(len(rows))


def _same_files(index: pd.DataFrame, files: pd.DataFrame) -> NDArray[np.int64]:
    """Return for each of `files` the label of the `index` row with the same file, or -1."""
    # By hash, and then compared: keys of Python objects would take 300 bytes an image.
    known = pd.Series(index.index, index=_hashed(index))
    known = known[~known.index.duplicated()]
    found = known.reindex(_hashed(files)).fillna(-1).to_numpy(np.int64, copy=True)
    there = np.flatnonzero(found >= 0)
    theirs, mine = index.loc[found[there], _FILE], files.iloc[there][_FILE]
    differs = (theirs.fillna("").to_numpy() != mine.fillna("").to_numpy()).any(axis=1)
    found[there[differs]] = -1
    return found


def _hashed(files: pd.DataFrame) -> NDArray[np.uint64]:
    hashes = pd.util.hash_pandas_object(files[_FILE], index=False)
    return np.asarray(hashes, np.uint64)
