"""Any CSV with one row per image, and a folder that holds the images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote

import pandas as pd

from lentigo.datasets.reading.ages import births_beside
from lentigo.datasets.reading.class_columns import unclear_classes
from lentigo.datasets.reading.column_names import header, is_hearsay, key
from lentigo.datasets.reading.column_remarks import not_taken
from lentigo.datasets.reading.columns import choose_columns, image_names, looks_like_images
from lentigo.datasets.reading.fields import describe
from lentigo.datasets.reading.files import (
    ImageFiles,
    check_folder,
    finish,
    read_columns,
)
from lentigo.datasets.reading.label_columns import read_labels
from lentigo.datasets.reading.melanoma_words import share_of_diagnoses
from lentigo.datasets.reading.other_columns import without_role
from lentigo.datasets.reading.sheet_rows import (
    header_below,
    other_rows,
    refuse_second_header,
    without_rows,
)
from lentigo.datasets.reading.vocabulary import spelled_alike
from lentigo.errors import ColumnError, ConfigError, DatasetError, DatasetNotFoundError
from lentigo.imaging.decoding.packed import SUFFIXES
from lentigo.table_files.cells import as_ids
from lentigo.table_files.door import is_visible_table, split_sheet, table_name
from lentigo.table_files.not_known import hashes, known_ids, perhaps_missing, plain
from lentigo.tables import NotedTable
from lentigo.words import counted, some, verb


def read(
    root: Path,
    *,
    image_dir: Path | str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> NotedTable:
    """The table `root`, or the only table in the folder `root`, with its images.

    The columns are guessed by their names, which the notes tell, or given by `columns` as
    `{"melanoma": "target"}` or `"melanoma=target,age=years"`. Images are searched in
    `image_dir` (by default the folder of the table; it may be a zip or an HDF5 file) and
    below, by path, by file name and by stem. Unknown words in a label are an error
    (`read_labels`); other unknown words become missing, and the notes list them.

    Raises `DatasetNotFoundError` without a table, `DatasetError` where a folder holds
    several or the header has several rows, `ColumnError` where no column names the images,
    and `UnknownWordsError` for labels in unknown words.
    """
    path = find_table(Path(root))
    given = _as_mapping(columns)
    with as_ids(*map(given.get, ("image_id", "patient_id", "lesion_id"))):
        source = read_columns(path)
    chosen = choose_columns(source.columns, given=given, source=str(path))
    if "image_id" not in chosen:
        raise _no_image_column(source, path)
    refuse_second_header(source, where=str(path))
    files = ImageFiles(_images(path.parent if image_dir is None else Path(image_dir)))
    found = files.paths(source[chosen.get("path", chosen["image_id"])])
    others = other_rows(source, chosen, found.notna(), where=str(path))
    source, found = without_rows(source, others.rows), without_rows(found, others.rows)
    table, notes = _patients(source, chosen)
    table["image_id"] = image_names(source[chosen["image_id"]])
    table["path"] = found
    table["dataset"] = table_name(path)
    table = _ours_by_name(table, source)
    labels = read_labels(
        source,
        chosen,
        where=str(path),
        named="melanoma" in given,
        named_diagnosis="diagnosis" in given,
    )
    table = table.join(labels.table)
    chosen |= {"melanoma": labels.column} if labels.column else {}
    said = [*labels.notes, *_unlabelled(table, source, chosen)]
    said += unclear_classes(source, labels.column)
    notes = [_guess(chosen, given), *others.notes, *said, *notes, *files.notes(table)]
    notes += files.unnamed(table)
    finished = finish(table, source=str(path), notes=notes)
    return replace(finished, no_images=tuple(others.rows))


def _no_image_column(source: pd.DataFrame, path: Path) -> ColumnError:
    below = header_below(source)
    hint = (
        f"Row {below[0]} (empty rows not counted) seems to hold the names of "
        f"the columns ({some(below[1])}); delete what is above it."
        if below
        else _advice(source)
    )
    return ColumnError(
        f"{path} has no column that looks like the name of an image. It has "
        f"{some(list(source), at_most=8)}. {hint}"
    )


def _advice(source: pd.DataFrame) -> str:
    """Return what to do where no column is called as one for images."""
    found = [str(name) for name in source if looks_like_images(source[name])]
    if not found:
        return "Say which one it is with --column image_id=…."
    several = (
        " A row is one image: where a row has several, write a row for each."
        if len(found) > 1
        else ""
    )
    return (
        f"Names of images stand in {some(found)}: say so with --column "
        f"image_id={quote(found[0])}.{several}"
    )


def _unlabelled(
    table: pd.DataFrame, source: pd.DataFrame, chosen: Mapping[str, str]
) -> list[str]:
    """Return a sentence if no image has a label, with the columns that may hold it.

    These are columns without a role of which half of the filled cells are diagnoses, or
    words for benign.
    """
    if not table["melanoma"].isna().all():
        return []
    free = [name for name in without_role(source, chosen) if not is_hearsay(header(name))]
    shares = {name: share_of_diagnoses(source[name]) for name in free}
    likely = [name for name in free if shares[name] >= 0.5]
    # Of diagnosis_2 and diagnosis_3 of the ISIC Archive, the one that leaves least open.
    likely.sort(key=lambda name: -shares[name] * source[name].notna().mean())
    if likely:
        return [
            "No column is called as one for the label is: melanoma is missing for all "
            f"images. Words for diagnoses stand in {some(likely)}: say so with --column "
            f"melanoma={quote(str(likely[0]))}."
        ]
    return [
        "No column holds a label: melanoma is missing for all images. It has "
        f"{some(list(source), at_most=8)}; if one of them does, name it with --column "
        "melanoma=…."
    ]


def _images(place: Path) -> Path:
    if place.suffix.lower() in SUFFIXES and place.is_file():
        return place.absolute()
    return check_folder(place, archive="the images")


def find_table(root: Path) -> Path:
    """Return `root` if it is a file, else the only table in the folder `root`.

    Raises `DatasetNotFoundError` where the folder holds no table, and `DatasetError` where
    it holds several.
    """
    place, sheet = split_sheet(root)
    if os.path.lexists(place) and not place.is_dir():
        return place.absolute() if sheet is None else Path(f"{place.absolute()}#{sheet}")
    root = check_folder(root, archive="a CSV file")
    tables = sorted(path for path in root.iterdir() if is_visible_table(path))
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise DatasetNotFoundError(f"{root} holds no CSV file; give the path of the table.")
    raise DatasetError(
        f"{root} holds {len(tables)} tables ({some([path.name for path in tables])}); give "
        "the path of the one to read."
    )


def _as_mapping(columns: Mapping[str, str] | str | None) -> Mapping[str, str]:
    if not isinstance(columns, str):
        return columns or {}
    pairs = [pair.partition("=") for pair in columns.split(",") if pair.strip()]
    if wrong := [ours for ours, equals, _ in pairs if not equals]:
        raise ConfigError(
            f"columns has no '=' in {some(wrong)}; write columns=melanoma=target,age=years."
        )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def _patients(
    source: pd.DataFrame, chosen: Mapping[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    table = pd.DataFrame(index=source.index)
    notes: list[str] = []
    for name in ("patient_id", "lesion_id"):
        if name in chosen:
            table[name] = known_ids(source[chosen[name]])
            notes += spelled_alike(table[name], name=name)
    if "patient_id" in table:
        notes += _without_patient(table)
    asked = [name for name in ("sex", "site", "skin_type", "age") if name in chosen]
    described, said = describe(source, {name: chosen[name] for name in asked})
    table = table.join(described)
    notes += said
    if "age" not in chosen:
        notes += births_beside({key(name): str(name) for name in source})
    notes += not_taken(chosen, map(str, source))
    return table, notes


def _without_patient(table: pd.DataFrame) -> list[str]:
    """Return sentences on images without a patient, or with one that may be no patient.

    Cells of several rows may have been merged, and 999 may mean "not known".
    """
    said = [
        f"{counted(count, 'image')} name the patient {word}, who is taken for one person. "
        f'If {word} means "not known", leave these cells empty.'
        for word, count in perhaps_missing(table["patient_id"]).items()
    ]
    missing = table["patient_id"].isna()
    count = int(missing.sum())
    if not count or missing.all():
        return said
    return [
        *said,
        f"{counted(count, 'image')} of {len(table):,} {verb(count, 'names', 'name')} no "
        f"patient, and {verb(count, 'is', 'are')} taken for nobody else's. If an empty "
        "cell means 'as above', fill it in.",
    ]


def _ours_by_name(table: pd.DataFrame, source: pd.DataFrame) -> pd.DataFrame:
    """Add the columns dataset, group_id and sha256 if `source` has them by these names."""
    if "dataset" in source:
        given = source["dataset"].mask(plain(source["dataset"]).isna())
        table["dataset"] = given.fillna(table["dataset"])
    if "group_id" in source:
        table["group_id"] = known_ids(source["group_id"])
    if "sha256" in source:
        table["sha256"] = hashes(source["sha256"])
    return table


def _guess(chosen: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Return a sentence on which columns were chosen by name, and which by the user."""
    own = {ours: theirs for ours, theirs in chosen.items() if ours in given}
    pairs, told = (
        ", ".join(f"{ours} from {theirs}" for ours, theirs in each.items())
        for each in ({k: v for k, v in chosen.items() if k not in own}, own)
    )
    said = f"Columns were chosen by name: {pairs}." if pairs else ""
    return f"{said} As you said: {told}.".strip() if told else said
