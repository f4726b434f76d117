"""The figure of the drift between a reference set of images and those of a period."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.drift import Drift
from lentigo.figures.lettering import fitted_apart
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, MELANOMA, SERIES, new_figure, titled
from lentigo.words import counted


def plot_drift(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw each column's distance divided by the 95 % quantile of distances by chance.

    `rows` is `Drift.as_table()`, one row a column and period. The grey line is at 1, below
    which 95 % of the distances by chance lie. Alarms are filled dots.
    """
    ax.axvline(1, color=FAINT, linewidth=1)
    for place, row in enumerate(rows.to_dict("records")):
        times = row["distance"] / row["by_chance"] if row["by_chance"] > 0 else 0.0
        color = MELANOMA if row["moved"] else SERIES[0]
        face = color if row["moved"] else "white"
        ax.plot([0, times], [place, place], color=color, linewidth=0.8)
        ax.plot(times, place, "o", color=color, markerfacecolor=face, clip_on=False)
    several = len(set(rows["period"])) > 1
    labels = fitted_apart([_label(row, several=several) for row in rows.to_dict("records")])
    ax.set_yticks(np.arange(len(rows)), labels)
    ax.set(ylim=(len(rows) - 0.5, -0.6), xlabel="Distance, as a multiple of chance (95 %)")
    ax.set_xlim(left=0)
    ax.tick_params(axis="y", length=0)


def _label(row: dict[Any, Any], *, several: bool) -> str:
    column = str(row["column"]).replace("_", " ")  # a long name breaks between its words
    return f"{row['period']}: {column}" if several else column


def draw_drift(found: Drift) -> Drawing:
    """Draw the figure of a drift; its data are those of `Drift.as_table`."""
    rows = found.as_table()
    figure, [ax] = new_figure("page", height=1.3 + 0.26 * len(rows))
    plot_drift(ax, rows)
    title = "What moved since the model was judged"
    alarms = counted(len(found.alarms), "alarm")
    titled(ax, title, "Nothing can be told" if found.all_untold else alarms)
    caption = (
        "How far each column is from the held-out images that the model was judged on, as "
        "a multiple of the distance that 95 % of chance deals of the same patients stay "
        "below. Full dots: further than chance after all columns are counted (Holm)."
    )
    return Drawing("drift", title, caption, figure, rows)
