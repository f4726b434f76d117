"""The ISIC Archive as `isic image download` stores it: images and a metadata.csv."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.columns import image_names
from lentigo.datasets.reading.fields import describe, read_folded, with_archive_answer
from lentigo.datasets.reading.files import ImageFiles, check_folder, finish, need_file
from lentigo.datasets.reading.labels import read_label
from lentigo.datasets.reading.vocabulary import DIAGNOSES, map_diagnoses
from lentigo.table_files.not_known import plain
from lentigo.tables import SITE_DETAIL, NotedTable

TABLES = ("metadata.csv",)
FIELDS = {
    "patient_id": "patient_id",
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general",
    "skin_type": "fitzpatrick_skin_type",
    "modality": "image_type",
    "width": "pixels_x",
    "height": "pixels_y",
}
OTHER_NAMES = {
    "image_name": "isic_id",
    "image": "isic_id",
    "age": "age_approx",
}
_SITES_BELOW = {
    "palm of hand": "palms/soles",
    "sole of foot": "palms/soles",
    "mouth": "oral/genital",
}
LEVELS = tuple(f"diagnosis_{number}" for number in (5, 4, 3, 2))
SITE_LEVELS = tuple(f"anatom_site_{number}" for number in (5, 4, 3, 2, 1))
FURTHER = ("diagnosis_confirm_type", "attribution", "copyright_license")


def read(root: Path) -> NotedTable:
    """A download from the ISIC Archive (isic-archive.com), one row per image.

    `root` holds `metadata.csv`, as written by `isic image download` and by the download of
    a collection, and the images beside it or in folders below. Of a diagnosis in levels
    (`diagnosis_1` to `diagnosis_5`) the deepest known one is taken; if none is known, the
    archive's word is kept and named in the notes. `diagnosis_1` (benign, malignant,
    indeterminate), or `benign_malignant` in older downloads, fills in what the diagnosis
    leaves open. An `image_type` such as dermoscopic or "TBP tile: close-up" becomes the
    modality. The author of an image and its licence are kept in `attribution` and
    `copyright_license`: they differ from image to image. Patients and lesions are known for
    some collections only. Column names may be in upper or lower case; only `isic_id` is
    needed.

    Raises `DatasetNotFoundError` without the table and `ColumnError` without `isic_id`.
    """
    root = check_folder(root, archive="a download from the ISIC Archive")
    path = need_file(root, TABLES, archive="a download from the ISIC Archive")
    return read_metadata(path, root=root, dataset="isic_archive")


def read_metadata(path: Path, *, root: Path, dataset: str) -> NotedTable:
    """Return the lesion table of the file `path` in the form of the ISIC Archive.

    Images are searched below `root`; `dataset` becomes the name of the data set.
    """
    source = read_folded(path, ("isic_id",), other_names=OTHER_NAMES)
    source = source.assign(**_finer_site(source))
    fields, notes = describe(source, FIELDS)
    if (finest := _finest_site(source, fields)) is not None:
        fields[SITE_DETAIL] = finest
    diagnoses, said = archive_diagnoses(source)
    table = pd.DataFrame({"image_id": image_names(source["isic_id"]), "dataset": dataset})
    further = [name for name in FURTHER if name in source]
    table = table.join([fields, diagnoses, source[further]])
    files = ImageFiles(root)
    table["path"] = files.paths(source["isic_id"])
    return finish(table, source=str(path), notes=[*notes, *said, *files.notes(table)])


def _finer_site(source: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return the column `anatom_site_general`, made from `anatom_site_1` to `_5`.

    Palms, soles and the mouth are in the third level, below hand, foot and head. Empty if
    `source` has this column already, or no levels.
    """
    if "anatom_site_general" in source or "anatom_site_1" not in source:
        return {}
    site = source["anatom_site_1"]
    if "anatom_site_3" in source:
        third = plain(source["anatom_site_3"]).map(_SITES_BELOW)
        site = third.astype("string").fillna(site)
    return {"anatom_site_general": site}


def _finest_site(source: pd.DataFrame, fields: pd.DataFrame) -> pd.Series[Any] | None:
    """Return the deepest filled level of `anatom_site_1` to `_5` where the site is known.

    None without a second level.
    """
    levels = [name for name in SITE_LEVELS if name in source]
    if len(levels) < 2 or "site" not in fields:
        return None
    known = source[levels].mask(source[levels].apply(lambda each: plain(each).isna()))
    words = known.bfill(axis=1).iloc[:, 0].astype("string").str.strip().str.casefold()
    return words.where(fields["site"].notna())


def archive_diagnoses(source: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return diagnosis, melanoma and malignant from the archive's columns, and notes."""
    table, notes = map_diagnoses(deepest_known(source, [*LEVELS, "diagnosis"]))
    for name in ("diagnosis_1", "benign_malignant"):
        if name in source:
            answers = plain(source[name])
            # "indeterminate/benign" and the like are no answer.
            answers = answers.where(answers.isin(["benign", "malignant"]))
            if answers.notna().any():
                malignant, _ = read_label(answers, source=name)
                table, said = with_archive_answer(table, malignant)
                notes += said
    return table, notes


def deepest_known(source: pd.DataFrame, columns: list[str]) -> pd.Series[Any]:
    """Return for each row the first known word in `columns`, in the order given.

    If no word is known, the first word at all; missing if there is none.
    """
    there = [source[name].astype("string") for name in columns if name in source]
    word = pd.Series(pd.NA, index=source.index, dtype="string")
    for column in there:
        word = word.fillna(column.where(plain(column).isin(DIAGNOSES.keys())))
    for column in there:
        word = word.fillna(column.mask(plain(column).isna()))
    return word
