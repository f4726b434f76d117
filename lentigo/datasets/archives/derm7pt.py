"""derm7pt: 1,011 lesions, each in a dermoscopic and a clinical image, with criteria."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.columns import SUFFIX
from lentigo.datasets.reading.fields import describe, read_folded
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    choose_parts,
    find_below,
    finish,
    need_file,
    read_columns,
)
from lentigo.errors import ColumnError
from lentigo.tables import NotedTable

PARTS = ("train", "valid", "test")
FIELDS = {"sex": "sex", "site": "location", "diagnosis": "diagnosis"}
CRITERIA = (
    "pigment_network", "streaks", "pigmentation", "regression_structures",
    "dots_and_globules", "blue_whitish_veil", "vascular_structures", "seven_point_score",
    "level_of_diagnostic_difficulty", "elevation", "management",
)  # fmt: skip
_COLUMNS = {"dermoscopy": "derm", "clinical": "clinic"}
# In this archive, "miscellaneous" is never a melanoma; in others it has no meaning.
_OTHER = {"miscellaneous": "miscellaneous of derm7pt"}


def read(root: Path, *, part: str = "all") -> NotedTable:
    """derm7pt (Kawahara et al. 2019, doi:10.1109/JBHI.2018.2824327), one row per image.

    `root` is the folder `release_v0`, with `meta/meta.csv`, the published split in
    `meta/train_indexes.csv`, `valid_indexes.csv` and `test_indexes.csv` (rows of the table,
    counted from 0), and the images in `images`. Each lesion has two rows, one for its
    dermoscopic and one for its clinical image. `part` is train, valid, test or all. The
    criteria of the seven-point checklist are kept in columns of their own. The lesion is
    the `case_num`; patients and ages are not given. The name of an image is its folder and
    file; where two lesions share one image, a number follows the second name, and
    `duplicate_of` holds the first.

    Raises `DatasetNotFoundError` without the table, `ColumnError` without a needed column
    and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="derm7pt")
    path = find_below(root, ["meta.csv"])
    path = path or need_file(root, ["meta.csv"], archive="derm7pt")
    source = read_folded(path, ("diagnosis", "derm"))
    source["part"] = _parts(path.parent, len(source))
    source["diagnosis"] = source["diagnosis"].str.strip().replace(_OTHER)
    fields, notes = describe(source, FIELDS)
    kept = ["part", *(name for name in CRITERIA if name in source)]
    lesions = source[kept].join(fields)
    lesions["lesion_id"] = _lesions(source)
    table = _one_row_an_image(source, lesions)
    files = ImageFiles(root, prefer=("images",))
    table["path"] = files.paths(table.pop("file"))
    chosen = table["part"].isin(choose_parts(part, PARTS, archive="derm7pt"))
    table = table[chosen | (part == "all")]
    return finish(table, source=str(path), notes=[*notes, *files.notes(table)])


def _parts(folder: Path, count: int) -> pd.Series[str]:
    """Return the part of each of `count` rows of the table; missing without the split."""
    parts = pd.Series(pd.NA, index=range(count), dtype="string")
    for name in PARTS:
        path = find_below(folder, [f"{name}_indexes.csv"])
        if path is None:
            continue
        rows = pd.to_numeric(read_columns(path, ("indexes",))["indexes"], errors="coerce")
        # A table without rows raises an error of its own later.
        if count and not rows.isin(range(count)).all():
            raise ColumnError(
                f"{path} should hold rows of meta.csv, 0 to {count - 1:,}, but holds "
                "others."
            )
        parts[parts.index.isin(rows)] = name
    return parts


def _lesions(source: pd.DataFrame) -> pd.Series[str]:
    if "case_num" in source:
        return source["case_num"]
    return pd.Series(source.index.astype(str), index=source.index, dtype="string")


def _one_row_an_image(source: pd.DataFrame, lesions: pd.DataFrame) -> pd.DataFrame:
    halves = []
    for modality, column in _COLUMNS.items():
        if column in source:
            half = lesions.assign(file=source[column].str.strip(), modality=modality)
            halves.append(half[half["file"].notna()])
    table = pd.concat(halves, ignore_index=True).assign(dataset="derm7pt")
    name = table["file"].str.replace(SUFFIX, "", regex=True)
    again = name.duplicated()
    number = table.groupby(name).cumcount() + 1
    table["image_id"] = name.mask(again, name + "#" + number.astype("string"))
    table["duplicate_of"] = name.where(again)
    return table
