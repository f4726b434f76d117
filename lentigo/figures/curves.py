"""Functions shared by the figures of the ROC and of the precision–recall curve."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.figures.style import INK

_POINTS = 2000
"""Largest number of points drawn of a curve; more would only make a file of megabytes."""


def draw_curve(
    ax: Axes, x: FloatArray, y: FloatArray, *, label: str, color: str, steps: bool = False
) -> None:
    """Draw one curve with its legend entry; of a curve of NaN only the entry appears.

    With `steps` each point is joined to the one before by a vertical, then a horizontal
    line.
    """
    keep = thinned(x, y)
    ax.plot(
        x[keep],
        y[keep],
        label=label,
        color=color,
        drawstyle="steps-pre" if steps else "default",
    )


def thinned(x: FloatArray, y: FloatArray, *, points: int = _POINTS) -> IntArray:
    """Return the indices of the points of a curve to draw, at most about `points`.

    Points on a straight line between their neighbours are left out first.
    """
    if len(x) <= 2:
        return np.arange(len(x))
    turn = np.diff(x[:-1]) * np.diff(y[1:]) != np.diff(y[:-1]) * np.diff(x[1:])
    corners = np.flatnonzero(np.concatenate([[True], turn, [True]]))
    if len(corners) <= points:
        return corners
    return corners[np.linspace(0, len(corners) - 1, points).round().astype(np.intp)]


def in_words(name: str, interval: Interval | None) -> str:
    """Format for a legend, such as "AUC 0.873 (0.861–0.885)".

    "AUC 0.873" for NaN bounds, "AUC undefined" for a NaN value, "AUC" for None.
    """
    if interval is None or math.isnan(interval.value):
        return f"{name} undefined" if interval is not None else name
    if math.isnan(interval.low):
        return f"{name} {interval.value:.3f}"
    return f"{name} {interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"


def legend_beneath(ax: Axes) -> None:
    """Put the legend below the axis and its label, since a curve may be anywhere above.

    Its distance is in font sizes, so that it does not cover the label at any height.
    """
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=4.6,
        labelcolor=INK,
    )
