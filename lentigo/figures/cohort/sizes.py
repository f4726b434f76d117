"""The figure of image sizes by class, from which a model could learn the camera."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.cohort.counts import plot_counts, plot_shares
from lentigo.figures.cohort.values import by_class, known
from lentigo.figures.style import named

SIZE = "size"
"""Name of the column that `with_size` adds."""


def plot_sizes(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the most frequent image sizes in pixels, as shares within each class.

    The size depends on the camera and clinic. Where the classes differ in size, a model may
    learn the camera instead of the lesion. If images of only one class are labelled, or
    none, the numbers of images are drawn.
    """
    sized = with_size(table)
    groups = by_class(sized)
    if len(groups) > 1:
        plot_shares(ax, groups, column=SIZE)
    else:
        plot_counts(ax, sized, column=SIZE)
    named(ax, "Image size in pixels, width × height")


def with_size(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with the column `size`, such as "6000 × 4000" pixels, or missing."""
    width, height = (known(table, name).astype("Int64") for name in ("width", "height"))
    size = width.astype("string") + " × " + height.astype("string")
    return table.assign(**{SIZE: size})
