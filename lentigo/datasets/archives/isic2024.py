"""ISIC 2024, SLICE-3D: 401,059 lesions cut from photographs of the whole body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.archives.isic_archive import deepest_known
from lentigo.datasets.reading.fields import (
    describe,
    read_answer,
    read_folded,
    with_archive_answer,
)
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    find_below,
    finish,
    once_each,
    present_parts,
)
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.errors import ColumnError
from lentigo.tables import NotedTable

TABLES = {
    "train": ("train-metadata.csv", "ISIC_2024_Training_GroundTruth.csv"),
    "test": ("test-metadata.csv",),
}
# The columns of Kaggle's single table are in three tables on the challenge's site.
_BESIDE = ("ISIC_2024_Training_Supplement.csv", "metadata.csv")
FIELDS = {
    "patient_id": "patient_id",
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general",
}
LEVELS = ("iddx_5", "iddx_4", "iddx_3", "iddx_2")
FURTHER = ("attribution", "copyright_license", "clin_size_long_diam_mm")


def read(root: Path, *, part: str = "train") -> NotedTable:
    """SLICE-3D (Kurtansky et al. 2024, doi:10.1038/s41597-024-03743-w), one row per image.

    `root` holds `train-metadata.csv` as on Kaggle, or `ISIC_2024_Training_GroundTruth.csv`
    with `ISIC_2024_Training_Supplement.csv` and the `metadata.csv` of the images as on the
    challenge's site. The images are in `train-image/image`, `ISIC_2024_Training_Input` or
    any folder below, or packed in `train-image.hdf5` and `test-image.hdf5`, one entry for
    each `isic_id`; HDF5 files are read without unpacking, and image files come first.
    `part` is `train`, `test` (unlabelled) or `all`.

    The images are tiles of about 15 mm cut from 3D photographs, not dermoscopy. Malignant
    is wider than melanoma; `iddx_2` to `iddx_5` tell which malignant lesions are melanomas.
    Most benign lesions were never biopsied. Patients are named, so a group is a patient.

    Raises `DatasetNotFoundError` without the table, `ColumnError` without a needed column
    and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="ISIC 2024 (SLICE-3D)")
    there = present_parts(root, part, TABLES, archive="ISIC 2024 (SLICE-3D)")
    parts = [_read_part(root, name, path) for name, path in there.items()]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    notes = [note for _, notes in parts for note in notes]
    files = ImageFiles(root, prefer=("train-image/image", "ISIC_2024_Training_Input"))
    table["path"] = files.paths(table["image_id"])
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _read_part(root: Path, part: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    source = read_folded(path, ("isic_id",), other_names={"malignant": "target"})
    if part == "train":
        for name in _BESIDE:
            source = _joined(source, find_below(root, [name]))
    fields, notes = describe(source, FIELDS)
    table = pd.DataFrame(
        {
            "image_id": source["isic_id"],
            "dataset": "isic2024",
            "modality": "clinical",
            "part": part,
        }
    ).join([fields, source[[name for name in FURTHER if name in source]]])
    if part == "test":
        return table, notes
    diagnoses, said = _diagnoses(source, path)
    return table.join(diagnoses), [*notes, *said]


def _joined(source: pd.DataFrame, path: Path | None) -> pd.DataFrame:
    if path is None:
        return source
    other = read_folded(path)
    if "isic_id" not in other:
        return source
    new = other.columns.difference(source.columns).union(["isic_id"])
    once = once_each(other[new], "isic_id", where=path)
    return source.merge(once, on="isic_id", how="left")


def _diagnoses(source: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    if "target" not in source:
        raise ColumnError(
            f"{path} has no column target or malignant: no image is labelled."
        )
    malignant, notes = read_answer(source["target"], name="malignant", source=str(path))
    table, said = map_diagnoses(deepest_known(source, list(_levels(source))))
    table, also = with_archive_answer(table, _settled(malignant, source))
    return table, [*notes, *said, *also]


def _levels(source: pd.DataFrame) -> tuple[str, ...]:
    return tuple(name for name in LEVELS if name in source)


def _settled(malignant: pd.Series[Any], source: pd.DataFrame) -> pd.Series[Any]:
    """Return the target, missing where `iddx_1` calls the lesion indeterminate."""
    if "iddx_1" not in source:
        return malignant
    said = source["iddx_1"].str.strip().str.lower()
    return malignant.mask((said == "indeterminate").fillna(False))
