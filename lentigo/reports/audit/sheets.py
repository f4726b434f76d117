"""Sections and tables of the audit page: data frames formatted as text, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

Choose = Callable[["pd.Series[Any]"], "pd.Series[Any]"]
"""Function of one measure of all images: returns those to show, the worst first."""


@dataclass(frozen=True)
class Row:
    """Cells of a table as text; `kind` is "head", "strong" (bold) or empty."""

    cells: list[str]
    kind: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table of the page; `words` names the columns to align left, the rest go right."""

    title: str
    caption: str
    columns: list[str]
    words: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    name: str
    heading: str
    sentences: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    shows: tuple[tuple[str, str, Choose], ...] = ()
    """Title, column of the measures, and the function that chooses images by them."""
    galleries: tuple[Any, ...] = ()

    def with_galleries(self, galleries: list[Any]) -> Section:
        """Return the section with `galleries` in place of its own."""
        return replace(self, galleries=tuple(galleries))


def sheet_of(
    rows: pd.DataFrame,
    *,
    title: str,
    caption: str = "",
    strong: pd.Series[Any] | None = None,
) -> Sheet:
    """Return a frame as a table to read: numbers right, three digits, a dash if missing.

    Rows for which `strong` is true are set in bold.
    """
    columns = [str(name).replace("_", " ") for name in rows]
    words = [
        title
        for title, name in zip(columns, rows, strict=True)
        if not pd.api.types.is_numeric_dtype(rows[name])
        or pd.api.types.is_bool_dtype(rows[name])
    ]
    cells = [[as_text(value) for value in row] for row in rows.itertuples(index=False)]
    kinds = (
        [""] * len(rows)
        if strong is None
        else ["strong" if each else "" for each in strong]
    )
    return Sheet(title, caption, columns, words, list(map(Row, cells, kinds)))


def as_text(value: Any) -> str:
    """Return one cell: 12,345 · 0.812 · yes · 2020-03-01 · – for what is missing."""
    if isinstance(value, np.ndarray | list | tuple | set):
        return ", ".join(map(str, value))
    if value is None or pd.isna(value):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return _figure(float(value))
    if isinstance(value, pd.Timestamp):
        return str(
            value.date() if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
        )
    return str(value)


def _figure(value: float) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value.is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.3g}" if abs(value) < 0.01 else f"{value:,.3f}"
