"""Bars of the number of images of each sex, age, site or diagnosis, also by data set."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.bars import age_axis, age_bars, age_steps, rows_of_bars
from lentigo.figures.cohort.values import (
    MOST_ROWS,
    UNKNOWN,
    by_class,
    by_dataset,
    in_order,
    on_grid,
    sharing,
    titled_column,
    words,
)
from lentigo.figures.style import named


def plot_counts(
    ax: Axes, table: pd.DataFrame, *, column: str, color: str | None = None
) -> None:
    """Draw the number of images with each value of a column, and with a missing value.

    `column` is `sex`, `age` (bars of five years), `site`, `diagnosis` or any other column
    of words. For a table with several data sets, each value has one bar for each data set,
    its share in per cent (`plot_shares`). Beyond `MOST_ROWS` values, the rarest share one
    bar.
    """
    groups = by_dataset(table)
    if len(groups) > 1:
        plot_shares(ax, groups, column=column)
        return
    data = count_data({"images": table}, column=column)
    named(ax, titled_column(column))
    if column == "age":
        age_bars(ax, data, color=color, centred=on_grid(table))
        return
    rows_of_bars(ax, collapsed(data), color=color)


def plot_by_class(ax: Axes, table: pd.DataFrame, *, column: str) -> None:
    """Draw the share of each value of a column within melanomas and within other lesions.

    Shares are drawn, since melanomas are far fewer; the labels have shares and counts.
    """
    plot_shares(ax, by_class(table), column=column)


def plot_shares(ax: Axes, groups: Mapping[str, pd.DataFrame], *, column: str) -> None:
    """Draw the share of each value of a column within each of several groups of images.

    `groups` maps a name (a class, a data set, "training") to its images. Labels are the
    share in per cent and the count.
    """
    data = count_data(groups, column=column)
    named(ax, titled_column(column))
    if column == "age":
        age_steps(ax, data, centred=all(on_grid(rows) for rows in groups.values()))
        age_axis(ax)
        return
    rows_of_bars(ax, collapsed(data))


def count_data(groups: Mapping[str, pd.DataFrame], *, column: str) -> pd.DataFrame:
    """Return one row a bar: column, group, value, images, of (images in the group), share.

    The last value of each group is `missing`, with 0 images where all are known. The value
    of an age is the first year of its five years.
    """
    counted = {name: words(rows, column).value_counts() for name, rows in groups.items()}
    every = pd.concat(list(counted.values())) if counted else pd.Series(dtype="int64")
    order = in_order(column, map(str, every.index), every.groupby(level=0).sum())
    rows = [
        (column, name, value, _images(counted[name], value, len(group)), len(group))
        for name, group in groups.items()
        for value in (*order, UNKNOWN)
    ]
    data = pd.DataFrame(rows, columns=["column", "group", "value", "images", "of"])
    return data.assign(share=data["images"] / data["of"].where(data["of"] > 0))


def _images(counts: pd.Series[int], value: str, of: int) -> int:
    return of - int(counts.sum()) if value == UNKNOWN else int(counts.get(value, 0))


def collapsed(data: pd.DataFrame, *, most: int = MOST_ROWS) -> pd.DataFrame:
    """Return `data` with the rarest values in one row, so that `most` values remain.

    The row of missing values is kept beside them.
    """
    values = [value for value in data["value"].unique() if value != UNKNOWN]
    if len(values) <= most:
        return data
    renamed = data.assign(value=data["value"].replace(sharing(values, most=most)))
    keys = ["column", "group", "value", "of"]
    return renamed.groupby(keys, sort=False, as_index=False)[["images", "share"]].sum()
