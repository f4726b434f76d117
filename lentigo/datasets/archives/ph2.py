"""PH²: 200 dermoscopic images from Porto, with outlines and dermoscopic criteria."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    find_below,
    finish,
    need_file,
    read_text,
)
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.errors import ColumnError, DatasetNotFoundError
from lentigo.tables import NotedTable

TABLE = "PH2_dataset.txt"
DIAGNOSES = {"0": "common nevus", "1": "atypical nevus", "2": "melanoma"}
CRITERIA = (
    "asymmetry", "pigment_network", "dots_globules", "streaks", "regression_areas",
    "blue_whitish_veil",
)  # fmt: skip


def read(root: Path) -> NotedTable:
    """PH² (Mendonça et al. 2013, doi:10.1109/EMBC.2013.6610779), one row per image.

    `root` holds `PH2_dataset.txt`, and below it the images as `PH2 Dataset
    images/IMD003/IMD003_Dermoscopic_Image/IMD003.bmp`. The clinical diagnosis (0 common
    nevus, 1 atypical nevus, 2 melanoma) is the label; `histology` holds the pathologist's
    words if there was a biopsy. Further columns hold the dermoscopic criteria in the
    archive's letters (A absent, AT atypical, P present, T typical; asymmetry 0 to 2),
    `colors` (1 white, 2 red, 3 light brown, 4 dark brown, 5 blue-grey, 6 black), and the
    path of the outline in `mask_path`. Ages, sexes, sites and patients are not given: each
    image is its own group.

    `PH2_dataset.xlsx` has the same content and is not read. Raises `DatasetNotFoundError`
    without the text file and `ColumnError` where it holds no row of the expected form.
    """
    root = check_folder(root, archive="PH2")
    path = find_below(root, [TABLE])
    if path is None and find_below(root, ["PH2_dataset.xlsx"]) is not None:
        raise DatasetNotFoundError(
            f"{root} holds PH2_dataset.xlsx but not {TABLE}, which comes with it and is "
            "the one that is read; put it there."
        )
    path = path or need_file(root, [TABLE], archive="PH2")
    source = _rows(path)
    diagnoses, notes = map_diagnoses(source["clinical"].replace(DIAGNOSES))
    table = pd.DataFrame(
        {"image_id": source["image_id"], "dataset": "ph2", "modality": "dermoscopy"}
    ).join([diagnoses, source[["histology", *CRITERIA, "colors"]]])
    files = ImageFiles(root)
    table["path"] = files.paths(source["image_id"])
    table["mask_path"] = files.paths(source["image_id"] + "_lesion")
    return finish(table, source=str(path), notes=[*notes, *files.notes(table)])


def _rows(path: Path) -> pd.DataFrame:
    """Return the rows of the table; the legend below it is skipped."""
    rows = []
    for line in read_text(path).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("||")]
        if len(cells) != 5 or not cells[0].upper().startswith("IMD"):
            continue
        criteria = [cell.strip() for cell in cells[3].split("|")]
        if len(criteria) != len(CRITERIA):
            raise ColumnError(
                f"{path}: {cells[0]} should have {len(CRITERIA)} criteria between its "
                f"bars, but has {len(criteria)}."
            )
        rows.append([*cells[:3], *criteria, " ".join(cells[4].split())])
    if not rows:
        raise ColumnError(
            f"{path} holds no row such as '|| IMD003 || … || 0 || … ||'; is it the table "
            "that comes with PH2?"
        )
    names = ["image_id", "histology", "clinical", *CRITERIA, "colors"]
    table = pd.DataFrame(rows, columns=names, dtype="string")
    return table.mask(table == "")
