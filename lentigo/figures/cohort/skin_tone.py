"""The figure of skin tone, measured in the images as the individual typology angle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lentigo.figures.bars import below
from lentigo.figures.cohort.values import color_of
from lentigo.figures.style import FAINT, INK
from lentigo.imaging.quality.skin_tone import TONES

_STEP = 5.0
_POINTS = 400.0
"""About the width of the axes on a page, in points."""
_LETTER = 4.2
"""Width of a letter of a tone's name, in points; names without room are turned."""


def plot_skin_tone(ax: Axes, angles: Mapping[str, NDArray[np.float64]]) -> None:
    """Draw the distribution of individual typology angles of each group, such as a class.

    `angles` maps a group to its angles in degrees, as from `skin_tone_angle`; NaN (no skin
    found) is left out. Light skin is on the right; dotted lines separate the six tones.
    """
    colors = color_of(list(angles))
    edges = _edges(angles)
    for place, (name, values) in enumerate(angles.items()):
        there = values[np.isfinite(values)]
        counts = np.histogram(there, edges)[0]
        ax.stairs(100 * counts / max(len(there), 1), edges, color=colors[name],
                  linestyle=("-", "--", "-.", ":")[place % 4], linewidth=1.4,
                  label=f"{name} (n = {len(there):,})")  # fmt: skip
    ax.set_xlim(edges[0], edges[-1])
    bounds = [edges[0], *(start for _, start in TONES[::-1] if start > -90), edges[-1]]
    inside = np.clip(bounds, edges[0], edges[-1])
    for number, (name, _) in enumerate(TONES[::-1]):
        left, right = inside[number], inside[number + 1]
        if right > left:
            room = _POINTS * (right - left) / (edges[-1] - edges[0])
            turned = 0 if room > _LETTER * len(name) else 90
            ax.annotate(name, ((left + right) / 2, 1), xycoords=("data", "axes fraction"),
                        xytext=(0, 3), textcoords="offset points", ha="center",
                        fontsize=6.5, color=INK, rotation=turned)  # fmt: skip
        if edges[0] < left < edges[-1]:
            ax.axvline(left, color=FAINT, linestyle=":", linewidth=0.8, zorder=0)
    ax.set_xlabel("Individual typology angle, degrees (light skin to the right)")
    ax.set_ylabel("Share of the images, %")
    ax.set_ylim(bottom=0)
    below(ax, columns=1, distance=4.4)


def skin_tone_data(angles: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """Return one row a step of the histogram: group, from, to (degrees), images."""
    edges = _edges(angles)
    rows = [
        (name, low, high, int(count))
        for name, values in angles.items()
        for low, high, count in zip(
            edges[:-1],
            edges[1:],
            np.histogram(values[np.isfinite(values)], edges)[0],
            strict=True,
        )
    ]
    return pd.DataFrame(rows, columns=["group", "from", "to", "images"])


def _edges(angles: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    every = np.concatenate([np.array([-30.0, 60.0]), *angles.values()])
    every = every[np.isfinite(every)]
    low, high = np.floor(every.min() / _STEP), np.floor(every.max() / _STEP) + 1
    return _STEP * np.arange(low, high + 1)
