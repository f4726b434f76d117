"""The figure of the risk-coverage curve: the gain of abstaining on some images."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.abstention import RiskCoverage
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import Evaluation
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, new_figure, titled
from lentigo.words import counted


def plot_risk_coverage(
    ax: Axes, curve: RiskCoverage, *, answered: float | None = None
) -> None:
    """Draw the Brier score of the answered images against the share that is answered.

    Images with the lowest out-of-distribution scores are answered first. The band is the
    95 % interval from resampling groups. The vertical line is at `answered`, the share
    (0–1) that the model answers by its own limit. The dotted line is the Brier score of all
    images; an uninformative order of the images would give it at every share.
    """
    share = 100 * curve.coverage
    ax.fill_between(share, curve.low, curve.high, color=SERIES[0], alpha=0.15, linewidth=0)
    ax.plot(share, curve.risk, color=SERIES[0], marker="o", markersize=2.5)
    ax.axhline(curve.risk[-1], color=FAINT, linestyle=":", linewidth=1)
    if answered is not None:
        ax.axvline(100 * answered, color=INK, linestyle="--", linewidth=0.9)
        ax.annotate(
            f"the limit answers {100 * answered:.1f} %",
            xy=(100 * answered, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4, -2),
            textcoords="offset points",
            ha="right",
            va="top",
            color=INK,
        )
    top = float(np.nanmax([curve.risk, curve.high]))
    ax.set(
        xlim=(0, 102),
        ylim=(0, top * 1.2 if top > 0 else 1),
        xlabel="Share of images answered, the least strange first (%)",
        ylabel="Brier score of those answered",
    )


def draw_risk_coverage(evaluation: Evaluation) -> Drawing | None:
    """Draw the risk-coverage curve of an evaluation; None if the evaluation has none."""
    refusals = evaluation.refusals
    if refusals is None or refusals.curve is None:
        return None
    whole = refusals.rows[0]
    return draw_curve(refusals.curve, images=whole.n_images, refused=whole.n_refused)


def draw_curve(curve: RiskCoverage, *, images: int, refused: int) -> Drawing:
    """Draw the figure of a curve; of `images` images the model abstains on `refused`."""
    figure, [ax] = new_figure("column", height=3.0)
    plot_risk_coverage(ax, curve, answered=1 - refused / images)
    title = "Risk by coverage"
    titled(ax, title, f"{counted(images, 'image')}, {refused:,} beyond the limit")
    value, low, high = curve.area
    caption = (
        "Brier score of the images that are answered, the least strange first, with its "
        f"95 % interval; its mean over all shares (AURC) is "
        f"{Interval(value, low, high).in_words}. Where the curve falls to the left, the "
        "strange images are those on which the model errs; where it is level, their "
        "strangeness says nothing of that. Dotted: all images answered."
    )
    data = pd.DataFrame(
        {
            "coverage": curve.coverage,
            "risk": curve.risk,
            "low": curve.low,
            "high": curve.high,
        }
    )
    return Drawing("risk_coverage", title, caption, figure, data)
