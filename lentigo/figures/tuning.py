"""The figure of a search for settings: each trial's AUC, by number and by setting."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lentigo.figures.lettering import fitted_apart
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, MELANOMA, SERIES, headed, new_figure
from lentigo.visible import visible

_COLUMNS = 3


def plot_trials(
    ax: Axes, rows: pd.DataFrame, *, by: str, base: float, log: bool = False
) -> None:
    """Draw the validation AUC of each trial over its number or one of its settings `by`.

    `rows` has `state`, `validation_auc` and the column `by`. A trial with a state other
    than "finished", such as one stopped early, is a cross at its last AUC; the best has a
    ring. The dotted line is `base`, the AUC of the unchanged recipe. `log` asks for a
    logarithmic axis of `by`.
    """
    places, names = _places(rows[by])
    value = rows["validation_auc"].to_numpy(dtype=np.float64)
    done = (rows["state"] == "finished").to_numpy()
    ax.axhline(base, color=MELANOMA, linestyle=":", linewidth=1.2)
    ax.plot(places[~done], value[~done], "x", color=FAINT, markersize=3.5)
    ax.plot(places[done], value[done], "o", color=SERIES[0], markersize=3.5)
    if done.any():
        best = int(np.nanargmax(np.where(done, value, -np.inf)))
        ax.plot(
            places[best], value[best], "o", color=INK, markersize=8, markerfacecolor="none"
        )
    if names:
        ax.set_xticks(range(len(names)), fitted_apart(names, width=14))
        ax.set_xlim(-0.5, len(names) - 0.5)
    elif log:
        _logarithmic(ax, places)
    ax.set_xlabel(visible(by))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))


def _logarithmic(ax: Axes, values: np.ndarray) -> None:
    """Set a logarithmic x axis with plain numbers: 1, 10, 100 …

    If `values` span less than 1.5 powers of ten, 2 and 5 times each are labelled, too.
    """
    ax.set_xscale("log")
    narrow = np.ptp(np.log10(values)) < 1.5
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _places(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return the x position of each value, and the labels of the axis.

    A number is its own position, without labels. Other values have the positions 0, 1 …,
    sorted as text, and their text is the label.
    """
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(
        column
    )
    if numbers:
        return column.to_numpy(dtype=np.float64), []
    words = column.astype(str)
    names = sorted(words.unique())
    return words.map({name: place for place, name in enumerate(names)}).to_numpy(), names


def draw_tuning(
    rows: pd.DataFrame, *, recipe: str, base: float, searched: Mapping[str, bool]
) -> Drawing:
    """Draw the figure of a search: AUC by trial number, and by each setting in a panel.

    `searched` maps the name of each setting to whether its axis is logarithmic; `rows` and
    `base` are as in `plot_trials`.
    """
    panels = 1 + len(searched)
    across = min(panels, _COLUMNS)
    down = math.ceil(panels / across)
    figure, axes = new_figure("page", height=0.7 + 2.0 * down, columns=across, rows=down)
    shown = rows["validation_auc"].dropna()
    low, high = min([*shown, base]), max([*shown, base])
    pad = 0.06 * (high - low) + 0.002
    drawn = {"trial": False, **searched}
    for ax, (by, log) in zip(axes, drawn.items(), strict=False):
        plot_trials(ax, rows, by=by, base=base, log=log)
        ax.set_ylim(low - pad, high + pad)
    axes[0].annotate(
        "recipe as it is", xy=(1, base), xycoords=("axes fraction", "data"),
        xytext=(0, 2), textcoords="offset points", ha="right", fontsize=6, color=MELANOMA,
    )  # fmt: skip
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for ax in axes[panels:]:
        ax.set_axis_off()
    for place in range(0, panels, across):
        axes[place].set_ylabel("Validation AUC")
    title = f"Trials of a search around {recipe}"
    headed(figure, title)
    caption = (
        "Each dot is a trial trained to its end, a cross one that was stopped early, at "
        "its last AUC; ringed the best, dotted the recipe as it is. All on the validation "
        "images that choose, so the best is flattered."
    )
    return Drawing("tuning", title, caption, figure, rows)
