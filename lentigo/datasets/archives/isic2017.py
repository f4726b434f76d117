"""ISIC 2017: the challenge on melanoma and seborrheic keratosis, in three parts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets.reading.fields import read_answer
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    choose_parts,
    find_file,
    finish,
    need_file,
    once_each,
    read_ages,
    read_columns,
)
from lentigo.datasets.reading.known_words import SEX_WORDS
from lentigo.datasets.reading.label_conflicts import Conflict, refuse_conflicts
from lentigo.datasets.reading.vocabulary import map_words
from lentigo.tables import NotedTable

PARTS = {"training": "Training", "validation": "Validation", "test": "Test_v2"}


def read(root: Path, *, part: str = "all") -> NotedTable:
    """ISIC 2017, part 3 (Codella et al. 2018, doi:10.1109/ISBI.2018.8363547), by image.

    `root` holds at least one ground truth file such as
    `ISIC-2017_Training_Part3_GroundTruth.csv`; folders such as `ISIC-2017_Training_Data`
    and their `_metadata.csv` are used if they exist. `part` is training, validation, test
    or all; the column `part` tells the part of each image. A lesion that is neither
    melanoma nor seborrheic keratosis is a nevus, as the challenge defines it. The archive
    names neither patients nor lesions, so each image is its own group.

    Raises `DatasetNotFoundError` without a ground truth file, `ColumnError` without a
    needed column or where a lesion is both melanoma and seborrheic keratosis, and
    `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="ISIC 2017")
    truths = {
        name: f"ISIC-2017_{PARTS[name]}_Part3_GroundTruth.csv"
        for name in choose_parts(part, list(PARTS), archive="ISIC 2017")
    }
    need_file(root, list(truths.values()), archive="ISIC 2017")
    files = ImageFiles(root, prefer=[f"ISIC-2017_{name}_Data" for name in PARTS.values()])
    found = {name: find_file(root, [truth]) for name, truth in truths.items()}
    parts = [_read_part(root, name, path) for name, path in found.items() if path]
    table = pd.concat([rows for rows, _ in parts], ignore_index=True)
    table["path"] = files.paths(table["image_id"])
    notes = [note for _, notes in parts for note in notes]
    return finish(table, source=str(root), notes=[*notes, *files.notes(table)])


def _read_part(root: Path, part: str, truth_path: Path) -> tuple[pd.DataFrame, list[str]]:
    truth = read_columns(truth_path, ("image_id", "melanoma", "seborrheic_keratosis"))
    where = str(truth_path)
    melanoma, notes = read_answer(truth["melanoma"], name="melanoma", source=where)
    keratosis, said = read_answer(
        truth["seborrheic_keratosis"], name="seborrheic_keratosis", source=where
    )
    both = (melanoma.eq(True) & keratosis.eq(True)).fillna(False).astype(bool)
    conflict = Conflict("melanoma", "seborrheic_keratosis", both)
    refuse_conflicts(truth, iter([conflict]), where=where, image="image_id")
    patients, also = _read_patients(root, part)
    patients = patients.reindex(truth["image_id"]).reset_index(drop=True)
    diagnosis = pd.Series("nevus", index=truth.index, dtype="string")
    diagnosis = diagnosis.mask(keratosis.fillna(False), "seborrheic keratosis")
    diagnosis = diagnosis.mask(melanoma.fillna(False), "melanoma")
    # A lesion is a nevus only if both labels are known to be no.
    open_question = melanoma.isna() | (keratosis.isna() & ~melanoma.fillna(False))
    diagnosis = diagnosis.mask(open_question)
    table = pd.DataFrame(
        {
            "image_id": truth["image_id"],
            "dataset": "isic2017",
            "sex": patients["sex"],
            "age": patients["age"],
            "diagnosis": diagnosis,
            "melanoma": melanoma,
            "malignant": melanoma,
            "modality": "dermoscopy",
            "part": part,
        }
    )
    return table, [*notes, *said, *also]


def _read_patients(root: Path, part: str) -> tuple[pd.DataFrame, list[str]]:
    """Return sex and age by image id of a part; empty, with a note, without its file."""
    path = find_file(root, [f"ISIC-2017_{PARTS[part]}_Data_metadata.csv"])
    if path is None:
        empty = pd.DataFrame(
            {"sex": pd.Series(dtype="string"), "age": pd.Series(dtype=float)}
        )
        return empty, [f"There is no metadata file for the {part} part: no age and sex."]
    source = read_columns(path, ("image_id", "age_approximate", "sex"))
    source = once_each(source, "image_id", where=path)
    sexes, notes = map_words(source["sex"], SEX_WORDS, name="sex")
    ages, age_notes = read_ages(source["age_approximate"])
    patients = pd.DataFrame({"sex": sexes, "age": ages}).set_axis(source["image_id"])
    return patients, [*notes, *age_notes]
