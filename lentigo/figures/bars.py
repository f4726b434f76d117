"""Bars with their numbers as labels: horizontal for words, vertical for ages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from lentigo.figures.cohort.values import FIXED_COLORS, UNKNOWN, YEARS, color_of
from lentigo.figures.lettering import fitted, fitted_apart
from lentigo.figures.style import HATCHES, INK, MISSING, NEUTRAL

_EDGE = "#8A8A8A"
_FEW_BARS = 8
LABEL = 6.5
"""Font size of the numbers at the bars, in points."""


def bar_look(color: str) -> dict[str, Any]:
    """Return matplotlib properties of a bar of `color`, with its pattern for grey print."""
    if color == MISSING:
        return {"facecolor": "white", "edgecolor": _EDGE, "hatch": HATCHES[MISSING],
                "linewidth": 0.5}  # fmt: skip
    # matplotlib draws hatch lines in the colour of the edge; the edge has a width of 0.
    return {"facecolor": color, "edgecolor": "white", "hatch": HATCHES.get(color, ""),
            "linewidth": 0}  # fmt: skip


def percent(share: float) -> str:
    """Format a share (0–1) in per cent: one decimal, "<0.1 %" if tiny, "–" if NaN."""
    if pd.isna(share):
        return "–"
    if share == 0:
        return "0 %"
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %"


def rows_of_bars(
    ax: Axes,
    data: pd.DataFrame,
    *,
    color: str | None = None,
    shares: bool = False,
    texts: Sequence[str] | None = None,
) -> None:
    """Draw horizontal bars of `data`, a row for each `value`, the first on top.

    `data` has the columns value, group, images, of (images in the group) and share. One
    group is drawn by its counts (`shares` adds the shares to the labels), several groups by
    their shares, one bar each; `texts` replaces the labels. A bar of a class or of missing
    values has the colour of `FIXED_COLORS`. Labels are at the end of the bars and may
    extend beyond the axes; a constrained layout makes room for them.
    """
    values, groups = list(data["value"].unique()), list(data["group"].unique())
    colors = color_of(groups)
    several = len(groups) > 1
    height = 0.84 / max(len(groups), 1)
    for place, group in enumerate(groups):
        rows = data[data["group"] == group].set_index("value").reindex(values)
        lengths = rows["share" if several else "images"].fillna(0).to_numpy(dtype=float)
        at = np.arange(len(values)) - 0.42 + height * (place + 0.5)
        filled = color or colors[group]
        bars = ax.barh(at, lengths, height * 0.94, label=legend_name(rows, group),
                       **bar_look(filled))  # fmt: skip
        if not several:
            _recolor(bars, values)
        numbers = rows["images"].fillna(0).astype(int)
        words = texts or [
            _label(count, share, several=several, shares=shares)
            for count, share in zip(numbers, rows["share"], strict=True)
        ]
        ax.bar_label(bars, words, padding=2, fontsize=LABEL, color=INK)
    ax.set_yticks(range(len(values)), fitted_apart(values))
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.set_xlim(0, max(float(_longest(data, several)), 1e-9))
    _bare(ax)
    if several:
        below(ax, columns=1)


def rows_height(values: Iterable[str], *, groups: int = 1) -> float:
    """Return the height in inches of rows for `values`, with `groups` bars in each row."""
    names = fitted_apart([str(value) for value in values])
    lines = max((name.count("\n") + 1 for name in names), default=1)
    return max(len(names), 1) * max(0.09 + 0.1 * lines, 0.06 + 0.115 * groups)


def legend_name(rows: pd.DataFrame, group: str) -> str:
    """Return a group's name with its number of images: "melanoma (n = 584)"."""
    return f"{fitted(group, lines=1)} (n = {int(rows['of'].max()):,})"


def below(ax: Axes, *, columns: int, distance: float = 0.8) -> None:
    """Put the legend below the axes, at a `distance` in font sizes."""
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        borderaxespad=distance,
        ncols=columns,
        labelcolor=INK,
    )


def age_bars(ax: Axes, data: pd.DataFrame, *, color: str | None, centred: bool) -> None:
    """Draw the number of images in each five years of age as vertical bars with labels.

    `data` is that of `count_data` for ages. With `centred`, for ages that are rounded to
    five years, a bar is centred on its first year; otherwise it begins there.
    """
    rows = data[data["value"] != UNKNOWN]
    at = rows["value"].astype(float).to_numpy() + (0 if centred else YEARS / 2)
    counts = rows["images"].to_numpy()
    look = bar_look(color or NEUTRAL)
    bars = [ax.bar(at, counts, YEARS * 0.9, **look)]
    texts = [[f"{count:,}" for count in counts]]
    lost = int(data.loc[data["value"] == UNKNOWN, "images"].sum())
    place = (at.max() if len(at) else 0) + 2 * YEARS
    bars.append(ax.bar([place], [lost], YEARS * 0.9, **bar_look(MISSING)))
    texts.append([f"{lost:,}"])
    first = at.min() if len(at) else place
    turned = 90 if _crowded(ax, (place - first) / YEARS + 1, texts) else 0
    for some, labels in zip(bars, texts, strict=True):
        ax.bar_label(some, labels, padding=2, fontsize=LABEL, color=INK, rotation=turned)
    _age_ticks(ax, at, place, centred=centred)
    ax.margins(x=0.01)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("Age in years, in bars of five")


def age_steps(ax: Axes, data: pd.DataFrame, *, centred: bool) -> None:
    """Draw the share of each five years of age as a step line, one line a group.

    `data` and `centred` are as in `age_bars`.
    """
    groups = list(data["group"].unique())
    colors = color_of(groups)
    for place, group in enumerate(groups):
        rows = data[(data["group"] == group)]
        there = rows[rows["value"] != UNKNOWN]
        lost = rows.loc[rows["value"] == UNKNOWN, "share"].sum()
        left = there["value"].astype(float).to_numpy() - (YEARS / 2 if centred else 0)
        label = legend_name(rows, group)
        if lost > 0:
            label += f"\nage missing in {percent(lost)}"
        edges, heights = _steps(left, 100 * there["share"].fillna(0).to_numpy(dtype=float))
        ax.stairs(heights, edges, baseline=None, color=colors[group], linewidth=1.4,
                  linestyle=("-", "--", "-.", ":")[place % 4], label=label)  # fmt: skip
    ax.set_ylabel("Share of the images, %")
    ax.set_ylim(bottom=0)


def age_axis(ax: Axes, *, distance: float = 4.4) -> None:
    """Label the axis of ages, with the legend below it at a `distance` in font sizes."""
    ax.set_xlabel("Age in years, in steps of five")
    below(ax, columns=1, distance=distance)


def _steps(left: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return edges and heights of steps for every five years, 0 where no image has the age.

    `left` are the left edges of the steps that have images, `heights` their heights.
    """
    if not len(left):
        return np.array([0.0, YEARS]), np.array([0.0])
    edges = np.arange(left.min() - YEARS, left.max() + 3 * YEARS, YEARS)
    filled = np.zeros(len(edges) - 1)
    filled[np.rint((left - edges[0]) / YEARS).astype(int)] = heights
    return edges, filled


def _crowded(ax: Axes, bars: float, texts: list[list[str]]) -> bool:
    """Tell whether horizontal labels on `bars` bars would overlap."""
    room = 72 * _inches(ax) / max(bars, 1)
    longest = max((len(text) for row in texts for text in row), default=1)
    return longest * LABEL * 0.62 > room


def _inches(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    width: float = figure.get_figwidth() if figure is not None else 3.0
    # A constrained layout takes some of it for margins.
    return 0.9 * width * ax.get_position().width / 0.775 if width else 3.0


def _age_ticks(ax: Axes, at: np.ndarray, place: float, *, centred: bool) -> None:
    """Set a tick at each decade, or at each bar if there are up to eight, and at `place`.

    `at` are the positions of the bars, `place` that of the bar of missing ages. A
    tick's label is the age at the middle of a bar with `centred`, else at its start.
    """
    years = at - (0 if centred else YEARS / 2)
    if len(years) > _FEW_BARS:
        years = np.arange(np.ceil(years.min() / 10) * 10, years.max() + 1, 10)
    ax.set_xticks([*years, place], [*(f"{year:.0f}" for year in years), UNKNOWN])


def _label(count: int, share: float, *, several: bool, shares: bool) -> str:
    if several:
        return f"{percent(share)}  ({count:,})"
    return f"{count:,}  ({percent(share)})" if shares else f"{count:,}"


def _recolor(bars: BarContainer, values: list[str]) -> None:
    for bar, value in zip(bars, values, strict=True):
        if value in FIXED_COLORS:
            bar.set(**bar_look(FIXED_COLORS[value]))


def _longest(data: pd.DataFrame, several: bool) -> float:
    return float(data["share" if several else "images"].max() or 0)


def _bare(ax: Axes) -> None:
    """Remove the horizontal axis, since the bars have their numbers as labels."""
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", length=0)
