"""Duplicate pairs from a file, from an audit, or from the pixels of the images."""

from __future__ import annotations

import re
from json import JSONDecodeError
from pathlib import Path

import pandas as pd

from lentigo.curation.closure import close_pairs
from lentigo.curation.duplicates import duplicate_pairs
from lentigo.curation.splits.match_names import match_names, whole_names
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from lentigo.files import temporary_folder
from lentigo.json_files import read_json
from lentigo.output import check_folder
from lentigo.tables import check_table, read_any_table
from lentigo.words import counted, some

FIND = "find"
"""The value that asks to search the images for near-duplicates, instead of a file name."""
SIDE = 256
"""The side in pixels of the squares that are compared. At 128, 96 and 64 one of the 19
pairs of ISIC 2017 is lost, and this pair crosses the published split."""


def duplicates_for(
    table: pd.DataFrame, source: str | None, *, folder: Path | None = None
) -> tuple[pd.DataFrame | None, str]:
    """Return the duplicate pairs among the images of `table`, and a sentence on them.

    `source` is a file of pairs, the JSON of an audit, the folder of a pixel store, or
    "find" to decode the images of `table` and search (`find_pairs` with `folder`). The
    source may name images with or without their folder (`match_names`). Pairs with an image
    that the table does not have are counted, and images linked through it still form a
    pair. Without a source the pairs are None, and the sentence says so.
    """
    if source is None:
        return None, "Near-duplicates were not looked for (--duplicates find does)."
    pairs = _named_alike(_pairs_of(table, source, folder), table, source=source)
    ends = pairs[["a", "b"]].isin(table["image_id"].tolist())
    known = ends.all(axis=1)
    closed = close_pairs(pairs, table["image_id"]).reset_index(drop=True)
    if source == FIND:
        return closed, f"{counted(int(known.sum()), 'duplicate pair')} found in the images."
    said = f"{counted(int(known.sum()), 'duplicate pair')} from {source}."
    if others := int((~known).sum()):
        said += f" {counted(others, 'pair')} of images that the table does not have."
    if more := len(closed) - int(known.sum()):
        said += f" {counted(more, 'pair')} more through them."
    return closed, said


def _named_alike(pairs: pd.DataFrame, table: pd.DataFrame, *, source: str) -> pd.DataFrame:
    """Return `pairs` with the image ids of the table, for the images that the table has."""
    ends = pd.concat([pairs["a"], pairs["b"]], ignore_index=True).astype("string")
    meant = match_names(ends, table, source=source).fillna(ends)
    count = len(pairs)
    return pairs.assign(a=meant[:count].to_numpy(), b=meant[count:].to_numpy()).astype(
        {"a": "string", "b": "string"}
    )


def _pairs_of(table: pd.DataFrame, source: str, folder: Path | None) -> pd.DataFrame:
    if source == FIND:
        return find_pairs(table, folder=folder)
    if Path(source).is_dir():
        return _pairs_in_store(Path(source))
    return read_pairs(Path(source))


def read_pairs(path: Path) -> pd.DataFrame:
    """Read the pairs in a CSV or an audit's JSON: columns a, b, perhaps kind, similarity.

    Image names keep their folders, but not their file extension. If a CSV has no columns a
    and b, the two columns are used whose names end in 1 and 2 or in a and b
    (`image_name_1`, `image_name_2` of SIIM-ISIC 2020).

    Raises `DatasetNotFoundError` if the file does not exist, and `ColumnError` if it holds
    no pairs or an image of a pair is missing.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        pairs = _pairs_of_audit(path)
    else:
        # All cells are read as text, so that image 007 keeps its zeros.
        pairs = read_any_table(path, text=True)
    if not {"a", "b"} <= set(pairs):
        pairs = pairs.rename(columns=_two_ends([str(name) for name in pairs], path))
    ends = {end: whole_names(pairs[end]) for end in ("a", "b")}
    missing = (ends["a"].isna() | ends["b"].isna()).to_numpy()
    if missing.any():
        lines = [int(row) + 2 for row in missing.nonzero()[0]]
        raise ColumnError(f"{path} lacks an image of the pair in line {some(lines)}.")
    kept = [name for name in ("kind", "similarity") if name in pairs]
    return pairs[kept].assign(**ends)[["a", "b", *kept]]


def find_pairs(table: pd.DataFrame, *, folder: Path | None = None) -> pd.DataFrame:
    """Decode the images of `table` and return their duplicate pairs.

    During the search the decoded images, 200 kB each, are in a temporary folder within
    `folder` (by default in the system's temporary folder). An existing store of `lentigo
    prepare` is not used; to use it, give its folder as `source` of `duplicates_for`.

    Raises `DatasetError` if no image has a file.
    """
    from lentigo.config import ImagingConfig
    from lentigo.imaging.store.build import build_store

    there = table[table["path"].notna()].drop_duplicates("image_id")
    if there.empty:
        raise DatasetError(
            "No image of the table has a file, so near-duplicates cannot be looked for. "
            "Give a table with the paths of its images (with --check as --table), or "
            "their pairs as a file."
        )
    if folder is not None:
        check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder) as place:
        config = ImagingConfig(size=SIDE)
        build_store(there.reset_index(drop=True), place / "store", config=config)
        return _pairs_in_store(place / "store")


def _pairs_in_store(folder: Path) -> pd.DataFrame:
    from lentigo.imaging.store.build import open_store

    store = open_store(folder)
    # All rows of the store in its own order, so that its pixels stay on disk.
    rows = check_table(store.index[["image_id", "path", "sha256"]], source=str(folder))
    return duplicate_pairs(store.images, rows)


_LONGEST_AUDIT = 500_000_000
"""The largest size in bytes of an audit's JSON; each pair takes some 100."""


def _pairs_of_audit(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DatasetNotFoundError(f"{path} does not exist; give an audit's JSON or a CSV.")
    try:
        pairs = read_json(path, most=_LONGEST_AUDIT)["duplicates"]
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
