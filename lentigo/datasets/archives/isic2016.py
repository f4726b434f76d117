"""ISIC 2016 part 3: 900 training and 379 test images, each melanoma or not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.fields import read_answer
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    finish,
    present_parts,
    read_columns,
)
from lentigo.errors import ColumnError
from lentigo.tables import NotedTable

PARTS = {"training": "Training", "test": "Test"}


def read(root: Path, *, part: str = "all") -> NotedTable:
    """ISIC 2016, part 3 (Gutman et al. 2016, arXiv:1605.01397), one row per image.

    `root` holds `ISBI2016_ISIC_Part3_Training_GroundTruth.csv`, or that of the test part,
    or both: two columns without a header, the image and its label (benign and malignant in
    the training file, 0 and 1 in the test file). The images are in
    `ISBI2016_ISIC_Part3_Training_Data` and `ISBI2016_ISIC_Part3_Test_Data`. `part` is
    training, test or all; the column `part` tells the part of each image. Every malignant
    lesion of this challenge is a melanoma. The diagnoses of benign lesions are not given,
    and neither are patients, lesions, ages and sites: each image is its own group.

    Raises `DatasetNotFoundError` without a ground truth file, `ColumnError` if one does
    not have two columns and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="ISIC 2016 part 3")
    stem = "ISBI2016_ISIC_Part3"
    names = {name: (f"{stem}_{PARTS[name]}_GroundTruth.csv",) for name in PARTS}
    truths = present_parts(root, part, names, archive="ISIC 2016 part 3")
    parts = [_read_part(name, path) for name, path in truths.items()]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    notes = [note for _, notes in parts for note in notes]
    files = ImageFiles(root, prefer=[f"{stem}_{name}_Data" for name in PARTS.values()])
    table["path"] = files.paths(table["image_id"])
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _read_part(part: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    truth = read_columns(path, headed=False)
    if len(truth.columns) != 2:
        raise ColumnError(
            f"{path} should hold two columns, the image and its label, but holds "
            f"{len(truth.columns)}."
        )
    if truth.columns[0].upper().startswith("ISIC_"):
        # The file has no header: pandas took the first image for it.
        first = pd.DataFrame([list(truth.columns)], columns=truth.columns, dtype="string")
        truth = pd.concat([first, truth], ignore_index=True)
    truth.columns = pd.Index(["image_id", "label"])
    melanoma, notes = read_answer(truth["label"], name="melanoma", source=str(path))
    table = pd.DataFrame(
        {
            "image_id": truth["image_id"].str.strip(),
            "dataset": "isic2016",
            "diagnosis": melanoma.map({True: "melanoma"}).astype("string"),
            "melanoma": melanoma,
            "malignant": melanoma,
            "modality": "dermoscopy",
            "part": part,
        }
    )
    return table, notes
