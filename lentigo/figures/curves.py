"""Functions that the ROC and the precision–recall figure share."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.figures.style import INK

_POINTS = 2000
"""More are not seen on paper, and make a vector graphic of megabytes."""


def draw_curve(
    ax: Axes, x: FloatArray, y: FloatArray, *, label: str, color: str, steps: bool = False
) -> None:
    """Draw one curve; where it is undefined all along, only its legend entry appears."""
    keep = thinned(x, y)
    ax.plot(
        x[keep],
        y[keep],
        label=label,
        color=color,
        drawstyle="steps-pre" if steps else "default",
    )


def thinned(x: FloatArray, y: FloatArray, *, points: int = _POINTS) -> IntArray:
    """The positions of the corners of a curve, at most about `points` of them.

    Points on a straight line between their neighbours carry nothing and go first.
    """
    if len(x) <= 2:
        return np.arange(len(x))
    turn = np.diff(x[:-1]) * np.diff(y[1:]) != np.diff(y[:-1]) * np.diff(x[1:])
    corners = np.flatnonzero(np.concatenate([[True], turn, [True]]))
    if len(corners) <= points:
        return corners
    return corners[np.linspace(0, len(corners) - 1, points).round().astype(np.intp)]


def in_words(name: str, interval: Interval | None) -> str:
    """For a legend, such as "AUC 0.873 (0.861–0.885)"; without numbers, what is known."""
    if interval is None or math.isnan(interval.value):
        return f"{name} undefined" if interval is not None else name
    if math.isnan(interval.low):
        return f"{name} {interval.value:.3f}"
    return f"{name} {interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"


def legend_beneath(ax: Axes) -> None:
    """Put the legend under the axis and its label: a curve may run anywhere above.

    Its distance is in font sizes, so that it clears the label whatever the height.
    """
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=4.6,
        labelcolor=INK,
    )
