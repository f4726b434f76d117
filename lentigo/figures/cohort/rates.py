"""How often a lesion of some age, sex or site is a melanoma, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lentigo.evaluation.operating_points import wilson_interval
from lentigo.figures.bars import LABEL, below
from lentigo.figures.cohort.counts import MOST_ROWS
from lentigo.figures.cohort.values import (
    UNKNOWN,
    by_dataset,
    flags,
    in_order,
    titled_column,
    words,
)
from lentigo.figures.lettering import fitted
from lentigo.figures.style import FAINT, INK, MARKERS, MELANOMA, SERIES, named

_BACKGROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
_MOST_AGES = 26
_ENOUGH = 30
"""Values with fewer images do not set the width of the axis: their intervals are wide."""


def plot_rate(ax: Axes, table: pd.DataFrame, *, column: str) -> None:
    """Draw the share of melanomas at each value of a column, with Wilson's 95 % interval.

    Intervals take images as independent; images of one patient are not, so the truth is a
    little wider. The dotted line is the share over all images. An interval that leaves the
    axes rests on fewer than thirty images. Several data sets are drawn beside each other.
    """
    groups = by_dataset(table)
    data = rate_data(groups, column=column)
    values = shown_values(data)
    limit = _limit(data)
    named(ax, titled_column(column))
    height = 0.7 / len(groups)
    for place, (name, rows) in enumerate(data.groupby("group", sort=False)):
        color = MELANOMA if len(groups) == 1 else SERIES[place % len(SERIES)]
        here = rows.set_index("value").reindex(values)
        at = np.arange(len(values)) - 0.35 + height * (place + 0.5)
        _points(ax, here, at, limit, color=color, marker=MARKERS[place % 5], name=str(name))
        whole = groups[str(name)]["melanoma"].astype("boolean").mean()
        if not pd.isna(whole):
            ax.axvline(100 * float(whole), color=color if len(groups) > 1 else FAINT,
                       linestyle=":", linewidth=1, zorder=0)  # fmt: skip
    ax.set_yticks(range(len(values)), [fitted(value) for value in values])
    ax.set(xlim=(-0.02 * limit, limit), ylim=(len(values) - 0.5, -0.5))
    ax.set_xlabel("Melanomas among the images, %")
    ax.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3))
    ax.tick_params(axis="y", length=0)
    if len(groups) > 1:
        below(ax, columns=1, distance=4.4)


def shown_values(data: pd.DataFrame) -> list[str]:
    """The values that get a row: of very many, the most frequent, and the missing."""
    values = [str(value) for value in data["value"].unique()]
    if len(values) <= _MOST_AGES:
        return values
    return values[:MOST_ROWS] + [value for value in values if value == UNKNOWN]


def rate_data(groups: Mapping[str, pd.DataFrame], *, column: str) -> pd.DataFrame:
    """The points in numbers: column, group, value, images, melanomas, rate, low, high.

    Only images with a label count. A value without any has no rate (NaN).
    """
    frames = {
        name: pd.DataFrame(
            {"value": words(rows, column), "melanoma": flags(rows, "melanoma")}
        ).dropna(subset="melanoma")
        for name, rows in groups.items()
    }
    every = pd.concat(list(frames.values())) if frames else pd.DataFrame({"value": []})
    counts = every["value"].value_counts()
    order = in_order(column, map(str, counts.index), counts)
    if every["value"].isna().any():
        order.append(UNKNOWN)
    rows = []
    for name, frame in frames.items():
        label = frame["melanoma"].groupby(frame["value"].fillna(UNKNOWN))
        images, melanomas = label.size(), label.sum()
        for value in order:
            n, hits = int(images.get(value, 0)), int(melanomas.get(value, 0))
            found = wilson_interval(hits, n)
            rows.append((column, name, value, n, hits, found.value, found.low, found.high))
    names = ["column", "group", "value", "images", "melanomas", "rate", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def _limit(data: pd.DataFrame) -> float:
    """The right end of the axis in per cent: where intervals on enough images end."""
    sure = data[data["images"] >= _ENOUGH]
    top = (sure if len(sure) else data)["high"].max()
    return 100 * float(top) * 1.04 if top > 0 else 1.0


def _points(
    ax: Axes,
    here: pd.DataFrame,
    at: np.ndarray,
    limit: float,
    *,
    color: str,
    marker: str,
    name: str,
) -> None:
    rate, low, high = (100 * here[key].to_numpy(float) for key in ("rate", "low", "high"))
    there = np.isfinite(rate)
    errors = np.maximum(np.stack([rate - low, high - rate]), 0)[:, there]
    total = int(here["images"].fillna(0).sum())
    ax.errorbar(rate[there], at[there], xerr=errors, fmt=marker, color=color, elinewidth=1,
                capsize=1.5, label=f"{fitted(name, lines=1)} (n = {total:,})")  # fmt: skip
    counts = here[["melanomas", "images"]].fillna(0).astype(int).to_numpy()
    for y, (hits, n), end, known in zip(at, counts, high, there, strict=True):
        ax.annotate(f"{hits:,} of {n:,}", (min(end, limit) if known else 0, y),
                    xytext=(4, 0), textcoords="offset points", va="center", color=INK,
                    fontsize=LABEL, annotation_clip=False,
                    bbox=_BACKGROUND)  # fmt: skip
