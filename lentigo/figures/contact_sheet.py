"""A sheet of one image in many views (such as filters and colour spaces), side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lentigo.figures.images import plot_images
from lentigo.figures.style import INK
from lentigo.visible import named

_FALSE_COLOR = {"hls", "hsv", "lab", "hsv_blur", "hsv_local_mean"}
"""Views whose three channels are not red, green and blue, but are displayed as these."""

_PER_ROW = 4


def plot_views(
    views: Mapping[str, NDArray[np.uint8]], *, title: str, notice: str
) -> Figure:
    """Draw views of one image (name → (H, W) or (H, W, 3) array), each above its name.

    `title` names the image; `notice` is written in small letters at the bottom.
    """
    captions = [_caption(name) for name in views]
    pictures = [_as_rgb(view) for view in views.values()]
    figure = plot_images(pictures, captions, per_row=min(_PER_ROW, max(2, len(pictures))))
    _fit_height(figure, pictures[0].shape)
    figure.suptitle(
        named(title), x=0.01, ha="left", fontweight="bold", fontsize=9, parse_math=False
    )
    figure.supxlabel(notice, x=0.01, ha="left", color=INK, fontsize=6.5)
    return figure


def _caption(name: str) -> str:
    return f"{name}\nchannels as red, green, blue" if name in _FALSE_COLOR else name


def _as_rgb(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([view] * 3, axis=2) if view.ndim == 2 else view


def _fit_height(figure: Figure, shape: tuple[int, ...]) -> None:
    """Set the figure's height for images of `shape`, which may not be square."""
    rows, columns = figure.axes[0].get_gridspec().get_geometry()  # type: ignore[union-attr]
    width = figure.get_figwidth()
    ratio = min(max(shape[0] / shape[1], 0.2), 2.0)
    figure.set_figheight(rows * (width / columns * ratio + 0.36) + 0.45)
