"""Bars that carry their numbers: in rows for words, standing for ages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from lentigo.figures.cohort.values import FIXED_COLORS, UNKNOWN, YEARS, color_of
from lentigo.figures.lettering import fitted
from lentigo.figures.style import HATCHES, INK, MISSING, NEUTRAL

_EDGE = "#8A8A8A"
_FEW_BARS = 8
LABEL = 6.5
"""Size of the numbers at the bars, in points."""


def bar_look(color: str) -> dict[str, Any]:
    """Return the filling of a bar of `color`: its pattern tells it apart in grey, too."""
    if color == MISSING:
        return {"facecolor": "white", "edgecolor": _EDGE, "hatch": HATCHES[MISSING],
                "linewidth": 0.5}  # fmt: skip
    # The lines of a pattern have the colour of the edge, which is not drawn itself.
    return {"facecolor": color, "edgecolor": "white", "hatch": HATCHES.get(color, ""),
            "linewidth": 0}  # fmt: skip


def percent(share: float) -> str:
    """A share for a label: one decimal; "<0.1 %" if tiny, "–" if undefined."""
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
    """Draw `data` (value, group, images, of, share) as rows, the first on top.

    One group is drawn by its counts (`shares` adds them to the labels), several by their
    shares; `texts` replaces the labels. Bars of what is missing and of a class have its
    colour. Labels stand at the end of the bars and may reach out of the axes, which a
    constrained layout makes room for.
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
    ax.set_yticks(range(len(values)), [fitted(value) for value in values])
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.set_xlim(0, max(float(_longest(data, several)), 1e-9))
    _bare(ax)
    if several:
        below(ax, columns=1)


def rows_height(values: Iterable[str], *, groups: int = 1) -> float:
    """The inches that rows of bars need for names of two lines or for several bars."""
    names = [fitted(str(value)) for value in values]
    lines = max((name.count("\n") + 1 for name in names), default=1)
    return max(len(names), 1) * max(0.09 + 0.1 * lines, 0.06 + 0.115 * groups)


def legend_name(rows: pd.DataFrame, group: str) -> str:
    """A group with its number of images: "melanoma (n = 584)"."""
    return f"{fitted(group, lines=1)} (n = {int(rows['of'].max()):,})"


def below(ax: Axes, *, columns: int, distance: float = 0.8) -> None:
    """Put the legend beneath the axes, where no bar can be; distance in letter sizes."""
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        borderaxespad=distance,
        ncols=columns,
        labelcolor=INK,
    )


def age_bars(ax: Axes, data: pd.DataFrame, *, color: str | None, centred: bool) -> None:
    """Draw the images of each five years as standing bars with their counts on top."""
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
    """Draw the share of each five years in several groups as steps, one line a group."""
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
    """Name the axis of ages, with the legend beneath it (distance in letter sizes)."""
    ax.set_xlabel("Age in years, in steps of five")
    below(ax, columns=1, distance=distance)


def _steps(left: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges and heights of steps on the whole grid, 0 where no image has the age."""
    if not len(left):
        return np.array([0.0, YEARS]), np.array([0.0])
    edges = np.arange(left.min() - YEARS, left.max() + 3 * YEARS, YEARS)
    filled = np.zeros(len(edges) - 1)
    filled[np.rint((left - edges[0]) / YEARS).astype(int)] = heights
    return edges, filled


def _crowded(ax: Axes, bars: float, texts: list[list[str]]) -> bool:
    """Whether numbers lying on bars of this width would touch; then they stand."""
    room = 72 * _inches(ax) / max(bars, 1)
    longest = max((len(text) for row in texts for text in row), default=1)
    return longest * LABEL * 0.62 > room


def _inches(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    width: float = figure.get_figwidth() if figure is not None else 3.0
    # A constrained layout takes some of it for margins.
    return 0.9 * width * ax.get_position().width / 0.775 if width else 3.0


def _age_ticks(ax: Axes, at: np.ndarray, place: float, *, centred: bool) -> None:
    """A tick a decade, or a bar where they are few; off the grid, where a bar begins."""
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
    """Only the names of the rows: the bars carry their numbers."""
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", length=0)
