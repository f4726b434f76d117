"""The figure of an ablation: the gain in AUC of each switch of a recipe, a forest plot."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.lettering import fitted_apart
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, SERIES, new_figure, titled


def plot_effects(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the `difference` of each switch (a row) as a dot, with a bar of `low` to `high`.

    Small dots are the differences of single seeds (columns `difference_seed_…`); the
    vertical line is at 0, no difference.
    """
    ax.axvline(0, color=FAINT, linewidth=1)
    seeds = [name for name in rows if str(name).startswith("difference_seed_")]
    for place, row in enumerate(rows.to_dict("records")):
        ax.plot(
            [row[name] for name in seeds], [place] * len(seeds), "o",
            color=FAINT, markersize=3,
        )  # fmt: skip
        if not math.isnan(row["low"]):
            ax.plot([row["low"], row["high"]], [place, place], color=SERIES[0])
        ax.plot(row["difference"], place, "o", color=SERIES[0])
    labels = fitted_apart([str(name) for name in rows["switch"]], width=42)
    ax.set_yticks(np.arange(len(rows)), labels)
    ax.set(ylim=(len(rows) - 0.5, -0.6), xlabel="AUC with the switch minus AUC without it")
    ax.tick_params(axis="y", length=0)


def draw_ablation(table: pd.DataFrame, recipe: str) -> Drawing:
    """Draw the figure of an ablation's table, whose first row is the recipe itself."""
    rows = table.iloc[1:].reset_index(drop=True)
    figure, [ax] = new_figure("page", height=1.3 + 0.36 * len(rows))
    plot_effects(ax, rows)
    title = f"What each switch of {recipe} gives"
    titled(ax, title, f"AUC of {recipe} {table['auc'].iloc[0]:.3f}")
    caption = (
        "Mean over seeds of the paired differences on the same held-out images, with the "
        "95 % interval over patients and seeds; small dots are single seeds. An interval "
        "that holds 0 shows no effect."
    )
    if rows["low"].isna().all():
        caption = (
            "Mean over seeds of the paired differences on the same held-out images; small "
            "dots are single seeds. There is no interval, so no effect is shown."
        )
    return Drawing("ablation", title, caption, figure, table)
