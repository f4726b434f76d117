"""A grid of images, each with its caption."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lentigo.figures.style import INK, WIDTHS
from lentigo.visible import visible_lines

_CAPTION_LINE = 0.14
"""Height of a line of a caption, in inches."""


def plot_images(
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    *,
    per_row: int = 4,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Draw `images` with `captions` below them, row by row, on a figure as wide as a page.

    Images are (height, width, 3) RGB and keep their proportions; `colors` are those of
    their frames (such as OTHER_LESION or MELANOMA). A `$` in a caption is not the start of
    a formula.
    """
    rows = max(1, -(-len(images) // per_row))
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
    side = WIDTHS["page"] / per_row
    figure = Figure(
        figsize=(WIDTHS["page"], rows * (side + lines * _CAPTION_LINE)),
        layout="constrained",
    )
    axes = list(figure.subplots(rows, per_row, squeeze=False).flat)
    for ax in axes:
        ax.set_axis_off()
    frames = colors or [INK] * len(images)
    for ax, image, caption, color in zip(axes, images, captions, frames, strict=False):
        ax.set_axis_on()
        ax.imshow(image)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=color, linewidth=2)
        ax.set_xlabel(visible_lines(caption), parse_math=False, color=INK)
    return figure
