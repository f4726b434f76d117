"""Turn each column, part of a name and file property of a table into a feature.

`target_leaks` then tests how well each feature alone predicts the label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.curation.groups import lesion_keys, patient_keys
from lentigo.curation.splits.leakage import check_features
from lentigo.datasets.reading.known_words import LABEL_WORDS
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.errors import LeakError
from lentigo.imaging.decoding.file_facts import name_facts
from lentigo.table_files.not_known import plain

IntArray = NDArray[np.intp]
Kind = Literal["label", "answer", "patient", "technical", "source", "other"]
"""Origin of a feature. `label`: a column that determines the label by the definition of a
lesion table (`diagnosis`, `malignant`). `answer`: another column whose name says that it
holds the label. `patient`: may be associated with the label (age, sex, site, skin type).
`technical` and `source`: should not be associated with the label. `other`: a column that
lentigo does not know."""

LABELS = ("melanoma", "malignant", "diagnosis")
_PATIENT = r"(age|sex|site|skin_type)(_filled|_normalised|_detail)?"
_SOURCES = {"dataset", "part", "attribution", "copyright_license", "folder", "make"}
_TECHNICAL = {"fold", "modality", "width", "height", "image_type"}
# Ids are nearly unique, so they cannot predict; only their parts are tested.
_NAMES = {
    "image_id", "isic_id", "path", "mask_path", "sha256", "patient_id", "lesion_id",
    "group_id", "duplicate_of",
}  # fmt: skip

MOST_BINS = 32
"""The highest number of bins for a numeric column; of the 33,126 images of SIIM-ISIC 2020,
32 bins hold 18 melanomas each."""
_MELANOMAS_A_BIN = 10
_MOST_WORDS = 200
"""Number of distinct words kept of a column; rarer words become one value, `_TOGETHER`."""
_TOGETHER = "further values"
MISSING = "missing"


@dataclass(frozen=True)
class Feature:
    """One feature to predict the label from, as a whole number for each image."""

    name: str
    kind: Kind
    """What the feature is made of, such as `label` or `patient`; see `Kind`."""
    codes: IntArray
    """(N,): for each of N images the position of its value in `meanings`."""
    meanings: list[str]
    """The value that each code stands for, as text."""
    also: tuple[str, ...] = ()
    """Names of other features that divide the images in the same way."""


def features(
    table: pd.DataFrame, facts: pd.DataFrame | None, *, target: str, melanomas: int
) -> Iterator[Feature]:
    """Yield each feature that may predict `target`, except those with a single value.

    Features are the columns, whether a column is missing, parts of ids, the number of
    images of the patient and of the lesion, and the columns of `facts` (one row per row of
    `table`). `melanomas` is the number of images with the target; if it is small, numeric
    columns are cut into fewer bins.
    """
    bins = int(np.clip(melanomas // _MELANOMAS_A_BIN, 4, MOST_BINS))
    for name, kind, column in _columns(table, facts, target):
        missing = column.isna()
        if name not in _NAMES:
            yield from _feature(name, kind, column, bins)
        if missing.any() and not missing.all() and kind not in {"label", "answer"}:
            yield from _feature(f"{name} is missing", "technical", missing, bins)


_Columns = Iterator[tuple[str, Kind, "pd.Series[Any]"]]
"""Name, kind and the N values of each column."""


def _columns(table: pd.DataFrame, facts: pd.DataFrame | None, target: str) -> _Columns:
    """Yield every column to test: of the table, of parts of ids, and of file facts."""
    for name in table:
        if name != target and not (name == "malignant" and _is_derived(table)):
            yield str(name), _kind(str(name), target), table[name]
    yield from _names_and_counts(table)
    if facts is not None:
        yield from _files(facts)


def _is_derived(table: pd.DataFrame) -> bool:
    """Tell whether `malignant` says no more than the label and the diagnosis.

    lentigo fills it in from these, so a user may have no such column.
    """
    if not {"melanoma", "diagnosis"} <= set(table):
        return False
    said = map_diagnoses(table["diagnosis"])[0]["malignant"].astype("boolean")
    said = said.mask(table["melanoma"].fillna(False).astype(bool), other=True)
    own = table["malignant"].astype("boolean")
    return bool((own.isna() | (own == said).fillna(False)).all())


def _names_and_counts(table: pd.DataFrame) -> _Columns:
    own = table["image_id"].astype("string").str.rpartition(":")[2]
    for name, column in name_facts(own).items():
        yield f"image_id: {name}", "technical", column
    for name in ("patient_id", "lesion_id"):
        parts = name_facts(table[name])
        yield f"{name}: name_prefix", "source", parts["name_prefix"]
        yield f"{name}: name_number", "technical", parts["name_number"]
    for noun, key in (("patient", patient_keys(table)), ("lesion", lesion_keys(table))):
        yield (
            f"number of images of the {noun}",
            "technical",
            key.groupby(key).transform("size"),
        )


def _files(facts: pd.DataFrame) -> _Columns:
    for name, column in facts.items():
        kind: Kind = "source" if name in _SOURCES else "technical"
        if name == "folder" and LABEL_WORDS.of(plain(column).dropna()).notna().all():
            kind = "label"  # one folder per class, as many people store images
        if not str(name).startswith("name_"):  # equal to the parts of image_id
            yield f"file: {name}", kind, column


def _kind(name: str, target: str) -> Kind:
    if name in LABELS:
        return "label"
    if re.fullmatch(_PATIENT, name):
        return "patient"
    if name in _SOURCES:
        return "source"
    if name in _TECHNICAL or name in _NAMES or name.endswith("_missing"):
        return "technical"
    try:
        check_features([name], target=target)
    except LeakError:
        return "answer"
    return "other"


def _feature(name: str, kind: Kind, column: pd.Series[Any], bins: int) -> Iterator[Feature]:
    codes, values = _coded(column, bins)
    if len(np.unique(codes)) > 1:
        yield Feature(name, kind, codes, values)


def _coded(column: pd.Series[Any], bins: int) -> tuple[IntArray, list[str]]:
    """Return a code for the value of each row, and the meaning of each code.

    Numbers with more than `bins` distinct values are cut into about `bins` bins of equal
    counts. Missing values have a code of their own, the last.
    """
    numbers = _numbers(column)
    if numbers is None:
        words = column.astype("string")
        frequent = words.value_counts().index[:_MOST_WORDS]
        words = words.where(words.isin(frequent) | words.isna(), _TOGETHER)
        codes, names = pd.factorize(words)
        values = [str(name) for name in names]
    elif len(distinct := np.unique(numbers[~np.isnan(numbers)])) <= bins:
        codes = np.searchsorted(distinct, numbers)
        values = [_figure(value) for value in distinct]
    else:
        known = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(known, np.arange(1, bins) / bins, method="lower"))
        codes = np.searchsorted(edges, numbers, side="left")
        bounds = [_figure(edge) for edge in edges]
        values = [f"up to {bounds[0]}"]
        values += [f"{a} to {b}" for a, b in pairwise(bounds)]
        values += [f"above {bounds[-1]}"]
    codes = np.where(column.isna().to_numpy(), len(values), codes)
    return codes.astype(np.intp), [*values, MISSING]


def _figure(value: float) -> str:
    """Format whole numbers in full, as they may be ranges of ids; others to four digits."""
    return f"{value:.0f}" if value == round(value, 0) else f"{value:.4g}"


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """The values as floats, NaN where missing; None for a column of words or booleans."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        since = column - pd.Timestamp(0, tz=column.dt.tz)
        return np.asarray(since.dt.total_seconds(), dtype=np.float64)
    try:
        numbers: pd.Series[Any] = pd.to_numeric(column, errors="coerce")
    except TypeError:  # lists and the like
        return None
    if (numbers.isna() & column.notna()).any():
        return None
    return np.asarray(numbers.astype("Float64").to_numpy(np.float64, na_value=np.nan))
