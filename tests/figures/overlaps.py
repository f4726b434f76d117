"""Whether the words of a drawn figure touch each other or leave it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

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
    found = [
        f"{one!r} touches {two!r}"
        for (one, first), (two, second) in combinations(boxes, 2)
        if _touch(first, second)
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


def _touch(one: Bbox, two: Bbox) -> bool:
    across = min(one.x1, two.x1) - max(one.x0, two.x0)
    along = min(one.y1, two.y1) - max(one.y0, two.y0)
    return bool(across > _SLACK and along > _SLACK)
