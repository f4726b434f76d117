"""The common style of all figures: fonts, sizes, and the meaning of each colour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from textwrap import fill
from threading import RLock
from typing import Any, Literal

import numpy as np
from matplotlib import RcParams, rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.typing import ColorType

from lentigo.figures.lettering import font_families
from lentigo.visible import shortened, visible

OTHER_LESION = "#4477AA"
"""Colour of lesions that are not melanoma, carcinomas included."""
MELANOMA = "#CC6677"
INK = "#222222"
"""Colour of text and of a main curve."""
FAINT = "#999999"
"""Colour of reference lines, such as that of guessing."""
SERIES = ("#332288", "#DDAA33", "#117733", "#88CCEE", "#AA4499")
"""Colours of several models, in this order; all differ from the colours above. From Paul
Tol's sets, which colour-blind readers can distinguish, and anyone in grey print."""
MALIGNANT = SERIES[4]
"""Colour of malignant lesions that are not, or not only, melanomas."""
NEUTRAL = "#7F8C99"
"""Colour of bars of images of any class."""
MISSING = "#E4E4E4"
"""Colour of missing values, which are also hatched."""
SEQUENTIAL = LinearSegmentedColormap.from_list(
    "lentigo", ["#F3F5F9", "#B9C9E0", "#7593BF", "#3E5C94", "#15244D"]
)
"""Colour map from few (pale) to many (dark), also in grey print."""

HATCHES = {OTHER_LESION: "", MELANOMA: "\\\\\\\\\\", MISSING: "/////", NEUTRAL: ""} | dict(
    zip(SERIES, ("", "////", "xxxx", "----", "++++"), strict=True)
)
"""Colour → hatch pattern of its bars, since the blue and red of the classes are nearly the
same grey in print (luminance 0.17 and 0.24)."""
MARKERS = ("o", "s", "^", "D", "v")

WIDTHS = {"column": 85 / 25.4, "page": 175 / 25.4}
"""Widths of a journal's column (85 mm) and page (175 mm), in inches."""

_SETTINGS: dict[str, Any] = {
    # A `$` in a name does not begin a formula.
    "text.parse_math": False,
    "hatch.linewidth": 0.5,
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
    """Use lentigo's matplotlib settings inside the `with` block, to draw and save.

    The user's own settings (a `matplotlibrc`) do not count: figures are the same for
    everybody. matplotlib's settings hold for the whole process, so a second thread waits.
    """
    # DejaVu Sans comes with matplotlib, so figures look the same on all machines; the other
    # fonts are used only for letters that it lacks.
    own = {**_SETTINGS, "font.family": list(font_families())}
    with _ONE_AT_A_TIME, rc_context(RcParams({**_defaults(), **own})):
        yield


@cache
def _defaults() -> dict[str, Any]:
    """Return matplotlib's own settings, but for those of windows, which we never open."""
    return {
        name: value
        for name, value in rcParamsDefault.items()
        if not name.startswith(("backend", "interactive", "toolbar", "webagg", "tk."))
    }


def new_figure(
    width: Literal["column", "page"] = "column",
    *,
    height: float | None = None,
    columns: int = 1,
    rows: int = 1,
) -> tuple[Figure, list[Axes]]:
    """Return a figure as wide as a journal's column or page, and its Axes row by row.

    `height` is in inches; by default each panel is a little lower than wide. Make the
    figure and draw on it inside `style()`; pyplot does not keep it, so it need not be
    closed.
    """
    across = WIDTHS[width]
    if height is None:
        height = rows * min(across / columns * 0.9, 3.4)
    figure = Figure(figsize=(across, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def titled(ax: Axes, title: str, detail: str = "") -> None:
    """Set the title of `ax`, with `detail` (such as the number of images) below it."""
    ax.set_title(visible(title), pad=15 if detail else 6)
    ax.annotate(
        visible(detail),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        color=INK,
    )


def headed(figure: Figure, title: str, *, width: int = 86) -> None:
    """Set the title of a whole figure, on its left, in lines of at most `width` letters."""
    figure.suptitle(
        fill(visible(shortened(title, at_most=400)), width),
        x=0.01,
        ha="left",
        fontsize=9,
        fontweight="bold",
        color=INK,
    )


def named(ax: Axes, name: str) -> None:
    """Set the title of one panel of a figure, in plain letters."""
    ax.set_title(visible(shortened(name)), fontweight="normal", fontsize=8, color=INK)


def emptied(ax: Axes, reason: str) -> None:
    """Write `reason` into `ax`, which has nothing to draw, and hide its axes."""
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    ax.spines[:].set_visible(False)
    words = fill(visible(shortened(reason)), 40)
    ax.text(0.5, 0.5, words, ha="center", va="center", color="#555555")


def contrast(one: ColorType, other: ColorType) -> float:
    """Return the contrast of two colours, from 1 (none) to 21 (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted(map(_luminance, (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: ColorType) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(color)
    ]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))
