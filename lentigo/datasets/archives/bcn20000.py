"""BCN20000: 18,946 dermoscopic images from the Hospital Clínic in Barcelona."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.archives.isic_archive import read_metadata
from lentigo.datasets.reading.columns import image_names
from lentigo.datasets.reading.fields import describe, read_folded
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    find_below,
    finish,
    present_parts,
)
from lentigo.tables import NotedTable

TABLES = {"train": ("bcn_20k_train.csv",), "test": ("bcn_20k_test.csv",)}
ARCHIVE_TABLES = ("bcn20000_metadata.csv", "metadata.csv")
FOLDERS = (
    "BCN_20k_train/bcn_20k_train",
    "BCN_20k_test/bcn_20k_test",
    "bcn_20k_train",
    "bcn_20k_test",
)
FIELDS = {
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general",
    "diagnosis": "diagnosis",
}


def read(root: Path, *, part: str = "all") -> NotedTable:
    """BCN20000 (Hernández-Pérez et al. 2024, doi:10.1038/s41597-024-03387-w), by image.

    Two releases are read. The release of the paper has `bcn_20k_train.csv` and
    `bcn_20k_test.csv` (images named by `bcn_filename`), and `part` (train, test or all)
    chooses among them; the test part has no diagnoses. The release in the ISIC Archive has
    `metadata.csv` or `bcn20000_metadata.csv`, perhaps with a date at the end of its name,
    with one row per `isic_id`; it is not divided, and `part` is ignored. Lesions are named,
    but patients are not, so a group is a lesion.

    Raises `DatasetNotFoundError` without any of these tables, `ColumnError` without a
    needed column and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="BCN20000")
    dated = sorted(path.name for path in root.glob("bcn20000_metadata*.csv"))
    archive = find_below(root, [*dated, *ARCHIVE_TABLES])
    if (
        archive is not None
        and find_below(root, [*TABLES["train"], *TABLES["test"]]) is None
    ):
        return read_metadata(archive, root=root, dataset="bcn20000")
    there = present_parts(root, part, TABLES, archive="BCN20000")
    parts = [_read_part(name, path) for name, path in there.items()]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    notes = [note for _, notes in parts for note in notes]
    files = ImageFiles(root, prefer=FOLDERS)
    table["path"] = files.paths(table["image_id"])
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _read_part(part: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    source = read_folded(path, ("bcn_filename",), other_names={"filename": "bcn_filename"})
    fields, notes = describe(source, FIELDS)
    table = pd.DataFrame(
        {
            "image_id": image_names(source["bcn_filename"]),
            "dataset": "bcn20000",
            "modality": "dermoscopy",
            "part": part,
        }
    )
    return table.join(fields), notes
