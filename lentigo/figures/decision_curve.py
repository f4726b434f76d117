"""The figure of the decision curve: net benefit of a model, of excising all, of none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lentigo.evaluation.decision_curve import REFERRAL, decision_curve, shown_thresholds
from lentigo.evaluation.sums import Sample
from lentigo.figures.curves import legend_beneath
from lentigo.figures.scores import Drawing, DrawnScores
from lentigo.figures.style import FAINT, INK, SERIES, new_figure, titled


def plot_decision_curve(ax: Axes, curves: Mapping[str, pd.DataFrame]) -> None:
    """Draw the net benefit, per 1,000 lesions, of each model (name → `decision_curve`).

    The band is the interval of the first model. The dotted line is the net benefit of
    excising all lesions, the line at 0 that of excising none; the vertical dashed line
    marks a risk of 3 %, from which lesions are referred.
    """
    first = next(iter(curves.values()))
    ax.axhline(0, color=FAINT, linewidth=1, label="excise none")
    ax.plot(
        first["threshold"], 1000 * first["excise_all"],
        color=FAINT, linestyle=":", label="excise all",
    )  # fmt: skip
    ax.fill_between(
        first["threshold"], 1000 * first["low"], 1000 * first["high"],
        color=SERIES[0], alpha=0.15, linewidth=0,
    )  # fmt: skip
    colors = cycle(SERIES)
    for name, curve in curves.items():
        ax.plot(
            curve["threshold"], 1000 * curve["net_benefit"], color=next(colors), label=name
        )
    best = max([1.0, *(1000 * first["excise_all"].head(1)), *(1000 * first["high"])])
    ax.axvline(REFERRAL, color=INK, linestyle="--", linewidth=0.7)
    ax.annotate(
        f" {100 * REFERRAL:g} %: referral",
        (REFERRAL, best),
        color=INK,
        fontsize="small",
        va="bottom",
    )
    ax.set(
        xlim=(0, max([0.15, *first["threshold"]])),
        ylim=(-0.08 * best, 1.1 * best),
        xlabel="Threshold: risk from which a lesion is excised",
        ylabel="Net benefit, of 1,000 lesions",
    )
    # Only whole per cents: 2.5 % would be rounded to 2 %.
    ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    legend_beneath(ax)


def _share_of(truth: np.ndarray) -> str:
    """Return such as ", where 11.2 % are melanomas, as here"; empty without images."""
    return (
        f", where {100 * truth.mean():.3g} % are melanomas, as here" if len(truth) else ""
    )


def draw_decision_curve(given: DrawnScores) -> Drawing:
    """Draw the figure of the decision curves, with a band if every image has a group."""
    figure, [ax] = new_figure()
    truth, probability = given.scores
    at = shown_thresholds(float(truth.mean()) if len(truth) else 0.0)
    groups = given.numbered()
    curves = {}
    for name, (own, score) in given.models.items():
        # Only the judged model has a band, so the groups of other models do not matter.
        numbers = groups if groups is not None and score is probability else None
        units = numbers or (np.arange(len(own)), len(own))
        curves[name] = decision_curve(Sample(own, score, *units), at)
        if numbers is None:
            curves[name] = curves[name].assign(low=float("nan"), high=float("nan"))
    plot_decision_curve(ax, curves)
    titled(ax, title := "Decision curve", given.size)
    caption = (
        "Melanomas found less false alarms, these weighed by the odds of the threshold"
        f"{_share_of(truth)}. It takes the probabilities at their word."
    )
    if groups is not None:
        caption += " The band is the 95 % interval at each threshold."
    data = pd.concat(
        [each.assign(model=name) for name, each in curves.items()], ignore_index=True
    )
    return Drawing("decision_curve", title, caption, figure, data)
