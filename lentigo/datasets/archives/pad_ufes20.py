"""PAD-UFES-20: 2,298 smartphone photographs of 1,641 lesions from Brazil."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.columns import image_names
from lentigo.datasets.reading.fields import describe, read_folded
from lentigo.datasets.reading.files import ImageFiles, check_folder, finish, need_file
from lentigo.tables import NotedTable

FOLDERS = ("imgs_part_1", "imgs_part_2", "imgs_part_3", "images")
FIELDS = {
    "patient_id": "patient_id",
    "lesion_id": "lesion_id",
    "sex": "gender",
    "age": "age",
    "site": "region",
    "skin_type": "fitspatrick",
    "diagnosis": "diagnostic",
}
FURTHER = ("biopsed", "diameter_1", "diameter_2")


def read(root: Path) -> NotedTable:
    """PAD-UFES-20 (Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221), one row per image.

    `root` holds `metadata.csv` and the images, in `imgs_part_1`, `imgs_part_2`,
    `imgs_part_3` or any folder below; an image without a file has no `path`, and a note
    counts such images. All images are clinical photographs by smartphone, unlike those that
    a model for dermoscopy was trained on. Patients are named, so a group is a patient.
    Bowen's disease is counted as SCC. Sex, skin type and lesion diameters (mm, in
    `diameter_1` and `diameter_2`) are known only for lesions that were biopsied
    (`biopsed`).

    Raises `DatasetNotFoundError` without the table and `ColumnError` without a needed
    column.
    """
    root = check_folder(root, archive="PAD-UFES-20")
    path = need_file(root, ("metadata.csv",), archive="PAD-UFES-20")
    source = read_folded(
        path,
        ("img_id", "patient_id", "lesion_id", "diagnostic"),
        other_names={"fitzpatrick": "fitspatrick"},
    )
    fields, notes = describe(source, FIELDS)
    table = pd.DataFrame(
        {
            "image_id": image_names(source["img_id"]),
            "dataset": "pad_ufes20",
            "modality": "clinical",
        }
    ).join([fields, source[[name for name in FURTHER if name in source]]])
    files = ImageFiles(root, prefer=FOLDERS)
    table["path"] = files.paths(source["img_id"])
    return finish(table, source=str(path), notes=[*notes, *files.notes(table)])
