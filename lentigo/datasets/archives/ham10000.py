"""HAM10000: 10,015 dermoscopic images of pigmented lesions from Vienna and Queensland."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    finish,
    need_file,
    read_ages,
    read_columns,
)
from lentigo.datasets.reading.known_words import SEX_WORDS
from lentigo.datasets.reading.vocabulary import map_diagnoses, map_sites, map_words
from lentigo.tables import NotedTable
from lentigo.words import counted

TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata", "HAM10000_metadata.tab")
FOLDERS = ("HAM10000_images_part_1", "HAM10000_images_part_2", "HAM10000_images", ".")


def read(root: Path) -> NotedTable:
    """HAM10000 (Tschandl et al. 2018, doi:10.1038/sdata.2018.161), one row per image.

    `root` holds `HAM10000_metadata.csv` and the images, in `HAM10000_images_part_1` and
    `_part_2` or in any folder below. The archive names lesions but no patients, so a group
    is a lesion: two lesions of one person may still fall on both sides of a split. `mel`
    and `bcc` are malignant. `akiec` is actinic keratosis or Bowen's disease, a precursor or
    a carcinoma in situ, so `malignant` is missing for it; no `akiec` is a melanoma. `hand`
    and `foot` become upper and lower extremity, as in the ISIC archive. Ages are rounded to
    five years: 0 is an infant and not a missing value. How a diagnosis was made (histology,
    follow-up, consensus, confocal) is kept in `dx_type`. Where the published outlines of
    the lesions (Tschandl et al. 2020) are below `root`, as
    `HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png`, the column
    `mask_path` holds their paths.

    Raises `DatasetNotFoundError` without the table and `ColumnError` without a needed
    column.
    """
    root = check_folder(root, archive="HAM10000")
    path = need_file(root, TABLES, archive="HAM10000")
    source = read_columns(
        path, ("image_id", "lesion_id", "dx", "dx_type", "age", "sex", "localization")
    )
    table, notes = _table(source)
    files = ImageFiles(root, prefer=FOLDERS)
    table["path"] = files.paths(source["image_id"])
    masks = files.paths(source["image_id"] + "_segmentation")
    if masks.notna().any():
        table["mask_path"] = masks
    return finish(table, source=str(path), notes=[*notes, *files.notes(table)])


def _table(source: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return all columns but the paths, and sentences on words that could not be mapped."""
    diagnoses, unknown_diagnoses = map_diagnoses(source["dx"])
    sexes, unknown_sexes = map_words(source["sex"], SEX_WORDS, name="sex")
    sites, unknown_sites = map_sites(source["localization"])
    ages, unknown_ages = read_ages(source["age"])
    table = pd.DataFrame(
        {
            "image_id": source["image_id"],
            "dataset": "ham10000",
            "lesion_id": source["lesion_id"],
            "sex": sexes,
            "age": ages,
            "modality": "dermoscopy",
            "dx_type": source["dx_type"],
        }
    ).join([sites, diagnoses])
    notes = [*unknown_diagnoses, *unknown_sexes, *unknown_ages, *unknown_sites]
    open_question = diagnoses["malignant"].isna() & diagnoses["melanoma"].notna()
    if count := int(open_question.sum()):
        notes.append(
            f"malignant is missing for {counted(count, 'image')} called akiec, which may "
            "be actinic keratosis or carcinoma in situ."
        )
    return table, notes
