"""Fitzpatrick17k: 16,577 clinical images of 114 conditions, with skin types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.fields import describe, read_folded, with_archive_answer
from lentigo.datasets.reading.files import ImageFiles, check_folder, finish, need_file
from lentigo.table_files.not_known import plain
from lentigo.tables import NotedTable

FURTHER = ("nine_partition_label", "three_partition_label", "qc", "url")


def read(root: Path) -> NotedTable:
    """Fitzpatrick17k (Groh et al. 2021, doi:10.1109/CVPRW53098.2021.00201), by image.

    `root` holds `fitzpatrick17k.csv`; the images may be in any folder below it, named after
    their `md5hash` or after `url_alphanum`. They are clinical photographs from two atlases,
    most of them of conditions that are not tumours; a skin type of -1 becomes missing.
    `malignant` follows the diagnosis; where that leaves it open, `three_partition_label`
    (benign, malignant, non-neoplastic) fills it in. No patients are named: each image is
    its own group, although the atlases show some patients more than once.

    Raises `DatasetNotFoundError` without the table and `ColumnError` without a needed
    column.
    """
    root = check_folder(root, archive="Fitzpatrick17k")
    path = need_file(root, ("fitzpatrick17k.csv",), archive="Fitzpatrick17k")
    source = read_folded(
        path,
        ("md5hash", "fitzpatrick_scale", "label", "three_partition_label"),
        other_names={"fitzpatrick": "fitzpatrick_scale"},
    )
    scale = source["fitzpatrick_scale"].str.strip()
    source["fitzpatrick_scale"] = scale.mask(scale.isin(["-1", "-1.0"]))
    fields, notes = describe(
        source, {"skin_type": "fitzpatrick_scale", "diagnosis": "label"}
    )
    fields, said = with_archive_answer(fields, _malignant(source["three_partition_label"]))
    table = pd.DataFrame(
        {
            "image_id": source["md5hash"],
            "dataset": "fitzpatrick17k",
            "modality": "clinical",
        }
    ).join([fields, source[[name for name in FURTHER if name in source]]])
    files = ImageFiles(root)
    table["path"] = files.paths(source["md5hash"])
    if "url_alphanum" in source:
        table["path"] = table["path"].fillna(files.paths(source["url_alphanum"]))
    return finish(table, source=str(path), notes=[*notes, *said, *files.notes(table)])


def _malignant(column: pd.Series[Any]) -> pd.Series[Any]:
    answers = {"malignant": True, "benign": False, "non-neoplastic": False}
    return plain(column).map(answers).astype("boolean")
