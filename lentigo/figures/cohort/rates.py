"""The figure of the share of melanomas by age, sex or site, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.shares import effective_number, share_counting
from lentigo.figures.bars import LABEL, below
from lentigo.figures.cohort.values import (
    UNKNOWN,
    by_dataset,
    flags,
    in_order,
    sharing,
    titled_column,
    units,
    words,
)
from lentigo.figures.lettering import fitted, fitted_apart
from lentigo.figures.style import FAINT, INK, MARKERS, MELANOMA, SERIES, named

_BACKGROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
ENOUGH = 30
"""Values with fewer images do not determine the width of the axis (wide intervals)."""


def plot_rate(ax: Axes, table: pd.DataFrame, *, column: str) -> None:
    """Draw the share of melanomas at each value of a column, with its 95 % interval.

    Intervals take patients as independent; where the patient of an image is not known, its
    group, lesion or the image itself. The dotted line is the share over all labelled images
    of a data set. The width of the axis is set by values with 30 or more images; wider
    intervals are cut, and a higher share is an arrow. Several data sets have one dot each
    in a row; the rarest values share a row.
    """
    groups = by_dataset(table)
    data = drawn_rates(rate_data(groups, column=column))
    values = list(data["value"].unique())
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
    ax.set_yticks(range(len(values)), fitted_apart(values))
    ax.set(xlim=(-0.02 * limit, limit), ylim=(len(values) - 0.5, -0.5))
    ax.set_xlabel("Melanomas among the images, %")
    ax.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3))
    ax.tick_params(axis="y", length=0)
    if len(groups) > 1:
        below(ax, columns=1, distance=4.4)


def drawn_rates(data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one column to draw, the rarest values in one row (except ages)."""
    values = [str(value) for value in data["value"].unique() if value != UNKNOWN]
    called = sharing(values)
    if set(called) == set(called.values()) or "age" in set(data["column"]):
        return data
    named = data.assign(value=data["value"].replace(called))
    keys = ["column", "group", "value"]
    added = ["images", "melanomas", "units", "effective"]
    sums = named.groupby(keys, sort=False, as_index=False)[added].sum()
    return _with_rates(sums)


def beyond(data: pd.DataFrame) -> bool:
    """Tell whether a share in `data` is beyond the axis, and so is drawn as an arrow."""
    drawn = drawn_rates(data)
    return bool((100 * drawn["rate"] > _limit(drawn)).any())


def rate_data(groups: Mapping[str, pd.DataFrame], *, column: str) -> pd.DataFrame:
    """Return one row a point: column, group, value, images, melanomas, units, effective,
    rate, low, high.

    Only images with a label count. `units` is the number of their independent units
    (patients where known), `effective` their effective number of independent images, `rate`
    the share of melanomas. A value without images has a `rate` of NaN.
    """
    frames = {
        name: pd.DataFrame(
            {
                "value": words(rows, column),
                "melanoma": flags(rows, "melanoma"),
                "unit": units(rows),
            }
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
        by_value = dict(list(frame.groupby(frame["value"].fillna(UNKNOWN))))
        for value in order:
            rows.append((column, name, value, *_counted(by_value.get(value))))
    names = ["column", "group", "value", "images", "melanomas", "units", "effective"]
    return _with_rates(pd.DataFrame(rows, columns=names))


def _counted(frame: pd.DataFrame | None) -> tuple[int, int, int, float]:
    """Return the numbers of images, melanomas and units, and the effective number."""
    if frame is None or frame.empty:
        return 0, 0, 0, 0.0
    of_unit = frame["melanoma"].astype("float64").groupby(frame["unit"])
    hits, images = (
        np.asarray(each, dtype=np.float64) for each in (of_unit.sum(), of_unit.size())
    )
    worth = effective_number(hits, images)
    return len(frame), int(hits.sum()), len(images), worth


def _with_rates(counts: pd.DataFrame) -> pd.DataFrame:
    columns = (counts[name] for name in ("melanomas", "images", "effective", "units"))
    found = [
        share_counting(hits / images, worth, groups=int(many))
        if images
        else Interval(float("nan"))
        for hits, images, worth, many in zip(*columns, strict=True)
    ]
    return counts.assign(
        rate=[entry.value for entry in found],
        low=[entry.low for entry in found],
        high=[entry.high for entry in found],
    )


def _limit(data: pd.DataFrame) -> float:
    """Return the right end of the axis in per cent.

    It is just above the highest upper bound among values with at least `ENOUGH` images.
    """
    sure = data[data["images"] >= ENOUGH]
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
    far = there & (rate > limit)
    # matplotlib's constrained layout fails on an unclipped line without points.
    if far.any():
        ax.plot(np.full(far.sum(), limit), at[far], ">", color=color, clip_on=False)
    counts = here[["melanomas", "images"]].fillna(0).astype(int).to_numpy()
    ends = np.minimum(high[there], limit)
    for y, (hits, n), end in zip(at[there], counts[there], ends, strict=True):
        ax.annotate(f"{hits:,} of {n:,}", (end, y),
                    xytext=(4, 0), textcoords="offset points", va="center", color=INK,
                    fontsize=LABEL, annotation_clip=False,
                    bbox=_BACKGROUND)  # fmt: skip
