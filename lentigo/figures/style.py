"""One look for every figure, and one meaning for every colour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, Literal

from matplotlib import RcParams, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BENIGN = "#4477AA"
MELANOMA = "#CC6677"
INK = "#222222"
"""Text and the one curve that matters."""
FAINT = "#999999"
"""Reference lines, such as chance."""
SERIES = ("#332288", "#DDAA33", "#117733", "#88CCEE", "#AA4499")
"""Models beside each other, in this order: neither benign's colour nor melanoma's. From
Paul Tol's sets, told apart by colour-blind readers and in grey."""

WIDTHS = {"column": 85 / 25.4, "page": 175 / 25.4}
"""Width of a journal's column and page, in inches."""

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so figures are alike anywhere
    "font.size": 7.5,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Letters as outlines look the same where the font is not installed; the salt makes the
    # ids in the file the same in every run.
    "svg.fonttype": "path",
    "svg.hashsalt": "lentigo",
    "pdf.fonttype": 42,
}

_ONE_AT_A_TIME = RLock()


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in lentigo's look inside the `with` block.

    matplotlib's settings belong to the whole process, so a second thread waits.
    """
    with _ONE_AT_A_TIME, rc_context(RcParams(_SETTINGS)):
        yield


def new_figure(
    width: Literal["column", "page"] = "column",
    *,
    height: float | None = None,
    columns: int = 1,
    rows: int = 1,
) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a journal's column or page, and its Axes row by row.

    `height` is in inches; by default each panel is a little lower than wide. Make and
    draw on it inside `style()`; it is not known to pyplot, so nothing has to be closed.
    """
    across = WIDTHS[width]
    if height is None:
        height = rows * min(across / columns * 0.9, 3.4)
    figure = Figure(figsize=(across, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def titled(ax: Axes, title: str, detail: str = "") -> None:
    """Put a title over `ax` that says what is seen, and beneath it in plain, such as n."""
    ax.set_title(title, pad=15 if detail else 6)
    ax.annotate(
        detail,
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        color=INK,
    )
