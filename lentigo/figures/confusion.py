"""The confusion matrix: true class by called class."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lentigo.evaluation.operating_points import Confusion, confusion, share
from lentigo.figures.scores import Drawing, DrawnScores
from lentigo.figures.style import INK, MELANOMA, OTHER_LESION, new_figure, titled

_NAMES = ("not melanoma", "melanoma")


def plot_confusion(ax: Axes, counts: Confusion, *, threshold: float | None = None) -> None:
    """Draw the four counts, each with its share of the images of the same true class.

    The stronger the colour of a cell, the larger this share; the red row is melanomas, the
    blue row other lesions. `threshold` is only written on the axis.
    """
    for _, cell in confusion_data(counts).iterrows():
        row, column = _NAMES.index(cell["truth"]), _NAMES.index(cell["called"])
        part = 0.0 if cell["images"] == 0 else float(cell["share"])
        color = (OTHER_LESION, MELANOMA)[row]
        ax.add_patch(
            Rectangle((column, row), 1, 1, color=color, alpha=0.75 * part, linewidth=0)
        )
        words = "none" if pd.isna(cell["share"]) else f"{100 * cell['share']:.1f} %"
        ax.text(column + 0.5, row + 0.44, f"{cell['images']:,}", ha="center", va="center",
                fontsize=11, color=INK)  # fmt: skip
        ax.text(column + 0.5, row + 0.64, words, ha="center", va="center", color=INK)
    total = (counts.tn + counts.fp, counts.fn + counts.tp)
    ax.set(xlim=(0, 2), ylim=(2, 0), aspect="equal", xlabel="Called")
    if threshold is not None:
        ax.set_xlabel(f"Called (melanoma from {threshold:.3g} upwards)")
    ax.set_xticks([0.5, 1.5], [f"{name}" for name in _NAMES])
    labels = [f"{name}\n(n = {n:,})" for name, n in zip(_NAMES, total, strict=True)]
    ax.set_yticks([0.5, 1.5], labels)
    ax.set_ylabel("Truth")
    ax.tick_params(length=0)
    ax.axhline(1, color="white", linewidth=2)
    ax.axvline(1, color="white", linewidth=2)
    ax.spines[:].set_visible(False)


def confusion_data(counts: Confusion) -> pd.DataFrame:
    """Return the four cells as rows: truth, called, images, share of the true class."""
    others, melanomas = counts.tn + counts.fp, counts.fn + counts.tp
    other = _NAMES[0]
    return pd.DataFrame(
        [
            (other, other, counts.tn, share(counts.tn, others)),
            (other, "melanoma", counts.fp, share(counts.fp, others)),
            ("melanoma", other, counts.fn, share(counts.fn, melanomas)),
            ("melanoma", "melanoma", counts.tp, share(counts.tp, melanomas)),
        ],
        columns=["truth", "called", "images", "share"],
    )


def draw_confusion(given: DrawnScores) -> Drawing:
    """Draw the figure of the confusion matrix at `given.threshold`."""
    figure, [ax] = new_figure()
    counts = confusion(*given.scores, threshold=given.threshold)
    plot_confusion(ax, counts, threshold=given.threshold)
    titled(ax, title := "Confusion matrix", given.size)
    caption = "What was there, and what it was called."
    return Drawing("confusion", title, caption, figure, confusion_data(counts))
