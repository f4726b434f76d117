"""Read tables to be split, and splits made elsewhere, with any names of columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.curation.splits.match_names import match_names, whole_names
from lentigo.curation.splits.part_words import (
    PART_NAMES,
    PART_WORDS,
    holds_parts,
    read_part,
)
from lentigo.datasets.any_table import read_whole, rows_of
from lentigo.datasets.reading.chosen import choose
from lentigo.datasets.reading.columns import choose_columns, image_names, missing_column
from lentigo.datasets.reading.files import read_columns
from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.datasets.reading.own_words import described_by
from lentigo.datasets.reading.sheet_rows import as_rows_of
from lentigo.datasets.reading.vocabulary import spelled_alike
from lentigo.errors import ColumnError, DatasetError
from lentigo.table_files.cells import to_numbers
from lentigo.table_files.door import split_sheet
from lentigo.table_files.not_known import hashes, known_ids
from lentigo.tables import NotedTable, is_whole, read_any_table
from lentigo.words import counted, some

_OURS_ALONE = ("part", "dataset", "sha256", "group_id", "duplicate_of")
"""Columns that the image readers do not recognise by other names, but a split needs."""
_IDS = ("patient_id", "lesion_id", "group_id")


def read_to_split(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    images: Path | None = None,
) -> NotedTable:
    """Read a table to be split: like `read_any`, but all other columns are kept.

    A scheme may need them: the date of an image, the archive's own parts, the data set.
    `columns` maps column names of lentigo, also `part` and `dataset`, to those of the file;
    `images` is the folder of the images, by default that of the file. Within
    `rows_where` (--where) only the rows that fit its condition are returned, with an index
    from 0.
    """
    given = dict(columns or {})
    ours = {name: given.pop(name) for name in _OURS_ALONE if name in given}
    read = read_whole(path, columns=given, images=images, own_words=True)
    table = source = read.table
    if split_sheet(path)[0].is_file():
        source = as_rows_of(read, read_columns(path))
        further = [str(name) for name in source if name not in table]
        table[further] = source[further]
    for name, theirs in ours.items():
        if theirs not in source:
            raise missing_column(theirs, source.columns, source=str(path))
        table[name] = hashes(source[theirs]) if name == "sha256" else source[theirs]
    table["group_id"] = known_ids(table["group_id"])
    if "part" not in table and (guessed := guess_part(source)) is not None:
        table["part"] = source[guessed]
    if "fold" in source and table["fold"].isna().all():
        table["fold"] = _folds(source["fold"])
    return rows_of(read.holding(table), path, columns=given)


def _folds(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return the fold numbers from 0; missing for negative or broken numbers and words."""
    numbers = to_numbers(column)
    return numbers.where((numbers >= 0) & is_whole(numbers)).astype("Int64")


def guess_part(source: pd.DataFrame) -> str | None:
    """Return the column that tells the part (train, test …) of each row, or None.

    It is the name of the first of `PART_NAMES`, in any spelling, that `source` has and that
    `holds_parts`: any value, or in columns such as `stage` one that is a part.
    """
    known: dict[str, str] = {}
    for name in map(str, source):
        known.setdefault(_key(name), name)
    there = [known[_key(name)] for name in PART_NAMES if _key(name) in known]
    return next((name for name in there if holds_parts(name, source[name])), None)


def read_partition(
    paths: Sequence[Path], *, columns: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Read a split from any source: one row per listed image, and notes on its columns.

    A single file holds the part of each image in a column (fold, split, set …); of several
    files each is a part, named after the file. Columns: image_id, part, and, if given,
    dataset, patient_id, lesion_id, group_id, sha256, duplicate_of and path (of existing
    files); `listed`, the name with its folders; `isic_id` if the name is one of the ISIC
    archive.

    Raises `ColumnError` if no column names the images or their part, and `DatasetError` if
    there is only one part.
    """
    read = [
        _read_one(Path(path), dict(columns or {}), alone=len(paths) == 1) for path in paths
    ]
    whole = pd.concat([rows for rows, _ in read], ignore_index=True)
    # Named together, so that train/1.jpg and test/1.jpg stay two images.
    whole["listed"] = whole_names(whole["image_id"])
    whole["image_id"] = image_names(whole["image_id"])
    if whole["image_id"].isna().any():
        lines = (whole.index[whole["image_id"].isna()] + 2).tolist()
        raise ColumnError(f"{paths[0]} does not name the image in line {some(lines)}.")
    whole["isic_id"] = isic_ids(whole["image_id"])
    if "duplicate_of" in whole:
        theirs = whole_names(whole["duplicate_of"])
        meant = match_names(theirs, whole, source=str(paths[0]))
        whole["duplicate_of"] = meant.fillna(theirs)
    notes = [note for _, said in read for note in said]
    for name in ("patient_id", "lesion_id", "image_id"):
        if name in whole:
            notes += spelled_alike(whole[name], name=name)
    if missing := int(whole["part"].isna().sum()):
        notes.append(f"{counted(missing, 'image')} without a part, so on no side.")
    names = whole["part"].dropna().unique().tolist()
    if len(names) < 2:
        raise DatasetError(
            f"{some([str(path) for path in paths])}: there is only one part "
            f"({some(names) or 'none'}), so nothing can be on two sides. Give the table "
            "with all parts, or one file a part."
        )
    return whole, notes


def _read_one(
    path: Path, given: dict[str, str], *, alone: bool
) -> tuple[pd.DataFrame, list[str]]:
    source = read_columns(path)
    ours = {name: given.pop(name) for name in _OURS_ALONE if name in given}
    for theirs in ours.values():
        if theirs not in source:
            raise missing_column(theirs, source.columns, source=str(path))
    chosen = choose_columns(source.columns, given=given, source=str(path))
    if "image_id" not in chosen:
        raise ColumnError(
            f"{path} has no column that looks like the name of an image. It has "
            f"{some(list(source), at_most=8)}; say which it is with --column image_id=…."
        )
    chosen |= {name: name for name in _OURS_ALONE[1:] if name in source} | ours
    read = choose(
        NotedTable(source),
        source=str(path),
        asked=lambda: described_by(read_any_table(path), chosen),
    )
    source = read.table
    wanted = ("image_id", "patient_id", "lesion_id", *_OURS_ALONE[1:])
    rows = pd.DataFrame(
        {
            name: source[chosen[name]].astype("string").str.strip()
            for name in wanted
            if name in chosen
        }
    )
    rows, said = _with_part(rows, source, ours.get("part"), path=path, alone=alone)
    for name in {*_IDS, "duplicate_of"} & set(rows):
        rows[name] = known_ids(rows[name])
    if "sha256" in rows:
        rows["sha256"] = hashes(rows["sha256"])
    rows["path"] = _existing(source[chosen.get("path", chosen["image_id"])], path.parent)
    taken = [
        f"{name} from {chosen[name]}" for name in rows if name in chosen and name != "part"
    ]
    return rows, [f"{path.name}: {', '.join([*taken, said])}.", *read.notes]


def _with_part(
    rows: pd.DataFrame, source: pd.DataFrame, named: str | None, *, path: Path, alone: bool
) -> tuple[pd.DataFrame, str]:
    if not alone and named is None:
        return rows.assign(part=_part_of_file(path)), "part from the name of the file"
    column = named or guess_part(source)
    if column is None:
        raise ColumnError(
            f"{path} has no column that looks like the part of a split "
            f"({some(PART_NAMES)}). It has {some(list(source), at_most=8)}; say which it "
            "is with --column part=…, or give one file a part."
        )
    return rows.assign(part=read_part(source[column])), f"part from {column}"


def _part_of_file(path: Path) -> str:
    """Return the part named by a word in the file name, else the whole stem."""
    words = re.split(r"[^a-z]+", path.stem.lower())
    parts = {PART_WORDS[word] for word in words if word in PART_WORDS}
    return parts.pop() if len(parts) == 1 else path.stem


def _existing(names: pd.Series[Any], folder: Path) -> pd.Series[Any]:
    """Return the path of each existing file, relative to `folder` or as written."""

    def look(name: object) -> str | None:
        for place in (folder / str(name), Path(str(name))):
            try:
                if place.is_file():
                    return str(place.absolute())
            except (OSError, ValueError):
                continue
        return None

    return names.map(look, na_action="ignore").astype("string")


def _key(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())
