"""SIIM-ISIC 2020: 33,126 dermoscopic training images of 2,056 patients, with their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd

from lentigo.datasets.reading.columns import missing_column
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
from lentigo.datasets.reading.label_conflicts import column_conflicts, refuse_conflicts
from lentigo.datasets.reading.vocabulary import (
    map_diagnoses,
    map_sites,
    map_words,
    without_open,
)
from lentigo.tables import NotedTable

TABLES = {
    "train": (
        "train.csv",
        "ISIC_2020_Training_GroundTruth_v2.csv",
        "ISIC_2020_Training_GroundTruth.csv",
    ),
    "test": ("test.csv", "ISIC_2020_Test_Metadata.csv"),
}
FOLDERS = (
    "jpeg/train",
    "jpeg/test",
    "train",
    "test",
    "ISIC_2020_Training_JPEG/train",
    "ISIC_2020_Training_JPEG",
    "ISIC_2020_Test_JPEG/ISIC_2020_Test_Input",
    "ISIC_2020_Test_Input",
    ".",
)
# The challenge's own site and Kaggle call some columns of the test table differently.
_OTHER_NAMES = {
    "image": "image_name",
    "patient": "patient_id",
    "anatom_site_general": "anatom_site_general_challenge",
}


def read(root: Path, *, part: str = "train") -> NotedTable:
    """SIIM-ISIC 2020 (Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z), by image.

    `root` holds `train.csv` (or the official ground truth) and, if they were downloaded,
    the images in `jpeg/train` or any folder below; it can be read without images. `part` is
    `train`, `test` (not labelled: `melanoma` is missing) or `all`. Lesion ids are read from
    `ISIC_2020_Training_GroundTruth_v2.csv`, and `ISIC_2020_Training_Duplicates.csv` lists
    pairs of duplicates: in the row of the second image of a pair, `duplicate_of` holds the
    name of the first. Both files are optional. The diagnosis of most benign lesions is
    "unknown" in the archive, and so missing in the table.

    Raises `DatasetNotFoundError` without a table, `ColumnError` without a needed column and
    `UnknownNameError` for another `part`.
    """
    root = check_folder(root, archive="SIIM-ISIC 2020")
    parts = choose_parts(part, list(TABLES), archive="SIIM-ISIC 2020")
    read_parts = [_read_part(root, name) for name in parts]
    table = pd.concat([rows for rows, _ in read_parts], ignore_index=True)
    notes = [note for _, notes in read_parts for note in notes]
    files = ImageFiles(root, prefer=FOLDERS)
    table["path"] = files.paths(table["image_id"])
    table["lesion_id"] = _lesions(root, table["image_id"])
    table["duplicate_of"] = _duplicates(root, table["image_id"])
    notes += [*files.notes(table), *_not_read(root, parts)]
    return finish(table, source=str(root), notes=notes)


def _not_read(root: Path, parts: Sequence[str]) -> list[str]:
    there = [name for name in TABLES["test"] if (root / name).is_file()]
    if "test" in parts or not there:
        return []
    return [
        f"{there[0]} is there and was not read: it has no labels (--part test, or all)."
    ]


def _read_part(root: Path, part: str) -> tuple[pd.DataFrame, list[str]]:
    path = need_file(root, TABLES[part], archive=f"the {part} part of SIIM-ISIC 2020")
    source = read_columns(path).rename(columns=_OTHER_NAMES)
    needed = [
        "image_name",
        "patient_id",
        "sex",
        "age_approx",
        "anatom_site_general_challenge",
    ]
    if part == "train":
        needed += ["diagnosis", "target"]
    for name in needed:
        if name not in source:
            raise missing_column(name, source.columns, source=str(path))
    sexes, sex_notes = map_words(source["sex"], SEX_WORDS, name="sex")
    sites, site_notes = map_sites(source["anatom_site_general_challenge"])
    ages, age_notes = read_ages(source["age_approx"])
    table = pd.DataFrame(
        {
            "image_id": source["image_name"],
            "dataset": "siim2020",
            "patient_id": source["patient_id"],
            "sex": sexes,
            "age": ages,
            "modality": "dermoscopy",
            "part": part,
        }
    ).join(sites)
    for name in ("width", "height"):
        if name in source:
            table[name] = pd.to_numeric(source[name])
    table, notes = _add_labels(table, source, path=path)
    return table, [*sex_notes, *site_notes, *age_notes, *notes]


def _add_labels(
    table: pd.DataFrame, source: pd.DataFrame, *, path: Path
) -> tuple[pd.DataFrame, list[str]]:
    if "target" not in source:
        return table, []
    melanoma, notes = read_answer(source["target"], name="melanoma", source=str(path))
    words, said = map_diagnoses(source["diagnosis"])
    malignant, also = melanoma, list[str]()
    if "benign_malignant" in source:
        malignant, also = read_answer(
            source["benign_malignant"], name="malignant", source=str(path)
        )
    _refuse_conflicts(source, melanoma, words, malignant, path=path)
    labelled = table.assign(
        diagnosis=words["diagnosis"], melanoma=melanoma, malignant=malignant
    )
    # The target is the archive's own answer, so an unknown diagnosis leaves nothing open.
    return labelled, [*notes, *without_open(said), *also]


def _refuse_conflicts(
    source: pd.DataFrame,
    melanoma: pd.Series[Any],
    said: pd.DataFrame,
    malignant: pd.Series[Any],
    *,
    path: Path,
) -> None:
    """Raise `ColumnError` where label and diagnosis contradict each other.

    `said` holds melanoma and malignant as the diagnosis says. The published table has no
    such row, but a table in the same layout may.
    """
    chosen = {"melanoma": "target", "diagnosis": "diagnosis"}
    if "benign_malignant" in source:
        chosen["malignant"] = "benign_malignant"
    found = column_conflicts(
        source, chosen, label=melanoma, said=said, own=malignant, malignancy=False
    )
    place = quote(str(path)).replace("{", "{{").replace("}", "}}")
    advice = f"say which is believed: lentigo read csv {place} --column melanoma={{first}}"
    refuse_conflicts(source, found, where=str(path), image="image_name", advice=advice)


def _lesions(root: Path, image_ids: pd.Series[str]) -> pd.Series[str]:
    path = find_file(root, ["ISIC_2020_Training_GroundTruth_v2.csv"])
    if path is None:
        return pd.Series(pd.NA, index=image_ids.index, dtype="string")
    columns = ["image_name", "lesion_id"]
    truth = once_each(read_columns(path, columns)[columns], "image_name", where=path)
    names = dict(zip(truth["image_name"], truth["lesion_id"], strict=True))
    return image_ids.map(names).astype("string")


def _duplicates(root: Path, image_ids: pd.Series[str]) -> pd.Series[str]:
    path = find_file(root, ["ISIC_2020_Training_Duplicates.csv"])
    if path is None:
        return pd.Series(pd.NA, index=image_ids.index, dtype="string")
    pairs = read_columns(path, ("image_name_1", "image_name_2"))
    return image_ids.map(
        _first_of_pairs(zip(pairs["image_name_1"], pairs["image_name_2"], strict=True))
    )


def _first_of_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for the second image of each pair the first, so that no pair is lost.

    Of an image that is the second of several pairs, the first ones point to each other.
    """
    found: dict[str, str] = {}
    for first, second in pairs:
        one, other = _head(found, first), _head(found, second)
        if one == other:
            continue
        if second in found:
            found[one] = other
        else:
            found[second] = first
    return found


def _head(found: Mapping[str, str], name: str) -> str:
    while name in found:
        name = found[name]
    return name
