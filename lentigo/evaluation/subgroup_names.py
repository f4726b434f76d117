"""Name the subgroup of each value of a column: a word, a number, or a range of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lentigo.evaluation.intervals import FloatArray, IntArray
from lentigo.table_files.not_known import NOT_KNOWN

UNKNOWN = "not known"
_MOST_NUMBERS = 12
"""A column of numbers with more values than this, such as ages, is divided at quartiles."""


def named_values(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the name of the subgroup of each value.

    Case does not matter, a missing value (or a word for it) is `UNKNOWN`, and numbers with
    more than 12 different values are divided at their quartiles; a number at which two
    quartiles or more lie is a subgroup of its own.
    """
    codes, names = coded_names(values)
    return pd.Series(names, dtype="string").take(codes).set_axis(values.index)


def coded_names(values: pd.Series[Any]) -> tuple[IntArray, list[str]]:
    """Return the number of the subgroup of each value, (N,), and the names by number.

    Names are found once for each distinct value; see `named_values`.
    """
    codes, distinct = pd.factorize(values.astype("string"))
    each = _plain(pd.Series([*distinct, None], dtype="string"))
    codes = np.where(codes < 0, len(distinct), codes)  # missing: the last one
    times = np.bincount(codes, minlength=len(each))
    numbers = pd.to_numeric(each.dropna(), errors="coerce").astype("float64")
    if np.isfinite(numbers).all() and numbers.nunique() > _MOST_NUMBERS:
        found = _quarters(numbers.reindex(each.index), times)
    else:
        found = _words(each)
    there = np.flatnonzero(times)
    numbered, names = pd.factorize(found.astype("string").fillna(UNKNOWN).take(there))
    number = np.zeros(len(each), dtype=np.intp)
    number[there] = numbered
    return number.take(codes), list(names)


def crossed(first: pd.Series[Any], second: pd.Series[Any]) -> pd.Series[Any]:
    """Return each row's subgroup by the columns `first` and `second`: "torso, female"."""
    return named_values(first).str.cat(named_values(second), sep=", ")


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values as trimmed text, missing for a word such as "unknown"."""
    text = (
        values.astype("string").str.strip().str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)
    )
    # "other" is kept: it is a value, such as of a device or clinic.
    return text.mask(text.str.casefold().isin(NOT_KNOWN - {"other"}))


def _quarters(numbers: pd.Series[Any], times: IntArray) -> pd.Series[Any]:
    """Return for each number the range between two quartiles it is in: "45 to 55".

    Number i comes `times[i]` times. One at which two quartiles or more lie is a group of
    its own.
    """
    there = numbers.notna().to_numpy()
    known = np.sort(np.repeat(numbers.to_numpy(np.float64)[there], times[there]))
    ranges = _ranges(known, 4)
    names = np.array(_named_ranges(ranges), dtype=object)
    place = np.searchsorted([high for _, high in ranges], numbers.fillna(known[0]))
    return pd.Series(names[place]).where(numbers.notna().to_numpy())


def _ranges(values: FloatArray, parts: int) -> list[tuple[float, float]]:
    """Divide sorted values into `parts` of equal number: lowest and highest of each."""
    ends = float(values[0]), float(values[-1])
    if parts == 1 or ends[0] == ends[1]:
        return [ends]
    edges = np.quantile(values, np.linspace(0, 1, parts + 1))
    tied = edges[1:][np.diff(edges) == 0]
    if not len(tied):
        codes = np.searchsorted(edges[1:-1], values)
        inside = (values[codes == code] for code in np.unique(codes))
        return [(float(part[0]), float(part[-1])) for part in inside]
    found = [(float(tied[0]), float(tied[0]))]
    below, above = values[values < tied[0]], values[values > tied[0]]
    for side in filter(len, (below, above)):
        share = len(side) / (len(below) + len(above))
        found += _ranges(side, max(1, round(parts * share)))
    return sorted(found)


def _named_ranges(ranges: Sequence[tuple[float, float]]) -> list[str]:
    """Write each range, "45 to 55" or "0", with as many digits as tell all of them apart.

    Whole numbers are written out.
    """
    ends = sorted({end for both in ranges for end in both})
    whole = all(end == round(end) and abs(end) < 1e15 for end in ends)
    formats = (".0f",) if whole else (f".{digits}g" for digits in range(6, 18))
    written: dict[float, str] = {}
    for each in formats:
        written = {end: f"{end:{each}}" for end in ends}
        if len(set(written.values())) == len(ends):
            break
    return [
        written[low] if low == high else f"{written[low]} to {written[high]}"
        for low, high in ranges
    ]


def _words(plain: pd.Series[Any]) -> pd.Series[Any]:
    """Return each word of `plain` as it is first spelled there, so that case is ignored."""
    folded = plain.str.casefold()
    return folded.map(plain.groupby(folded).first())
