"""The heat map of anatomical site against age, of images or of melanomas."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.cohort.values import (
    UNKNOWN,
    bands,
    flags,
    in_order,
    sharing,
    words,
)
from lentigo.figures.lettering import fitted_apart
from lentigo.figures.style import INK, SEQUENTIAL, named

_TITLES = {
    "images": "Images (number and colour)",
    "melanomas": "Melanomas (number), and their share of the labelled images (colour)",
}


def plot_site_by_age(
    ax: Axes, table: pd.DataFrame, *, measure: Literal["images", "melanomas"] = "images"
) -> None:
    """Draw a heat map of anatomical site (rows) against age (columns); darker means more.

    With `measure` "images", colour and number are the images of a cell. With "melanomas",
    the number counts melanomas, and the colour is their share of the cell's labelled
    images, darkest from one fifth upwards. Cells without an image stay white.
    """
    data = site_by_age_data(table)
    counts = data.pivot_table(index="site", columns="age", values=measure, sort=False)
    images = data.pivot_table(index="site", columns="age", values="images", sort=False)
    number = counts.to_numpy(float)
    shade = np.sqrt(number / max(number.max(initial=0), 1))
    if measure == "melanomas":
        labelled = data.pivot_table(
            index="site", columns="age", values="labelled", sort=False
        )
        shade = np.minimum(number / np.maximum(labelled.to_numpy(float), 1) / 0.2, 1)
    empty = images.to_numpy(float) == 0
    ax.pcolormesh(np.ma.masked_where(empty, shade), cmap=SEQUENTIAL, vmin=0, vmax=1,
                  edgecolors="white", linewidth=0.8)  # fmt: skip
    for (row, column), value in np.ndenumerate(number):
        if not empty[row, column] and (value or measure == "melanomas"):
            light = shade[row, column] > 0.5
            ax.text(column + 0.5, row + 0.5, f"{value:,.0f}", ha="center", va="center",
                    fontsize=5.5, color="white" if light else INK)  # fmt: skip
    ax.set_xticks(
        np.arange(len(counts.columns)) + 0.5, [_age(float(x)) for x in counts.columns]
    )
    ax.set_yticks(
        np.arange(len(counts)) + 0.5, fitted_apart([str(site) for site in counts.index])
    )
    ax.set_ylim(len(counts), 0)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("Age in years, in steps of five")
    named(ax, _TITLES[measure])


def site_by_age_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cell: site, age (−1 where missing), images, labelled, melanomas."""
    site, age = _sites(table), bands(table)
    melanoma = flags(table, "melanoma")
    frame = pd.DataFrame(
        {
            "site": site,
            "age": age,
            "labelled": melanoma.notna().astype(int),
            "melanomas": melanoma.fillna(False).astype(int),
        }
    ).assign(images=1)
    ages = sorted(float(year) for year in age.dropna().unique())
    columns = [*ages, *([-1.0] if age.isna().any() else [])]
    frame["age"] = frame["age"].fillna(-1.0)
    sums = frame.groupby(["site", "age"])[["images", "labelled", "melanomas"]].sum()
    order = list(dict.fromkeys(_order(site)))
    cells = pd.MultiIndex.from_product([order, columns], names=["site", "age"])
    return sums.reindex(cells, fill_value=0).reset_index()


def is_rest(site: str) -> bool:
    """Tell whether `site` names the row that combines the rare sites: "5 others"."""
    return site.endswith(" others")


def _sites(table: pd.DataFrame) -> pd.Series[str]:
    site = words(table, "site")
    counts = site.value_counts()
    order = in_order("site", map(str, counts.index), counts)
    return site.map(sharing(order)).astype("string").fillna(UNKNOWN)


def _order(site: pd.Series[str]) -> list[str]:
    counts = site[site != UNKNOWN].value_counts()
    last = [name for name in counts.index if is_rest(str(name))]
    counts = counts.drop(last)
    last += [UNKNOWN] if (site == UNKNOWN).any() else []
    return [*in_order("site", map(str, counts.index), counts), *last]


def _age(year: float) -> str:
    return UNKNOWN if year < 0 else f"{year:.0f}"
