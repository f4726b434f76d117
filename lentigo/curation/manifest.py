"""A split as a small file: enough to reproduce it, and to refuse other images."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError, some
from lentigo.files import written_beside

COLUMNS = {
    "image_id": "string",
    "sha256": "string",
    "group_id": "string",
    "fold": "Int64",
    "melanoma": "boolean",
}


def write_split(table: pd.DataFrame, path: Path) -> None:
    """Write which fold each image is in (CSV: image_id, sha256, group_id, fold, melanoma).

    Rows are sorted by image, so that the same split is the same file. Raises `ColumnError`
    where a row has no group or fold.
    """
    for name in ("group_id", "fold"):
        if table[name].isna().any():
            raise ColumnError(f"Some rows have no {name}; assign groups and folds first.")
    split = table[list(COLUMNS)].sort_values("image_id")
    with written_beside(Path(path)) as temporary:
        split.to_csv(temporary, index=False)


def read_split(path: Path) -> pd.DataFrame:
    """A split that `write_split` wrote.

    Raises `DatasetNotFoundError` without the file, and `ColumnError` if it is no split.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetNotFoundError(f"There is no split {path}.")
    try:
        # An image may be called NA: only an empty cell is missing.
        source = pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""])
        split = source[list(COLUMNS)].assign(
            fold=source["fold"].astype("Int64"),
            melanoma=source["melanoma"]
            .map({"True": True, "False": False})
            .astype("boolean"),
        )
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        raise ColumnError(
            f"{path} is no split: {str(error).splitlines()[0]}. It needs the columns "
            f"{', '.join(COLUMNS)}."
        ) from error
    if split[["image_id", "group_id", "fold"]].isna().any(axis=None):
        raise ColumnError(f"{path} is no split: an image, group or fold is missing in it.")
    if (twice := split["image_id"].duplicated()).any():
        names = split.loc[twice, "image_id"].tolist()
        raise ColumnError(f"{path} names some images twice: {some(names)}.")
    return split


def apply_split(table: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """`table` with the groups and folds of `split`, row by row by image.

    Raises `DatasetError` where the two do not name the same images, or where the hashes
    of their files differ. A hash that only one of them knows cannot be compared; how many
    those are, and where labels have changed, is told in `attrs["notes"]`.
    """
    _check_same_images(table, split)
    matched = split.set_index("image_id").loc[table["image_id"]].set_axis(table.index)
    both = table["sha256"].notna() & matched["sha256"].notna()
    differ = both & (table["sha256"] != matched["sha256"])
    if differ.any():
        raise DatasetError(
            f"{differ.sum():,} files are not those that were split, though they bear the "
            f"same names: {some(table.loc[differ, 'image_id'].tolist())}. Split this table "
            "anew."
        )
    result = table.assign(group_id=matched["group_id"], fold=matched["fold"])
    notes = list(table.attrs.get("notes", []))
    if count := int((~both).sum()):
        notes.append(f"{count:,} files could not be compared with the split by their hash.")
    changed = table["melanoma"].ne(matched["melanoma"]).fillna(True)
    changed &= ~(table["melanoma"].isna() & matched["melanoma"].isna())
    if count := int(changed.sum()):
        notes.append(f"{count:,} images are labelled otherwise than when they were split.")
    result.attrs["notes"] = notes
    return result


def _check_same_images(table: pd.DataFrame, split: pd.DataFrame) -> None:
    new = table.loc[~table["image_id"].isin(split["image_id"]), "image_id"].tolist()
    lost = split.loc[~split["image_id"].isin(table["image_id"]), "image_id"].tolist()
    found = [
        f"{len(names):,} images {what} ({some(names)})"
        for names, what in (
            (new, "are not in the split"),
            (lost, "of the split are missing"),
        )
        if names
    ]
    if found:
        raise DatasetError(
            f"The split does not fit the table: {' and '.join(found)}. Use the table that "
            "was split, or split this one anew."
        )
