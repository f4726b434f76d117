"""The reliability diagram: observed share of melanoma against predicted probability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from lentigo.evaluation.calibration import even_bins
from lentigo.evaluation.calibration_curve import calibration_curve
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray
from lentigo.evaluation.shares import clustered_share
from lentigo.figures.scores import Drawing, DrawnScores
from lentigo.figures.style import FAINT, MELANOMA, new_figure, titled


def plot_reliability(
    ax: Axes,
    truth: BoolArray,
    probability: FloatArray,
    *,
    group: IntArray | None = None,
    bins: int = 10,
) -> None:
    """Draw the observed share of melanoma against the mean predicted probability, in bins.

    Bins hold equal numbers of images, so that no dot rests on very few, but images of one
    probability stay in one bin (`even_bins`). The curve is that
    of `calibration_curve`. Bars and band are 95 % intervals that take the groups of
    `group`, (N,), as independent, or single images if it is None. Above the diagonal,
    melanoma was more frequent than predicted. Where most dots are close to 0, as with few
    melanomas, both axes have a square-root scale.
    """
    _draw(ax, reliability_data(truth, probability, group=group, bins=bins))


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    table, curve = (data[data["part"] == part] for part in ("dot", "curve"))
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    if len(curve):
        promised = curve["promised"]
        ax.fill_between(promised, curve["low"], curve["high"], color=MELANOMA, alpha=0.15,
                        linewidth=0)  # fmt: skip
        ax.plot(promised, curve["observed"], color=MELANOMA, linewidth=1.2)
    if len(table):
        errors = [table["observed"] - table["low"], table["high"] - table["observed"]]
        ax.errorbar(
            table["promised"],
            table["observed"],
            yerr=np.maximum(np.stack(errors), 0),
            color=MELANOMA,
            ecolor=MELANOMA,
            elinewidth=0.9,
            marker="o",
            linestyle="none",
        )
    top = min(max([0.05, *table["high"], *table["promised"]]) * 1.05, 1.02)
    low, scale = -0.02 * top, ""
    if _crowded(table, top):
        low, scale = -0.0006 * top, "square-root scales; "
        _spread(ax, top)
    ax.set(
        xlim=(low, top),
        ylim=(low, top),
        aspect="equal",
        xlabel=f"Predicted probability of melanoma\n{scale}{_sizes(table)}",
        ylabel="Observed share of melanoma",
    )


def reliability_data(
    truth: BoolArray,
    probability: FloatArray,
    *,
    group: IntArray | None = None,
    bins: int = 10,
) -> pd.DataFrame:
    """Return the columns part, images, melanomas, promised, observed, low and high.

    `promised` is the predicted probability. A row is a bin (part `dot`) or a point of the
    calibration curve (part `curve`), which has no counts of images.
    """
    units = np.arange(len(truth)) if group is None else group
    rows = [
        _dot(truth[members], probability[members], units[members])
        for members in even_bins(probability, bins)
    ]
    curve = calibration_curve(truth, probability, units) if len(truth) else None
    if curve is not None:
        points = zip(curve.predicted, curve.observed, curve.low, curve.high, strict=True)
        rows += [("curve", pd.NA, pd.NA, *map(float, point)) for point in points]
    columns = ["part", "images", "melanomas", "promised", "observed", "low", "high"]
    counts = {"images": "Int64", "melanomas": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype(counts)


def _dot(truth: BoolArray, probability: FloatArray, units: IntArray) -> tuple[Any, ...]:
    found = clustered_share(truth, units)
    sizes = len(truth), int(truth.sum())
    return "dot", *sizes, float(probability.mean()), found.value, found.low, found.high


def _crowded(table: pd.DataFrame, top: float) -> bool:
    """Tell whether most dots would lie in the lowest fifth of the axis."""
    return len(table) > 2 and float(table["promised"].median()) < top / 5


def _spread(ax: Axes, top: float) -> None:
    """Set both axes to a square-root scale, with round tick labels that do not overlap."""
    shown = [0.0]
    for tick in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0):
        if tick <= top and np.sqrt(tick) - np.sqrt(shown[-1]) >= 0.11 * np.sqrt(top):
            shown.append(tick)
    ax.set_xscale("function", functions=(_root, _square))
    ax.set_yscale("function", functions=(_root, _square))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(shown, [f"{tick:g}" for tick in shown])
        axis.set_minor_locator(NullLocator())


def _root(values: FloatArray) -> FloatArray:
    return np.sign(values) * np.sqrt(np.abs(values))


def _square(values: FloatArray) -> FloatArray:
    return np.sign(values) * np.square(values)


def _sizes(table: pd.DataFrame) -> str:
    """Return the numbers of images in words: "n = 8,013, 801–802 in each dot"."""
    if table.empty:
        return "n = 0"
    sizes = sorted({table["images"].min(), table["images"].max()})
    return f"n = {table['images'].sum():,}, {'–'.join(f'{n:,}' for n in sizes)} in each dot"


def draw_reliability(given: DrawnScores) -> Drawing:
    """Draw the reliability diagram; intervals take groups, where known, as independent."""
    figure, [ax] = new_figure()
    groups = given.numbered()
    group = None if groups is None else groups[0]
    data = reliability_data(*given.scores, group=group)
    _draw(ax, data)
    titled(ax, title := "Reliability", given.size)
    caption = (
        "How often melanoma was there against how often it was promised: in bins of about "
        "equal numbers of images, and as a smooth curve, with 95 % intervals."
    )
    return Drawing("reliability", title, caption, figure, data)
