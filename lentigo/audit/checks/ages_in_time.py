"""Ages of a patient held against the times of the images: backwards, or too far apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lentigo.curation.splits.times import read_times
from lentigo.errors import ColumnError

STEP = 5
"""Years between neighbouring ages in archives that round them, as ISIC does."""
APART = 5
"""Years by which two ages of a patient may miss the time between them without a warning;
where all ages are rounded, `STEP` more."""
_YEARS = (1900, 2100)
"""Numbers within these are years; other whole numbers count visits."""
_START, _YEAR = pd.Timestamp("1970-01-01", tz="UTC"), pd.Timedelta(days=365.25)


@dataclass(frozen=True)
class Times:
    """When the N images of a table were taken."""

    order: pd.Series[Any]
    """A number that grows with time, (N,); NaN if unknown."""
    years: pd.Series[Any]
    """The time in years, (N,); NaN if unknown, as where visits are only counted."""
    strange: pd.Series[Any]
    """Whether a cell has a text that is not understood, (N,)."""


def times_of(table: pd.DataFrame, column: str) -> Times:
    """Read the times in a column: years, dates, or the numbers of visits.

    Dates are read as `read_times` does. Where it refuses, those with the day or the month
    in front are read, too, if one cell says which of both it is (31/05/2019, or 05/31/2019
    and no 31/05); dates that could be either are not understood.
    """
    words = table[column].astype("string").str.strip()
    words = words.mask(words == "")
    numbers = pd.to_numeric(words, errors="coerce").astype(float)
    known = words.notna()
    if (numbers.notna() == known).all() and not numbers[known].between(*_YEARS).all():
        return Times(numbers, numbers.mask(known), known & ~known)
    try:
        times = read_times(table, column)
    except ColumnError:
        times = _of_either_order(words)
    years = ((times - _START) / _YEAR).astype(float)
    return Times(years, years, (known & years.isna()).astype(bool))


def _of_either_order(words: pd.Series[Any]) -> pd.Series[Any]:
    """Return the times of ISO dates, and of those with day or month in front; else NaT."""
    plain = words.str.replace(r"^(\d{4})(\.0+)?$", r"\1-01-01", regex=True)
    times = pd.to_datetime(plain, format="ISO8601", utc=True, errors="coerce")
    parts = words.str.extract(r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:\D.*)?$")
    first, second = (parts[place].astype(float) for place in (0, 1))
    if (first > 12).any() == (second > 12).any():
        return times
    month, day = (second, first) if (first > 12).any() else (first, second)
    dates = pd.DataFrame({"year": parts[2].astype(float), "month": month, "day": day})
    return times.fillna(pd.to_datetime(dates, errors="coerce", utc=True))


def backwards(table: pd.DataFrame, times: Times) -> pd.DataFrame:
    """Return the rows of patients whose age falls with time by more than ages are rounded.

    `table` names the patient in the column `key`. The tolerance is five years if all ages
    of the table are multiples of five, else 0.
    """
    known = table.assign(when=times.order).dropna(subset=["key", "age", "when"])
    if known.empty:
        return known
    known = known.sort_values(["key", "when"], kind="stable")
    # Images of one moment have no order, so an age is held against earlier moments only.
    moments = known.groupby(["key", "when"])["age"].agg(["min", "max"])
    before = moments.groupby(level="key")["max"].transform(
        lambda ages: ages.cummax().shift()
    )
    bad = before - moments["min"] > _rounding(table)
    patients = moments.index.get_level_values("key")[bad.to_numpy(dtype=bool)]
    return known[known["key"].isin(patients)]


def unlike_time(table: pd.DataFrame, times: Times) -> pd.DataFrame:
    """Return the rows of patients whose ages differ by other years than their dates do.

    By more than `APART` years, or, if all ages of the table are multiples of five, by five
    years more.
    """
    born = times.years - table["age"]
    known = table.assign(born=born).dropna(subset=["key", "born"])
    span = known.groupby("key")["born"].agg(lambda born: born.max() - born.min())
    far = span.index[span > APART + _rounding(table)]
    return known[known["key"].isin(far)].sort_values("key", kind="stable")


def _rounding(table: pd.DataFrame) -> int:
    return STEP if bool((table["age"].dropna() % STEP == 0).all()) else 0
