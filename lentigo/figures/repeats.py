"""The figure of repeated cross-validation: AUC of each fold in each repeat, and mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import Evaluation
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, new_figure, titled


def plot_repeats(ax: Axes, rows: pd.DataFrame, mean: Interval) -> None:
    """Draw the `auc` of each row over its `repeat`, folds as dots, pooled folds as bars.

    `rows` has the columns `repeat` (0, 1 …), `fold` (a number, or "pooled") and `auc`
    (NaN where undefined). `mean` is a horizontal line, its interval a band.
    """
    if not math.isnan(mean.low):
        ax.axhspan(mean.low, mean.high, color=FAINT, alpha=0.25, linewidth=0)
    ax.axhline(mean.value, color=INK, linewidth=1, label="mean of all folds")
    pooled = rows["fold"] == "pooled"
    ax.plot(
        rows.loc[~pooled, "repeat"], rows.loc[~pooled, "auc"], "o", color=SERIES[0],
        markersize=4, label="a fold",
    )  # fmt: skip
    ax.plot(
        rows.loc[pooled, "repeat"], rows.loc[pooled, "auc"], "_", color=SERIES[1],
        markersize=16, markeredgewidth=2, label="folds pooled",
    )  # fmt: skip
    numbers = sorted(rows["repeat"].unique())
    ax.set_xticks(numbers if len(numbers) <= _LABELLED else numbers[:: len(numbers) // 10])
    ax.set(xlim=(numbers[0] - 0.6, numbers[-1] + 0.6), xlabel="Repeat", ylabel="AUC")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False)


_LABELLED = 20


def draw_repeats(evaluation: Evaluation) -> Drawing | None:
    """Draw the figure of an evaluation's repeats; None where it has no repeats."""
    repeated = evaluation.repeated
    if repeated is None:
        return None
    rows = [
        (number, part.name, part.auc.value)
        for number, each in enumerate(repeated.repeats)
        for part in (*each.folds, each.pooled)
    ]
    return draw_rows(rows, repeated.mean, repeated.sentence)


def draw_rows(
    found: Sequence[tuple[int, str, float]], mean: Interval, sentence: str
) -> Drawing:
    """Draw the figure from tuples of repeat, fold and AUC.

    `sentence`, on the mean AUC, begins the caption.
    """
    rows = pd.DataFrame(list(found), columns=["repeat", "fold", "auc"])
    figure, [ax] = new_figure("page", height=3.2)
    plot_repeats(ax, rows, mean)
    title = "The AUC of each fold, the groups dealt anew in each repeat"
    titled(ax, title)
    caption = (
        f"{sentence} The band is that interval: it counts that all these models learnt "
        "from much the same images. Pooled, scores of different models are compared, which "
        "are not on one scale."
    )
    return Drawing("repeats", title, caption, figure, rows)
