"""A folder of DICOM files, as the image archive of a clinic exports them."""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.archives.folder import image_names_below
from lentigo.datasets.reading import zipped
from lentigo.datasets.reading.fields import describe
from lentigo.datasets.reading.files import check_folder, finish, image_files
from lentigo.datasets.reading.look_alikes import look_alikes
from lentigo.errors import DatasetNotFoundError
from lentigo.imaging.decoding.dicom import SUFFIXES
from lentigo.imaging.decoding.packed import read_bytes
from lentigo.table_files.not_known import known_ids
from lentigo.tables import NotedTable
from lentigo.words import counted, some, verb

_TAGS = (
    "PatientID", "PatientSex", "PatientAge", "BodyPartExamined", "Modality", "Rows",
    "Columns",
)  # fmt: skip
FIELDS = {
    "sex": "PatientSex",
    "site": "BodyPartExamined",
    "width": "Columns",
    "height": "Rows",
}
_EMPTY = ("", "None")
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}


def read(root: Path) -> NotedTable:
    """The DICOM files in `root` and below (.dcm, .dicom), one row per file.

    Sex, age, body part and size are read from the header; names, birth dates and study
    dates never are. The patient's id is only used to find files of the same person: the
    patients get the numbers P1, P2 … in the order of their files, and the id itself is not
    stored. File names are stored: if they contain the names of patients, rename the files
    first. A header holds no diagnosis, so the images are unlabelled; for labels, read a
    table with the format `csv` and these files as its images. A file whose header cannot be
    read has a row without these values, and is named in the notes.

    Raises `DatasetNotFoundError` where there is no such file.
    """
    root = check_folder(root, archive="DICOM files")
    files = [path for path in image_files(root) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise DatasetNotFoundError(
            f"{root} holds no DICOM file (.dcm or .dicom); give the folder that does."
        )
    headers = [_header(path) for path in files]
    source = pd.DataFrame(
        [header or {} for header in headers], columns=list(_TAGS), dtype="string"
    )
    fields, notes = describe(source, FIELDS)
    people = known_ids(source["PatientID"])
    notes += _alike(people)
    table = pd.DataFrame(
        {
            "image_id": image_names_below(root, files),
            "path": [str(path) for path in files],
            "dataset": root.name,
            "patient_id": _numbered(people),
            "age": source["PatientAge"].map(_years, na_action="ignore").astype("float64"),
        }
    ).join(fields)
    unread = [path.name for path, header in zip(files, headers, strict=True) if not header]
    if unread:
        notes.append(f"{counted(len(unread), 'file')} without a header: {some(unread)}.")
    return finish(table, source=str(root), notes=notes)


def _header(path: Path) -> dict[str, str] | None:
    """Return the tags in `_TAGS` as text; None where the file is not readable as DICOM."""
    from pydicom import dcmread

    try:
        # pydicom warns about values that break the standard; unusable ones are missing.
        with warnings.catch_warnings(action="ignore"):
            source = _opened(path)
            dataset = dcmread(source, stop_before_pixels=True, specific_tags=list(_TAGS))
            values = {name: str(dataset.get(name, "")).strip() for name in _TAGS}
        return {name: value for name, value in values.items() if value not in _EMPTY}
    # pydicom raises exceptions of any kind for a broken header.
    except Exception:
        return None


def _opened(path: Path) -> Path | BytesIO:
    inside = zipped.real(path)
    return path if inside == path else BytesIO(read_bytes(inside))


def _alike(people: pd.Series[Any]) -> list[str]:
    """Return a sentence on ids of patients that look alike, without the ids."""
    groups = look_alikes(people)["key"].nunique()
    if not groups:
        return []
    return [
        f"{counted(groups, 'pair')} of ids of patients {verb(groups, 'looks', 'look')} "
        f"alike (as 5 and 05 do) and {verb(groups, 'is', 'are')} taken for different ones. "
        "Write them alike in the files if they are not."
    ]


def _numbered(ids: pd.Series[Any]) -> pd.Series[Any]:
    codes, _ = pd.factorize(ids)
    numbers = pd.Series(codes, index=ids.index) + 1
    return ("P" + numbers.astype("string")).mask(ids.isna())


def _years(age: str) -> float:
    """Return an age such as 045Y or 006M in years; NaN for anything else."""
    found = re.fullmatch(r"(\d{1,3})([YMWD])", age.strip().upper())
    years = int(found[1]) * _YEARS[found[2]] if found else float("nan")
    # 999Y and the like stand for an age that is not known.
    return years if years <= 120 else float("nan")
