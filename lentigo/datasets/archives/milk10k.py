"""MILK10k: 5,240 lesions, each in a dermoscopic and a clinical close-up image."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.archives.isic_archive import deepest_known
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
from lentigo.words import counted

TABLES = {
    "training": ("MILK10k_Training_Metadata.csv",),
    "test": ("MILK10k_Test_Metadata.csv",),
}
CLASSES = (
    "akiec", "bcc", "ben_oth", "bkl", "df", "inf", "mal_oth", "mel", "nv", "sccka", "vasc",
)  # fmt: skip
FIELDS = {
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "site",
    "modality": "image_type",
}
FURTHER = ("skin_tone_class", "diagnosis_confirm_type", "invasion_thickness_interval")


def read(root: Path, *, part: str = "all") -> NotedTable:
    """MILK10k (Tschandl et al. 2025, doi:10.34970/648456), one row per image.

    `root` holds `MILK10k_Training_Metadata.csv` or that of the test part, the ground truth
    in `MILK10k_Training_GroundTruth.csv` (one row per lesion, eleven classes; the test part
    has none), the finer diagnoses in `MILK10k_Training_Supplement.csv` if it exists, and
    the images in `MILK10k_Training_Input`. `part` is training, test or all. Patients are
    not named; the two images of a lesion are one group.

    A finer diagnosis is used if it agrees with the class on melanoma; otherwise the class
    is used, and the notes count the contradictions. `skin_tone_class` (0 very dark to 5
    very light) is no Fitzpatrick type and is kept in a column of its own.

    Raises `DatasetNotFoundError` without the metadata, `ColumnError` without a needed
    column and `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="MILK10k")
    there = present_parts(root, part, TABLES, archive="MILK10k")
    parts = [_read_part(root, name, path) for name, path in there.items()]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    notes = [note for _, notes in parts for note in notes]
    files = ImageFiles(root)
    table["path"] = files.paths(table["image_id"])
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _read_part(root: Path, part: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    source = read_folded(path, ("isic_id", "lesion_id", "image_type"))
    supplement = find_below(root, [f"MILK10k_{part.capitalize()}_Supplement.csv"])
    if supplement is not None:
        finer = once_each(
            read_folded(supplement, ("isic_id",)), "isic_id", where=supplement
        )
        new = finer.columns.difference(source.columns).union(["isic_id"])
        source = source.merge(finer[new], on="isic_id", how="left")
    fields, notes = describe(source, FIELDS)
    diagnoses, said = _diagnoses(root, part, source)
    table = pd.DataFrame(
        {"image_id": source["isic_id"], "dataset": "milk10k", "part": part}
    ).join([fields, diagnoses, source[[name for name in FURTHER if name in source]]])
    return table, [*notes, *said]


def _diagnoses(
    root: Path, part: str, source: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    path = find_below(root, [f"MILK10k_{part.capitalize()}_GroundTruth.csv"])
    if path is None:
        return pd.DataFrame(index=source.index), [
            f"There is no truth file for the {part} part: its images are unlabelled."
        ]
    truth = once_each(read_folded(path, ("lesion_id",)), "lesion_id", where=path)
    words, notes = one_hot(truth, {name: name for name in CLASSES}, where=str(path))
    words = source["lesion_id"].map(dict(zip(truth["lesion_id"], words, strict=True)))
    table, _ = map_diagnoses(words.astype("string"))
    if "diagnosis_full" not in source:
        return table, notes
    levels = source["diagnosis_full"].str.split(r"::|:", regex=True, expand=True)
    finer, _ = map_diagnoses(deepest_known(levels, list(levels.columns)[::-1]))
    known = finer["melanoma"].notna() & table["melanoma"].notna()
    agrees = known & (finer["melanoma"] == table["melanoma"]).fillna(False)
    if differs := int((known & ~agrees).sum()):
        notes.append(
            f"For {counted(differs, 'image')} the finer diagnosis contradicts the class on "
            "melanoma; the class is taken."
        )
    chosen = {name: finer[name].where(agrees, table[name]) for name in table}
    return pd.DataFrame(chosen), notes
