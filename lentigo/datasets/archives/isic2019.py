"""ISIC 2019: 25,331 dermoscopic images of eight classes, and a test set with a ninth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.fields import describe, one_hot, read_folded
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

TRUTHS = {
    "training": ("ISIC_2019_Training_GroundTruth.csv",),
    "test": ("ISIC_2019_Test_GroundTruth.csv",),
}
CLASSES = {
    "mel": "melanoma",
    "nv": "nevus",
    "bcc": "basal cell carcinoma",
    "ak": "actinic keratosis",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "vasc": "vascular lesion",
    "scc": "squamous cell carcinoma",
    "unk": "unknown",
}
FIELDS = {
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general",
    "lesion_id": "lesion_id",
}


def read(root: Path, *, part: str = "all") -> NotedTable:
    """ISIC 2019 (Hernández-Pérez et al. 2024, Tschandl et al. 2018, Codella et al. 2018).

    `root` holds `ISIC_2019_Training_GroundTruth.csv`, `ISIC_2019_Test_GroundTruth.csv`, or
    both; `ISIC_2019_*_Metadata.csv` and the images in `ISIC_2019_Training_Input` and
    `ISIC_2019_Test_Input` are used if they exist, also in folders below. `part` is
    training, test or all; the column `part` tells the part of each image. The class UNK of
    the test set means "none of the other classes": not melanoma, but `malignant` is
    missing. Lesions are named only in the training part, and not all; patients are not
    named. The images are those of HAM10000, BCN20000 and MSK, so tables of these archives
    must be joined with `combine`, or images would be counted twice.

    Raises `DatasetNotFoundError` without a ground truth file, `ColumnError` without a
    needed column and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="ISIC 2019")
    truths = present_parts(root, part, TRUTHS, archive="ISIC 2019")
    parts = [_read_part(root, name, path) for name, path in truths.items()]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    notes = [note for _, notes in parts for note in notes]
    files = ImageFiles(root, prefer=("ISIC_2019_Training_Input", "ISIC_2019_Test_Input"))
    table["path"] = files.paths(table["image_id"])
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _read_part(root: Path, part: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    truth = read_folded(path, ("image",))
    # The training file of some releases has no column UNK, as no image there is of it.
    classes = {name: CLASSES[name] for name in CLASSES if name != "unk" or name in truth}
    words, notes = one_hot(truth, classes, where=str(path))
    diagnoses, _ = map_diagnoses(words)
    none_of_them = (words == "unknown").fillna(False)
    patients, said = _read_patients(root, part, truth["image"])
    table = pd.DataFrame(
        {
            "image_id": truth["image"],
            "dataset": "isic2019",
            "modality": "dermoscopy",
            "part": part,
        }
    ).join([patients, diagnoses])
    table["melanoma"] = table["melanoma"].mask(none_of_them, False)
    return table, [*notes, *said]


def _read_patients(
    root: Path, part: str, images: pd.Series[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return age, sex, site and lesion of each image.

    Empty, with a note, without the file.
    """
    path = find_below(root, [f"ISIC_2019_{part.capitalize()}_Metadata.csv"])
    if path is None:
        return pd.DataFrame(index=images.index), [
            f"There is no metadata file for the {part} part: no age, sex, site and lesion."
        ]
    source = read_folded(path, ("image", "age_approx", "anatom_site_general", "sex"))
    source = once_each(source, "image", where=path).set_index("image").reindex(images)
    return describe(source.reset_index(drop=True).set_index(images.index), FIELDS)
