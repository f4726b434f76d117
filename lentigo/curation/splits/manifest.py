"""Write a split as a small CSV file, and apply it again to a table of the same images.

A JSON of the same name beside the CSV holds the digest of the content, so that an edited
split is noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.curation.splits.folds import LEFT_OUT
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError, RunError
from lentigo.files import csv_text, written_beside
from lentigo.json_files import read_json, to_json
from lentigo.table_files.door import read_cells
from lentigo.tables import NotedTable
from lentigo.words import counted, some

COLUMNS = {
    "image_id": "string",
    "sha256": "string",
    "group_id": "string",
    "fold": "Int64",
    "role": "string",
    "melanoma": "boolean",
}
_SINCE = {"role"}
"""Columns that are missing in splits written by older versions of lentigo."""
_WHAT = "lentigo split"


def write_split(
    table: pd.DataFrame,
    path: Path,
    *,
    about: Mapping[str, Any] | None = None,
    new: bool = False,
) -> str:
    """Write the fold (and role) of each image as CSV, and how they were made as JSON.

    The CSV has the columns image_id, sha256, group_id, fold, role and melanoma, sorted by
    image, so that the same split is the same file. The JSON of the same name holds the
    digest of the CSV's content, the meaning of each fold number, `about` (scheme, seed,
    settings …), a digest of the table, the version of lentigo and the number of images of
    each part. Returns the digest of the content.

    Raises `ColumnError` if a row has no group, or has no fold and is not left out, and
    `RunError` if the JSON's name is taken by a file that belongs to no split, `path` ends
    in .json, or, with `new`, one of the two files exists already.
    """
    path = Path(path)
    split = _as_split(table)
    beside = _beside(path)
    digest = split_digest(split)
    content = {
        "what": _WHAT,
        "digest": digest,
        "fold_means": _fold_means(split),
        **(about or {}),
        "table_digest": table_digest(table),
        "lentigo": metadata.version("lentigo"),
        "images": part_names(split).value_counts().sort_index().to_dict(),
    }
    # Both are written in full before either takes its place.
    with written_beside(path, new=new) as first, written_beside(beside, new=new) as second:
        first.write_text(csv_text(split), encoding="utf-8", newline="")
        second.write_text(to_json(content) + "\n", encoding="utf-8")
    return digest


def _fold_means(split: pd.DataFrame) -> dict[str, str]:
    """Return the meaning of each fold number (its role), for readers of the CSV."""
    numbers = split["fold"].dropna().sort_values().unique()
    roles = split.dropna(subset=["fold", "role"]).groupby("fold")["role"].first()
    return {str(number): roles.get(number, "held out in its turn") for number in numbers}


def split_digest(split: pd.DataFrame) -> str:
    """Return the SHA-256 of a split's content, equal for any order of its rows."""
    return hashlib.sha256(_as_csv(_as_split(split)).encode()).hexdigest()


def table_digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of the columns behind a split.

    The columns are images, labels, patients, lesions and data sets.
    """
    names = ["image_id", "melanoma", "patient_id", "lesion_id", "dataset"]
    rows = table[[name for name in names if name in table]].sort_values("image_id")
    return hashlib.sha256(_as_csv(rows).encode()).hexdigest()


def _as_csv(rows: pd.DataFrame) -> str:
    # Equal line ends on every system, or the digest would differ between systems.
    return rows.to_csv(index=False, lineterminator="\n")


def part_names(split: pd.DataFrame) -> pd.Series[Any]:
    """Return the part of each image as text: its role, else the number of its fold."""
    folds = split["fold"].astype("string")
    return split["role"].fillna(folds) if "role" in split else folds


def _as_split(table: pd.DataFrame) -> pd.DataFrame:
    if "role" not in table:
        table = table.assign(role=None)
    split = table[list(COLUMNS)].astype(COLUMNS)
    for name in ("group_id", "fold"):
        missing = split[name].isna()
        if name == "fold":
            missing &= (split["role"] != LEFT_OUT).fillna(True)
        if missing.any():
            raise ColumnError(f"Some rows have no {name}; assign groups and folds first.")
    return split.sort_values("image_id", ignore_index=True)


def _beside(path: Path) -> Path:
    """Return the path of a split's JSON; raise `RunError` if another file has this name."""
    beside = path.with_suffix(".json")
    if beside == path:
        raise RunError(f"{path}: a split is written as .csv; name it so.")
    if beside.exists() and _about(path) is None:
        raise RunError(
            f"{beside} is there already and belongs to no split, so {path.name} needs "
            "another name."
        )
    return beside


def _about(path: Path) -> dict[str, Any] | None:
    """Return the JSON beside a split, or None if lentigo did not write it."""
    try:
        content = read_json(path.with_suffix(".json"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("what") == _WHAT else None


@dataclass(frozen=True)
class Manifest:
    """A split read from disk."""

    split: pd.DataFrame
    """One row per image, with the columns `COLUMNS`."""
    about: dict[str, Any]
    """The content of the JSON beside the split; empty if there is none."""


def read_split(path: Path) -> pd.DataFrame:
    """Read the rows of a split that `write_split` wrote; raises as `read_manifest` does."""
    return read_manifest(path).split


def read_manifest(path: Path) -> Manifest:
    """Read a split that `write_split` wrote, with the content of its JSON.

    Raises `DatasetNotFoundError` if there is no such file, `ColumnError` if it is not a
    split, and `DatasetError` if its content does not match the digest in the JSON.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetNotFoundError(f"There is no split {path}.")
    # An image may be called NA: only an empty cell is missing.
    source = read_cells(path).astype("string")
    try:
        split = _typed(source)
    except (ValueError, KeyError) as error:
        raise ColumnError(
            f"{path} is no split: {str(error).splitlines()[0]}. It needs the columns "
            f"{', '.join(name for name in COLUMNS if name not in _SINCE)}."
        ) from error
    left_out = (split["role"] == LEFT_OUT).fillna(False)
    lacking = split[["image_id", "group_id"]].isna().any(axis=1)
    if (lacking | (split["fold"].isna() & ~left_out)).any():
        raise ColumnError(f"{path} is no split: an image, group or fold is missing in it.")
    if (twice := split["image_id"].duplicated()).any():
        names = split.loc[twice, "image_id"].tolist()
        raise ColumnError(f"{path} names some images twice: {some(names)}.")
    return Manifest(split, _check_unchanged(split, path))


def _typed(source: pd.DataFrame) -> pd.DataFrame:
    for name in _SINCE - set(source):
        source[name] = pd.Series(pd.NA, index=source.index, dtype="string")
    return source[list(COLUMNS)].assign(
        fold=source["fold"].astype("Int64"),
        melanoma=source["melanoma"].map({"True": True, "False": False}).astype("boolean"),
    )


def _check_unchanged(split: pd.DataFrame, path: Path) -> dict[str, Any]:
    about = _about(path) or {}
    digest = split_digest(split)
    if about and about.get("digest") != digest:
        raise DatasetError(
            f"{path} is not the split that was written: its content has the digest "
            f"{digest[:12]}, but {path.with_suffix('.json').name} says "
            f"{str(about.get('digest'))[:12]}. Somebody has edited it. Restore it, or "
            "split the table anew."
        )
    return about


def apply_split(table: pd.DataFrame, split: pd.DataFrame) -> NotedTable:
    """Return `table` with the groups, folds and roles of `split`, matched by image id.

    Images with the role "left out" are removed. The notes count images of the split that
    the table does not have (for example because their files could not be decoded; they
    cannot leak), files whose hash is missing in the table or the split, and labels that
    have changed.

    Raises `DatasetError` if the table is empty, holds images that the split does not know,
    or the hashes of their files differ.
    """
    notes = _check_same_images(table, split)
    matched = split.set_index("image_id").loc[table["image_id"]].set_axis(table.index)
    both = table["sha256"].notna() & matched["sha256"].notna()
    differ = both & (table["sha256"] != matched["sha256"])
    if differ.any():
        raise DatasetError(
            f"Not what was split, although the names are the same: "
            f"{counted(int(differ.sum()), 'file')} "
            f"({some(table.loc[differ, 'image_id'].tolist())}). Split this table anew."
        )
    if count := int((~both).sum()):
        notes.append(
            f"{counted(count, 'file')} could not be compared with the split by their hash."
        )
    if count := _changed(table["melanoma"], matched["melanoma"]):
        notes.append(
            f"{counted(count, 'image')} labelled otherwise than when they were split."
        )
    result = table.drop(columns="role", errors="ignore")
    result = result.assign(group_id=matched["group_id"], fold=matched["fold"])
    if "role" in matched and matched["role"].notna().any():
        result["role"] = matched["role"]
        left_out = (matched["role"] == LEFT_OUT).fillna(False)
        if count := int(left_out.sum()):
            notes.append(f"{counted(count, 'image')} left out, as the split says.")
            result = result[~left_out].reset_index(drop=True)
    return NotedTable(result, tuple(notes))


def _changed(now: pd.Series[Any], before: pd.Series[Any]) -> int:
    """Count the labels that differ; a label missing in both does not."""
    differ = now.ne(before).fillna(True) & ~(now.isna() & before.isna())
    return int(differ.sum())


def _check_same_images(table: pd.DataFrame, split: pd.DataFrame) -> list[str]:
    new = table.loc[~table["image_id"].isin(split["image_id"]), "image_id"].tolist()
    lost = split.loc[~split["image_id"].isin(table["image_id"]), "image_id"].tolist()
    if new:
        raise DatasetError(
            f"The split does not fit the table: it lacks {counted(len(new), 'image')} "
            f"({some(new)}). Use the table that was split, or split this one anew."
        )
    if len(table) == 0:
        raise DatasetError("The table has no image of the split: it is empty.")
    if not lost:
        return []
    return [f"{counted(len(lost), 'image')} of the split not in the table: {some(lost)}."]
