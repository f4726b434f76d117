"""The figure of patients' ages for melanomas and for other lesions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lentigo.figures.bars import age_axis, age_steps, rows_of_bars
from lentigo.figures.cohort.counts import count_data
from lentigo.figures.cohort.values import (
    YEARS,
    ages,
    by_class,
    by_dataset,
    color_of,
    on_grid,
)
from lentigo.figures.style import FAINT, named

FloatArray = NDArray[np.float64]

FEWEST = 10
"""Known ages needed to draw a density; with fewer it would show single patients."""


def plot_classes(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the numbers of images of melanomas, of other lesions, and without a label."""
    data = count_data(by_dataset(table), column="melanoma")
    named(ax, "Class")
    rows_of_bars(ax, data, shares=True)


def plot_age_by_class(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the ages of melanomas and of other lesions as steps, with a smooth density.

    Both are in per cent of the images of the class for each five years. The marks below the
    axis are the ages that occur. `age_density` explains the bandwidth of the density.
    """
    groups = by_class(table)
    centred = on_grid(table)
    named(ax, "Age")
    age_steps(ax, count_data(groups, column="age"), centred=centred)
    smooth = age_density(groups)
    colors = color_of(list(groups))
    for place, (name, rows) in enumerate(groups.items()):
        line = smooth[smooth["group"] == name]
        ax.plot(line["age"], 100 * line["share"], color=colors[name], linewidth=2.4,
                alpha=0.35, zorder=1)  # fmt: skip
        there = ages(rows).dropna().unique()
        ax.plot(there, np.full(len(there), -0.022 - 0.032 * place), "|", color=colors[name],
                markersize=3.2, markeredgewidth=0.8, clip_on=False,
                transform=ax.get_xaxis_transform())  # fmt: skip
    if len(smooth):
        ax.set_ylim(top=max(ax.get_ylim()[1], 104 * smooth["share"].max()))
        ax.plot([], [], color=FAINT, linewidth=2.4, alpha=0.6, label="smooth density")
    ax.tick_params(axis="x", pad=2 + 4.5 * len(groups))
    ax.spines["bottom"].set_visible(False)
    age_axis(ax, distance=5.2)


def age_density(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return smooth age densities: columns group, age, and share of images in 5 years.

    The share is that of all images of the group, also of those without an age.

    The kernel is Gaussian, with Silverman's bandwidth h, but at least the step d to which
    ages are rounded (1 or 5 years): a sum of Gaussians on a grid of step d oscillates by
    2·exp(−2π²h²/d²) of its height, 1.4 % at h = d/2 and 5e-9 (invisible) at h = d. With a
    smaller bandwidth the curve would show the rounding of the ages. A group with fewer than
    `FEWEST` known ages has no curve.
    """
    all_ages = {name: ages(rows) for name, rows in groups.items()}
    known = {name: values.dropna().to_numpy() for name, values in all_ages.items()}
    known = {name: values for name, values in known.items() if len(values) >= FEWEST}
    every = np.concatenate(list(known.values())) if known else np.empty(0)
    if not len(every):
        return pd.DataFrame({"group": [], "age": [], "share": []})
    step = float(YEARS) if all(on_grid(rows) for rows in groups.values()) else 1.0
    at = np.arange(max(every.min() - 2 * YEARS, 0), every.max() + 2 * YEARS + 1)
    tables = []
    for name, values in known.items():
        # Of all images, as the steps are: those without an age are below no part of it.
        share = YEARS * density(values, at, step) * len(values) / len(all_ages[name])
        tables.append(pd.DataFrame({"group": name, "age": at, "share": share}))
    return pd.concat(tables, ignore_index=True)


def density(values: FloatArray, at: FloatArray, step: float) -> FloatArray:
    """Return the density of ages at the ages `at`, per year: (len(at),).

    `values` are ages in years, recorded in steps of `step` years. The kernel is Gaussian
    with the width `bandwidth(values, step)`. All NaN where `values` is empty.
    """
    if not len(values):
        return np.full(len(at), np.nan)
    width = bandwidth(values, step)
    places, counts = np.unique(values, return_counts=True)
    bells = np.exp(-0.5 * ((at[:, None] - places) / width) ** 2)
    result: FloatArray = bells @ (counts / len(values)) / (width * np.sqrt(2 * np.pi))
    return result


def bandwidth(values: FloatArray, step: float) -> float:
    """Return Silverman's bandwidth (1986) in years, at least the `step` of the ages."""
    spread = float(np.std(values)) if len(values) > 1 else 0.0
    rule: float = 0.9 * spread * len(values) ** -0.2
    return max(rule, step)


def age_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return steps and density as columns group, kind, age, images, of and share.

    `kind` is "step" or "density"; `of` is the number of images in the group. `images` and
    `of` are missing for the density.
    """
    groups = by_class(table)
    steps = count_data(groups, column="age").rename(columns={"value": "age"})
    steps = steps.assign(kind="step").drop(columns="column")
    smooth = age_density(groups).assign(kind="density")
    smooth["age"] = smooth["age"].map("{:g}".format)
    columns = ["group", "kind", "age", "images", "of", "share"]
    data = pd.concat([steps, smooth], ignore_index=True)[columns]
    return data.astype({"images": "Int64", "of": "Int64"})
