"""Dates of images: years and ISO dates, and the date that divides them."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from lentigo.errors import ColumnError, ConfigError, DatasetError
from lentigo.words import some


def read_times(table: pd.DataFrame, column: str) -> pd.Series:
    """Return the time of each image from `column`, in UTC; missing for an empty cell.

    A year means its first of January. Raises `ColumnError` if there is no such column, or
    it is empty or holds anything but years and ISO dates.
    """
    if column not in table:
        raise ColumnError(
            f"The table has no column {column} that could say when. It has "
            f"{some(list(table), at_most=8)}."
        )
    words = table[column].astype("string").str.strip()
    words = words.str.replace(r"^(\d{4})(\.0+)?$", r"\1-01-01", regex=True).mask(
        words == ""
    )
    times = pd.to_datetime(words, format="ISO8601", utc=True, errors="coerce")
    strange = table.loc[times.isna() & words.notna(), column].unique().tolist()
    if strange:
        raise ColumnError(
            f"The column {column} should hold years or ISO dates (2019, 2019-05-31), but "
            f"holds {some(strange)}. Write its cells as yyyy-mm-dd."
        )
    if times.isna().all():
        raise ColumnError(f"The column {column} is empty: no image has a date.")
    return times


def choose_limit(times: pd.Series, before: str) -> datetime:
    """Return the first moment of the later part, from a date or a share of earlier images.

    `times` has the time of each image, missing where it is not known. `before` is a year,
    an ISO date, or a share (above 0, below 1); for a share the date is chosen whose share
    of earlier images comes nearest to it.

    Raises `ConfigError` if `before` is neither, and `DatasetError` if one side of the date
    is empty.
    """
    known = times.dropna().sort_values()
    share = _as_share(before)
    if share is not None:
        limits = known.drop_duplicates()[1:]
        if limits.empty:
            raise DatasetError("All images are of one time: no date divides them.")
        earlier = known.searchsorted(limits) / len(known)
        return limits.iloc[int(abs(earlier - share).argmin())].to_pydatetime()  # type: ignore[no-any-return]
    limit = _as_date(before)
    if not (known < limit).any() or not (known >= limit).any():
        raise DatasetError(
            f"No image is {'earlier' if not (known < limit).any() else 'later'} than "
            f"{before}: they are of {known.iloc[0]:%Y-%m-%d} to {known.iloc[-1]:%Y-%m-%d}."
        )
    return limit


def _as_share(before: str) -> float | None:
    try:
        share = float(before)
    except ValueError:
        return None
    return share if 0 < share < 1 else None


def _as_date(before: str) -> datetime:
    word = f"{before}-01-01" if len(before) == 4 and before.isdigit() else before
    try:
        date = datetime.fromisoformat(word)
    except ValueError:
        raise ConfigError(
            f"--before is {before!r}; give a year, an ISO date (2019-05-31) or a share "
            "between 0 and 1."
        ) from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
