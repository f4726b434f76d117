"""The figure of the AUC of each model (rows) on each archive (columns)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.contest_result import Contest
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import decimal
from lentigo.figures.differences import size_of
from lentigo.figures.lettering import fitted_apart
from lentigo.figures.scores import Drawing
from lentigo.figures.style import INK, SEQUENTIAL, contrast, new_figure, titled

_PALEST, _DARKEST = 0.5, 1.0
"""AUC of the palest colour (guessing) and of the darkest (perfect)."""


def plot_matrix(ax: Axes, archives: Mapping[str, Mapping[str, Interval]]) -> None:
    """Draw the AUC of each model (outer key) on each archive (inner key) as a cell.

    The darker a cell, the higher the AUC. In the cell are the AUC and, in a second line,
    its interval. A cell whose AUC is NaN has no colour and the word "none".
    """
    rows, columns = list(archives), list(next(iter(archives.values())))
    values = np.array([[archives[r][c].value for c in columns] for r in rows])
    ax.imshow(values, cmap=SEQUENTIAL, vmin=_PALEST, vmax=_DARKEST, aspect="auto")
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            cell = archives[row][column]
            color = letters_on(cell.value)
            ax.text(x, y, _words(cell), ha="center", va="center", color=color)
    ax.set_xticks(range(len(columns)), fitted_apart(columns, width=16))
    ax.set_yticks(range(len(rows)), fitted_apart(rows, width=20))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="Judged on", ylabel="Model")


def letters_on(auc: float) -> str:
    """Return the colour of the letters, white or dark, that is read best on a cell."""
    if math.isnan(auc):
        return INK
    cell = SEQUENTIAL((auc - _PALEST) / (_DARKEST - _PALEST))
    return max("white", INK, key=lambda letters: contrast(letters, cell))


def draw_matrix(contest: Contest) -> Drawing | None:
    """Draw the figure of models and archives; None where there is only one archive."""
    archives = contest.archives
    if not archives:
        return None
    figure, [ax] = new_figure("page", height=1.2 + 0.5 * len(archives))
    plot_matrix(ax, archives)
    titled(ax, title := "AUC of each model on each archive", size_of(contest))
    caption = "AUC with its 95 % interval; whole groups are the unit."
    return Drawing("archives", title, caption, figure, matrix_data(archives))


def draw_learnt_and_judged(archives: Mapping[str, Mapping[str, Interval]]) -> Drawing:
    """Draw the AUCs of a run in which each archive was held out in turn.

    A row is the archives that a model was trained on, a column the archive that it was
    judged on. `archives` maps the former (in words) to the latter to the AUC.
    """
    figure, [ax] = new_figure("page", height=1.2 + 0.5 * len(archives))
    plot_matrix(ax, archives)
    ax.set(ylabel="Learnt from")
    titled(ax, title := "AUC by what was learnt from and what judged")
    caption = (
        "AUC with its 95 % interval; whole groups are the unit. An archive that was learnt "
        "from is judged by its validation images, which also chose the epoch, one that was "
        "held out by all of its images."
    )
    return Drawing("archives", title, caption, figure, matrix_data(archives))


def matrix_data(archives: Mapping[str, Mapping[str, Interval]]) -> pd.DataFrame:
    """Return one row a cell of the figure: model, archive, auc, low, high."""
    return pd.DataFrame(
        [
            {"model": m, "archive": a, "auc": i.value, "low": i.low, "high": i.high}
            for m, row in archives.items()
            for a, i in row.items()
        ]
    )


def _words(cell: Interval) -> str:
    if math.isnan(cell.value):
        return "none"
    if math.isnan(cell.low):
        return decimal(cell.value)
    return f"{cell.value:.3f}\n{cell.low:.3f}–{cell.high:.3f}"
