"""Duplicate pairs from somebody's file, from an audit, or from the pixels themselves."""

from __future__ import annotations

import re
from json import JSONDecodeError
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from lentigo.curation.duplicates import duplicate_pairs
from lentigo.datasets.columns import image_names
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError, counted, some
from lentigo.files import read_json
from lentigo.tables import check_table, read_any_table

FIND = "find"
"""Asks for near-duplicates to be looked for in the images, where a file could be named."""


def duplicates_for(
    table: pd.DataFrame, source: str | None
) -> tuple[pd.DataFrame | None, str]:
    """The duplicate pairs among the images of `table`, and a sentence on them.

    `source` is a file of pairs, the JSON of an audit, the folder of a pixel store, or
    "find" to decode the images of `table` and look. Pairs with an image that the table
    does not have are counted. Without a source there are none, and the sentence says so.
    """
    if source is None:
        return None, "Near-duplicates were not looked for (--duplicates find does)."
    pairs = _pairs_of(table, source)
    known = pairs["a"].isin(table["image_id"]) & pairs["b"].isin(table["image_id"])
    said = f"{counted(int(known.sum()), 'duplicate pair')} from {source}."
    if source == FIND:
        said = f"{counted(int(known.sum()), 'duplicate pair')} found in the images."
    elif others := int((~known).sum()):
        said += f" {counted(others, 'pair')} of images that the table does not have."
    return pairs[known].reset_index(drop=True), said


def _pairs_of(table: pd.DataFrame, source: str) -> pd.DataFrame:
    if source == FIND:
        return find_pairs(table)
    if Path(source).is_dir():
        return _pairs_in_store(Path(source))
    return read_pairs(Path(source))


def read_pairs(path: Path) -> pd.DataFrame:
    """The pairs in a CSV or in an audit's JSON: columns a, b, kind, perhaps similarity.

    Of a CSV with other names the two columns are taken that end in 1 and 2 or in a and b
    (`image_name_1`, `image_name_2` of SIIM-ISIC 2020).

    Raises `DatasetNotFoundError` without the file and `ColumnError` where no pairs are
    in it.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        pairs = _pairs_of_audit(path)
    else:
        pairs = read_any_table(path)
    if not {"a", "b"} <= set(pairs):
        pairs = pairs.rename(columns=_two_ends([str(name) for name in pairs], path))
    ends = {end: image_names(pairs[end].astype("string")) for end in ("a", "b")}
    missing = (ends["a"].isna() | ends["b"].isna()).to_numpy()
    if missing.any():
        lines = [int(row) + 2 for row in missing.nonzero()[0]]
        raise ColumnError(f"{path} lacks an image of the pair in line {some(lines)}.")
    kept = [name for name in ("kind", "similarity") if name in pairs]
    return pairs[kept].assign(**ends)[["a", "b", *kept]]


def find_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Near-duplicates among the images of `table`, which are decoded for it.

    Raises `DatasetError` where no image has a file.
    """
    from lentigo.config import ImagingConfig
    from lentigo.imaging.store import build_store

    there = table[table["path"].notna()].drop_duplicates("image_id")
    if there.empty:
        raise DatasetError(
            "No image of the table has a file, so near-duplicates cannot be looked for. "
            "Read the archive where its images lie, or give their pairs as a file."
        )
    with TemporaryDirectory(prefix="lentigo-") as folder:
        build_store(there.reset_index(drop=True), Path(folder), config=ImagingConfig())
        return _pairs_in_store(Path(folder))


def _pairs_in_store(folder: Path) -> pd.DataFrame:
    from lentigo.imaging.store import open_store

    store = open_store(folder)
    # All of the store, in its order: so that its pixels stay on disk.
    rows = check_table(store.index[["image_id", "path", "sha256"]], source=str(folder))
    return duplicate_pairs(store.images, rows)


def _pairs_of_audit(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DatasetNotFoundError(f"{path} does not exist; give an audit's JSON or a CSV.")
    try:
        pairs = read_json(path)["duplicates"]
        table = pd.DataFrame(pairs, columns=None if pairs else ["a", "b", "kind"])
    except (JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ColumnError(
            f'{path} holds no list of "duplicates" as an audit writes it.'
        ) from error
    return table


def _two_ends(names: list[str], path: Path) -> dict[str, str]:
    first = [name for name in names if re.search(r"(1|[^a-z]a)$", name, re.IGNORECASE)]
    second = [name for name in names if re.search(r"(2|[^a-z]b)$", name, re.IGNORECASE)]
    if len(first) != 1 or len(second) != 1:
        raise ColumnError(
            f"{path} has no columns a and b with the two images of each pair. It has "
            f"{some(names, at_most=8)}."
        )
    return {first[0]: "a", second[0]: "b"}
