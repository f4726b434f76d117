"""Whether the words of a drawn figure touch each other or leave it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

_SLACK = 1.0
"""Pixels that two boxes may share: a box is a little larger than its letters."""


def clashes(figure: Figure) -> list[str]:
    """A sentence for each two words that touch, and for each word that is cut off."""
    canvas: Any = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in words(figure)]
    names = [text for text, _ in boxes]
    found = [
        f"{names[one]!r} touches {names[two]!r}"
        for one, two in _touching([box for _, box in boxes])
    ]
    whole = figure.bbox
    for text, box in boxes:
        if (
            box.x0 < -1
            or box.y0 < -1
            or box.x1 > whole.width + 1
            or box.y1 > whole.height + 1
        ):
            found.append(f"{text!r} leaves the figure")
    return found


def words(figure: Any) -> Iterator[Text]:
    """Every text that is seen."""
    suptitle = getattr(figure, "_suptitle", None)
    if suptitle is not None:
        yield suptitle
    for part in figure.subfigs:
        yield from words(part)
    for ax in figure.axes:
        if ax.get_figure() is figure:
            yield from (text for text in _of_axes(ax) if text.get_text().strip())


def _of_axes(ax: Axes) -> Iterator[Text]:
    yield from (text for text in ax.texts if text.get_visible())
    yield from (getattr(ax, name) for name in ("title", "_left_title", "_right_title"))
    legend = ax.get_legend()
    if legend is not None:
        yield from legend.get_texts()
    if ax.axison:
        for axis in (ax.xaxis, ax.yaxis):
            yield from _of_axis(axis)


def _of_axis(axis: Axis) -> Iterator[Text]:
    yield axis.label
    low, high = sorted(axis.get_view_interval())
    for tick in axis.get_major_ticks():
        if low - 1e-9 <= tick.get_loc() <= high + 1e-9:
            yield from (text for text in (tick.label1, tick.label2) if text.get_visible())


def _touching(boxes: list[Bbox]) -> list[tuple[int, int]]:
    """The numbers of each two boxes that share more than `_SLACK` across and along."""
    low, high = (
        np.array([getattr(box, end) for box in boxes]).reshape(-1, 2)
        for end in ("min", "max")
    )
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    pairs = np.argwhere(np.triu((shared > _SLACK).all(axis=2), k=1))
    return [(int(one), int(two)) for one, two in pairs]
