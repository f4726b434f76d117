"""ISIC 2018 task 3: HAM10000 as training set, and further images to validate and test."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.fields import one_hot, read_folded
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    find_below,
    finish,
    once_each,
    present_parts,
)
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.tables import NotedTable

PARTS = ("training", "validation", "test")
CLASSES = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")


def read(root: Path, *, part: str = "all") -> NotedTable:
    """ISIC 2018, task 3 (Codella et al. 2019, arXiv:1902.03368), one row per image.

    `root` holds at least one ground truth file such as
    `ISIC2018_Task3_Training_GroundTruth.csv`, perhaps in the folder of that name in which
    it is published. The images are in `ISIC2018_Task3_Training_Input` and so on; an image
    without a file has no `path`, and a note counts such images. `part` is `training`,
    `validation`, `test` or `all`; the column `part` tells the part of each image. Lesions,
    and how a diagnosis was confirmed, are read from
    `ISIC2018_Task3_Training_LesionGroupings.csv`, if it exists, and are known only for the
    training part. Patients, ages, sexes and sites are not published with this challenge;
    HAM10000 has them for the same images. As in HAM10000, `malignant` is missing for
    `AKIEC`, which is actinic keratosis or carcinoma in situ.

    Raises `DatasetNotFoundError` without a ground truth file, `ColumnError` without a
    needed column and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="ISIC 2018 task 3")
    names = {name: (f"{_stem(name)}_GroundTruth.csv",) for name in PARTS}
    truths = present_parts(root, part, names, archive="ISIC 2018 task 3")
    parts = [_read_part(name, path) for name, path in truths.items()]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    notes = [note for _, notes in parts for note in notes]
    table = table.join(_lesions(root, table["image_id"]))
    files = ImageFiles(root, prefer=[f"{_stem(name)}_Input" for name in PARTS])
    table["path"] = files.paths(table["image_id"])
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _stem(part: str) -> str:
    return f"ISIC2018_Task3_{part.capitalize()}"


def _read_part(part: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    truth = read_folded(path, ("image",))
    words, notes = one_hot(truth, {name: name for name in CLASSES}, where=str(path))
    diagnoses, _ = map_diagnoses(words)
    table = pd.DataFrame(
        {
            "image_id": truth["image"],
            "dataset": "isic2018",
            "modality": "dermoscopy",
            "part": part,
        }
    )
    return table.join(diagnoses), notes


def _lesions(root: Path, images: pd.Series[str]) -> pd.DataFrame:
    """Return the lesion of each image, and how it was confirmed; empty without the file."""
    path = find_below(root, [f"{_stem('training')}_LesionGroupings.csv"])
    if path is None:
        return pd.DataFrame(index=images.index)
    source = read_folded(path, ("image", "lesion_id"))
    source = once_each(source, "image", where=path).set_index("image").reindex(images)
    found = source.set_index(images.index)
    wanted = [name for name in ("lesion_id", "diagnosis_confirm_type") if name in found]
    return found[wanted]
