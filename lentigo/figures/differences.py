"""The figure of the differences of AUC between models on the same images."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.contest_result import Contest, Pair, chance
from lentigo.figures.lettering import fitted_apart
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, new_figure, titled
from lentigo.words import counted


def plot_differences(ax: Axes, pairs: tuple[Pair, ...], *, margin: float | None) -> None:
    """Draw the difference of AUC of each pair with its 95 % interval, one row a pair.

    The solid vertical line is at 0, the dashed one at −`margin`, if there is a margin. The
    adjusted p-value, if any is known, is written on the right; if it is below 0.05, the dot
    is filled.
    """
    ax.axvline(0, color=FAINT, linewidth=1)
    if margin is not None:
        ax.axvline(-margin, color=SERIES[1], linestyle="--", linewidth=1)
    for row, pair in enumerate(pairs):
        if not math.isnan(pair.auc.low):
            ax.plot([pair.auc.low, pair.auc.high], [row, row], color=SERIES[0])
        face = SERIES[0] if pair.differs else "white"
        ax.plot(pair.auc.value, row, "o", color=SERIES[0], markerfacecolor=face)
    names = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    said = dict(zip(names, fitted_apart(names), strict=True))
    labels = [f"{said[pair.first]}\nminus {said[pair.second]}" for pair in pairs]
    ax.set_yticks(np.arange(len(pairs)), labels)
    ax.set(ylim=(len(pairs) - 0.5, -0.75), xlabel="Difference of AUC")
    ax.tick_params(axis="y", length=0)
    if margin is not None:
        _say_margin(ax, -margin)
    if all(math.isnan(pair.p_holm) for pair in pairs):
        return
    right = ax.twinx()
    right.set_ylim(*ax.get_ylim())
    right.set_yticks(np.arange(len(pairs)), [f"p {chance(pair.p_holm)}" for pair in pairs])
    right.tick_params(axis="y", length=0)


def _say_margin(ax: Axes, place: float) -> None:
    """Write "margin" left of the line at `place`; right of it near the left edge."""
    left, right = ax.get_xlim()
    near = place - left < 0.12 * (right - left)
    words, side = (" margin", "left") if near else ("margin ", "right")
    ax.annotate(words, (place, -0.6), color=INK, fontsize="x-small", ha=side)


def draw_differences(contest: Contest) -> Drawing:
    """Draw the figure of the differences; its data are those of `difference_data`."""
    figure, [ax] = new_figure("page", height=1.3 + 0.42 * len(contest.pairs))
    plot_differences(ax, contest.pairs, margin=contest.margin)
    titled(ax, title := "Differences of AUC", size_of(contest))
    caption = "AUC of the first model minus that of the second on the same images" + (
        ", with its 95 % interval; p is adjusted for the number of pairs (Holm). Dots are "
        "full where it is below 0.05."
        if contest.tells
        else ". So few images or groups tell no difference, so no interval is drawn."
    )
    return Drawing("differences", title, caption, figure, difference_data(contest))


def difference_data(contest: Contest) -> pd.DataFrame:
    """Return a row a pair: first, second, difference, low, high, p, p_holm, p_inferior."""
    return pd.DataFrame(
        [
            {
                "first": pair.first,
                "second": pair.second,
                "difference": pair.auc.value,
                "low": pair.auc.low,
                "high": pair.auc.high,
                "p": pair.p,
                "p_holm": pair.p_holm,
                "p_inferior": pair.p_inferior,
            }
            for pair in contest.pairs
        ]
    )


def size_of(contest: Contest) -> str:
    """Return words such as "1,000 images, 90 melanomas", on which models are compared."""
    truth = contest.images.truth
    melanomas = counted(int(truth.sum()), "melanoma")
    return f"{counted(len(truth), 'image')}, {melanomas}"
