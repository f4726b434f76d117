"""The cohort as "table one" of a paper, by part, with standardised differences.

Each image counts once, as a model sees images; a block at the end counts each patient once,
if patients are known. Differences between parts are standardised mean differences: for
numbers and for two categories after Austin 2009 (doi:10.1002/sim.3697), for more than two
categories the multinomial one of Yang & Dalton 2012 (SAS Global Forum, paper 335). Unlike p
values they do not depend on the number of images. Missing values are counted in a row of
their own and left out of the other rows.

The package `tableone` (Pollard et al. 2018) counts rows only, knows neither lesions nor
patients nor a hierarchy of diagnoses, and depends on statsmodels, so it is not used. On
SIIM-ISIC 2020 the differences of age, sex and site agree with it to six digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from lentigo.audit.checks.differences import (
    FloatArray,
    category_difference,
    number_difference,
)
from lentigo.audit.checks.finding import Finding, Severity
from lentigo.curation.groups import lesion_keys, patient_keys
from lentigo.datasets.reading.diagnoses import lineage
from lentigo.errors import ColumnError
from lentigo.words import some

OVERALL = "overall"
NOT_GIVEN = "not given"
MISSING = "missing"
DIFFERENCE = "difference"
UNDEFINED = "–"

SMALL, LARGE = 0.10, 0.25
"""Standardised differences from which parts are reported as unlike: SMALL (a note) is 0.1
after Austin 2009, LARGE (a warning) 0.25 after Stuart 2010 (doi:10.1214/09-STS313),
above which a model of one part is not valid for the other."""

GROUPS = (
    "melanoma", "nevus", "benign keratosis", "basal cell carcinoma",
    "squamous cell carcinoma", "actinic keratosis",
    "actinic keratosis or carcinoma in situ", "dermatofibroma", "vascular lesion",
)  # fmt: skip
"""Diagnoses as the challenges name them; any other diagnosis is counted with its nearest
ancestor in this list."""

_ORDER = ("train", "training", "validation", "test")
_COLUMNS = ("variable", "level", "unit", "part", "statistic", "value")
_WORDS = {
    "sex": "string", "site": "string", "diagnosis": "string", "melanoma": "boolean",
    "malignant": "boolean", "skin_type": "Int64", "modality": "string",
}  # fmt: skip
_ANSWERS = {"True": "yes", "False": "no"}
_MEAN, _MEDIAN = "mean (SD)", "median (IQR)"


def table_one(table: pd.DataFrame, *, by: str = "part") -> pd.DataFrame:
    """Return the cohort as formatted text: a row per variable and level, a column per part.

    The index is (variable, level); the columns are "overall", each value of the column `by`
    (`part`, `fold`, `dataset`, `role` …) and "difference", the standardised mean
    difference; with more than two parts the largest of all pairs of parts. Numbers are
    shown as "mean (SD)" and "median (IQR)", categories as "n (%)" of the known values.
    Undefined values are "–".

    Raises `ColumnError` if there is no column `by` or it is empty.
    """
    numbers = table_one_numbers(table, by=by)
    parts = [part for part in numbers["part"].unique() if " vs " not in part]
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for variable, level, _, part, what, value in numbers.itertuples(index=False):
        cells.setdefault((variable, level, part), {})[what] = value
    worst = largest_differences(numbers).set_index(["variable", "level"])["difference"]
    lines = list(dict.fromkeys((variable, level) for variable, level, _ in cells))
    index = pd.MultiIndex.from_tuples(lines, names=["variable", "level"])
    columns = {
        part: [_cell(cells.get((*line, part), {})) for line in lines] for part in parts
    }
    columns["difference"] = [
        _difference(worst.loc[line]) if line in worst.index else "" for line in lines
    ]
    return pd.DataFrame(columns, index=index)


def table_one_numbers(table: pd.DataFrame, *, by: str = "part") -> pd.DataFrame:
    """Return the unrounded numbers behind `table_one`, one number per row.

    Columns: variable, level (empty for the difference of a variable and for sizes), unit
    ("images", "lesions" or "patients"), part, statistic ("n", "share", "mean", "sd",
    "median", "q1", "q3") and value. For a pair of parts, such as "train vs test", the
    statistic is "difference".

    Raises `ColumnError` if there is no column `by` or it is empty.
    """
    if by not in table or table[by].isna().all():
        raise ColumnError(
            f"The table has no column {by} with a value to compare by; it has "
            f"{some(list(table), at_most=8)}."
        )
    part = table[by].astype("string").fillna(NOT_GIVEN)
    # No part may be named like the column of all parts, or like a pair of parts.
    part = part.replace(OVERALL, f"{OVERALL} (part)").str.replace(" vs ", " versus ")
    rows = _sizes(table, part)
    images = _images(table)
    blocks = (
        ("images", images, images.assign(part=part)),
        ("patients", _patients(table, None), _patients(table, part)),
    )
    for unit, whole, split in blocks:
        both = pd.concat([whole.assign(part=OVERALL), split], ignore_index=True)
        for name in whole:
            rows += _described(str(name), unit, both[["part", name]])
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def unbalanced(table: pd.DataFrame, *, by: str = "part") -> list[Finding]:
    """Report unlike parts: a standardised difference above 0.1 (note) or 0.25 (warning).

    There is at most one finding of each severity. It names the variables, the largest
    difference first, with the two parts that are farthest apart; `rows` has all of them. If
    two parts share no value of a variable at all, their difference is infinite.

    Raises `ColumnError` if there is no column `by` or it is empty.
    """
    found = largest_differences(table_one_numbers(table, by=by))
    # A test set without labels is no surprise, and the table shows it anyway.
    label = found["variable"].str.contains("melanoma|malignant|diagnosis")
    found = found[~(label & (found["level"] == MISSING))]
    if _malignant_is_melanoma(table, by):
        found = found[~found["variable"].str.contains("malignant")]
    found = found.sort_values("difference", ascending=False, kind="stable")
    grave = found["difference"] > LARGE
    small = (found["difference"] > SMALL) & ~grave
    return [
        *_unbalanced(found[grave], by, "warning"),
        *_unbalanced(found[small], by, "note"),
    ]


def _malignant_is_melanoma(table: pd.DataFrame, by: str) -> bool:
    """Tell whether, in a part with non-melanomas, `malignant` is true wherever it is known.

    `by` is the column of the parts. lentigo sets `malignant` for each melanoma. If it is
    unknown for the other images of a part, all its known values are true, and a difference
    of `malignant` means nothing.
    """
    known = table[table["malignant"].notna()]
    told = known.groupby(by, observed=True)["malignant"].all()
    others = table[table["melanoma"].eq(False).fillna(False)][by].unique()
    return bool(told.reindex(others).fillna(False).any())


_REMEDIES: dict[Severity, tuple[float, str]] = {
    "warning": (LARGE, "A score on one says little of the other: compare within strata."),
    "note": (SMALL, "Report it beside the scores."),
}


def _unbalanced(rows: pd.DataFrame, by: str, severity: Severity) -> list[Finding]:
    """Return one finding on all `rows`, or an empty list if there are none.

    `rows` are the differences that are too large; `by` names the column of the parts.
    """
    if rows.empty:
        return []
    limit, remedy = _REMEDIES[severity]
    named = [
        f"{_line(row['variable'], row['level'])} {_difference(row['difference'])} "
        f"({row['part']})"
        for _, row in rows.iterrows()
    ]
    message = f"By {by}, standardised differences above {limit:g}: {some(named)}. {remedy}"
    rows = rows.reset_index(drop=True)
    return [Finding(check="unbalanced", severity=severity, message=message, rows=rows)]


def largest_differences(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the two parts farthest apart for each variable and its missing values.

    `numbers` is the long table of the statistics, whose differences are standardised.
    """
    rows = numbers[numbers["statistic"] == "difference"].rename(
        columns={"value": "difference"}
    )
    rows = rows.sort_values(
        "difference", ascending=False, na_position="last", kind="stable"
    )
    rows = rows.drop_duplicates(["variable", "level"]).sort_index()
    return rows[["variable", "level", "unit", "part", "difference"]].reset_index(drop=True)


def diagnosis_group(name: object) -> object:
    """Return the diagnosis of `GROUPS` that `name` is a kind of, else "other" (NA: NA)."""
    if pd.isna(name):  # type: ignore[call-overload]
        return pd.NA
    return next((above for above in lineage(str(name)) if above in GROUPS), "other")


Row = tuple[str, str, str, str, str, float]
"""One row of the frame of `table_one_numbers`."""


def _images(table: pd.DataFrame) -> pd.DataFrame:
    """Return age, as a float, and the columns of `_WORDS`, as strings, of each image.

    A diagnosis is replaced by its `diagnosis_group`, and true or false by "yes" or "no".
    """
    names = table["diagnosis"].dropna().unique()
    grouped = table["diagnosis"].map({name: diagnosis_group(name) for name in names})
    told = table.assign(diagnosis=grouped.astype("string"))
    words = {
        name: told[name].astype(dtype).astype("string").replace(_ANSWERS)  # type: ignore[call-overload]
        for name, dtype in _WORDS.items()
    }
    return pd.DataFrame({"age": table["age"].astype("float64"), **words})


def _patients(table: pd.DataFrame, part: pd.Series[Any] | None) -> pd.DataFrame:
    """Return the values of each known patient, once for each part."""
    key = patient_keys(table)
    by = [key.rename("key")] if part is None else [key.rename("key"), part.rename("part")]
    known = table.assign(melanoma=table["melanoma"].astype("boolean")).groupby(by)
    melanoma = known["melanoma"].max().astype("string").replace(_ANSWERS)
    frame = pd.DataFrame(
        {
            "images a patient": known.size().astype("float64"),
            "age of patients": known["age"].mean().astype("float64"),
            "sex of patients": known["sex"].first().astype("string"),
            "patients with melanoma": melanoma.astype("string"),
        }
    )
    return frame.reset_index().drop(columns="key") if part is not None else frame


def _sizes(table: pd.DataFrame, part: pd.Series[Any]) -> list[Row]:
    """Return the numbers of images, lesions and patients, overall and in each part."""
    rows: list[Row] = []
    counted = {
        "images": table["image_id"],
        "lesions": lesion_keys(table),
        "patients": patient_keys(table),
    }
    for name, key in counted.items():
        if key.notna().any():
            rows.append((name, "", name, OVERALL, "n", float(key.nunique())))
            by_part = key.groupby(part).nunique()
            rows += [
                (name, "", name, one, "n", float(by_part[one]))
                for one in _in_order(by_part.index)
            ]
    return rows


def _described(name: str, unit: str, frame: pd.DataFrame) -> list[Row]:
    """Describe one variable overall and in every part; empty if all values are unknown."""
    if frame[name].isna().all():
        return []
    number = pd.api.types.is_float_dtype(frame[name].dtype)
    parts = {one: frame.loc[frame["part"] == one, name] for one in _parts(frame["part"])}
    lines = _number(parts) if number else _words(parts)
    missing = frame[name].isna()
    if missing.any():
        lines += _shares({one: column.isna() for one, column in parts.items()}, MISSING)
    return [(name, level, unit, one, what, value) for level, one, what, value in lines]


Line = tuple[str, str, str, float]
"""Level, part, statistic and value of one variable."""


def _number(parts: Mapping[str, pd.Series[Any]]) -> list[Line]:
    lines: list[Line] = []
    known = {one: column.dropna().to_numpy(np.float64) for one, column in parts.items()}
    for one, values in known.items():
        mean = values.mean() if len(values) else math.nan
        deviation = values.std(ddof=1) if len(values) > 1 else math.nan
        quartiles = (
            np.quantile(values, [0.5, 0.25, 0.75]) if len(values) else [math.nan] * 3
        )
        lines += [(_MEAN, one, "mean", float(mean)), (_MEAN, one, "sd", float(deviation))]
        lines += [
            (_MEDIAN, one, what, float(value))
            for what, value in zip(("median", "q1", "q3"), quartiles, strict=True)
        ]
    return lines + [
        (_MEAN, f"{a} vs {b}", DIFFERENCE, number_difference(known[a], known[b]))
        for a, b in _pairs(known)
    ]


def _words(parts: Mapping[str, pd.Series[Any]]) -> list[Line]:
    counts = {one: column.value_counts() for one, column in parts.items()}
    levels = [str(level) for level in counts[OVERALL].index]  # the most frequent first
    if all(level.isdecimal() for level in levels):
        levels = sorted(levels)
    table = {one: known.reindex(levels, fill_value=0) for one, known in counts.items()}
    values: dict[str, FloatArray] = {
        one: np.asarray(known.to_numpy(), np.float64) for one, known in table.items()
    }
    lines: list[Line] = [
        ("", f"{a} vs {b}", DIFFERENCE, category_difference(values[a], values[b]))
        for a, b in _pairs(values)
    ]
    for place, level in enumerate(levels):
        for one, known in values.items():
            of = known.sum()
            lines.append((level, one, "n", float(known[place])))
            lines.append((level, one, "share", known[place] / of if of else math.nan))
    return lines


def _shares(parts: Mapping[str, pd.Series[Any]], level: str) -> list[Line]:
    """Return count and share of true values per part, and differences of the parts.

    `level` is the text of the row in the table. The difference of each pair of parts is the
    standardised one (`category_difference`).
    """
    counts: dict[str, FloatArray] = {}
    for one, column in parts.items():
        counts[one] = np.array([float(column.sum()), float((~column).sum())])
    lines: list[Line] = []
    for one, (yes, no) in counts.items():
        share = yes / (yes + no) if yes + no else math.nan
        lines += [(level, one, "n", float(yes)), (level, one, "share", float(share))]
    return lines + [
        (level, f"{a} vs {b}", DIFFERENCE, category_difference(counts[a], counts[b]))
        for a, b in _pairs(counts)
    ]


def _pairs(parts: Iterable[str]) -> list[tuple[str, str]]:
    given = [one for one in parts if one not in {OVERALL, NOT_GIVEN}]
    return list(combinations(given, 2))


def _parts(part: pd.Series[Any]) -> list[str]:
    names = [str(name) for name in part.dropna().unique() if name != OVERALL]
    return [OVERALL, *_in_order(names)]


def _in_order(names: Iterable[Any]) -> list[str]:
    """Sort names: training before validation and test, then numbers, then words.

    "not given" is last.
    """

    def place(name: str) -> tuple[bool, int, float, str]:
        rank = _ORDER.index(name) if name in _ORDER else len(_ORDER)
        return name == NOT_GIVEN, rank, float(name) if name.isdecimal() else math.inf, name

    return sorted((str(name) for name in names), key=place)


def _cell(known: Mapping[str, float]) -> str:
    """Format the statistics of one row in one part as a cell of `table_one`."""
    if "share" in known:
        share = known["share"]
        shown = f" ({100 * share:.1f} %)" if share == share else ""
        return f"{known['n']:,.0f}{shown}"
    if "mean" in known:
        return f"{_plain(known['mean'])} ({_plain(known['sd'])})"
    if "median" in known:
        low, high = _plain(known["q1"]), _plain(known["q3"])
        return f"{_plain(known['median'])} ({low}–{high})"
    if "n" in known and known["n"] == known["n"]:
        return f"{known['n']:,.0f}"
    return ""


def _plain(value: float) -> str:
    return UNDEFINED if value != value else f"{value:.1f}"


def _difference(value: float) -> str:
    if value != value:
        return UNDEFINED
    return "∞" if math.isinf(value) else f"{value:.3f}"


def _line(variable: object, level: object) -> str:
    return f"{variable} {MISSING}" if level == MISSING else str(variable)
