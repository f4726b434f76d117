"""A grid of images, each with its caption."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lentigo.figures.style import INK, WIDTHS
from lentigo.visible import visible_lines

_CAPTION_LINE = 0.14
"""Height of a line of a caption, in inches."""
_LETTER = 0.055
"""Width of a letter of a caption, in inches; a wide word may need a little more."""


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
    a formula. A line that is wider than the image's place is broken.
    """
    rows = max(1, -(-len(images) // per_row))
    side = WIDTHS["page"] / per_row
    captions = [_broken(visible_lines(each), int(side / _LETTER)) for each in captions]
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
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
        ax.set_xlabel(caption, parse_math=False, color=INK)
    return figure


def _broken(caption: str, most: int) -> str:
    """Break the lines of `caption` that have more than `most` letters, between words."""
    return "\n".join(
        fill(line, most, break_on_hyphens=False) if len(line) > most else line
        for line in caption.split("\n")
    )
