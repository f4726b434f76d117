"""Decoded images of an audit: their store, the duplicate pairs and the measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.config import AuditConfig, ImagingConfig
from lentigo.curation import duplicate_pairs, published_pairs
from lentigo.imaging.quality import measure_images
from lentigo.imaging.store.build import PixelStore, add_store_columns, build_store
from lentigo.tables import NotedTable

SAME_IMAGE, PUBLISHED = "same image id", "published"


def pixels_of(
    read: NotedTable, folder: Path, config: AuditConfig
) -> tuple[PixelStore | None, NotedTable]:
    """Return the pixel store of a table, and the table with hashes and sizes added.

    The store is written to `folder`. It is None if no row has a file; the table is then
    returned unchanged.
    """
    if read.table["path"].isna().all():
        return None, read
    settings = ImagingConfig(size=config.size, workers=config.workers)
    store = build_store(read.table, folder, config=settings)
    return store, read.then(lambda table: add_store_columns(table, store))


def all_pairs(
    table: pd.DataFrame, store: PixelStore | None, *, workers: int = 0
) -> pd.DataFrame:
    """Return all pairs of rows that show one picture: by id, hash, pixels or publication.

    Columns: `a`, `b` (image ids), `kind`, `similarity` (1 if the picture is certainly the
    same, missing if the pixels were not compared), and `where`: "within a set", "between
    sets" or "across the split".
    """
    found = [] if store is None else [_by_pixels(table, store, workers)]
    found += [published_pairs(table), _same_names(table)]
    pairs = pd.concat(found, ignore_index=True).drop_duplicates(["a", "b"])
    pairs = pairs.sort_values(["a", "b"], ignore_index=True)
    if "similarity" not in pairs:
        pairs["similarity"] = np.nan
    return pairs.assign(where=_where(table, pairs))


def _by_pixels(table: pd.DataFrame, store: PixelStore, workers: int) -> pd.DataFrame:
    # A row without an image is black all over, and resembles none.
    return duplicate_pairs(images_of(table, store), table, workers=workers)


def measured(table: pd.DataFrame, store: PixelStore, *, workers: int = 0) -> pd.DataFrame:
    """Measure artefacts and quality of each image, one row per row of `table`.

    The measures are missing for an image that was not decoded.
    """
    measures = measure_images(images_of(table, store), workers=workers)
    failed = store.index["error"].iloc[store.positions(table["image_id"])].notna()
    # A black image that was decoded must differ from one that was not (NaN).
    black = measures.isna().all(axis=1).to_numpy() & ~failed.to_numpy()
    measures.loc[black, ["brightness", "contrast", "too_dark"]] = (0.0, 0.0, 1.0)
    measures.insert(0, "image_id", table["image_id"].to_numpy())
    return measures.set_axis(table.index)


def images_of(table: pd.DataFrame, store: PixelStore) -> Any:
    """Return a lazy array of the images of `table` in row order; no pixels are read yet."""
    return store.take(store.positions(table["image_id"])).images


def _same_names(table: pd.DataFrame) -> pd.DataFrame:
    """Pair rows with the same ISIC id, or the same id in two tables of one data set."""
    keys = [table.get("isic_id"), _own_names(table)]
    found = []
    for key in keys:
        if key is None:
            continue
        names = table["image_id"][key.notna()]
        first = names.groupby(key[key.notna()]).transform("first")
        again = names != first
        ends = pd.DataFrame({"x": first[again], "y": names[again]}).astype("string")
        found.append(
            pd.DataFrame({"a": ends.min(axis=1), "b": ends.max(axis=1)}).assign(
                kind=SAME_IMAGE
            )
        )
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _own_names(table: pd.DataFrame) -> pd.Series[Any] | None:
    own = table.get("own_id")
    return None if own is None else table["dataset"] + "\0" + own


def _where(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series[Any]:
    """Tell for each pair: "within a set", "between sets" or "across the split"."""
    by_name = table.set_index("image_id")
    side, name = by_name["side"], by_name["table"] + "\0" + by_name["dataset"]
    where = pd.Series("within a set", index=pairs.index, dtype="string")
    where[pairs["a"].map(name).ne(pairs["b"].map(name))] = "between sets"
    a, b = pairs["a"].map(side), pairs["b"].map(side)
    where[(a.notna() & b.notna() & a.ne(b)).fillna(False)] = "across the split"
    return where
