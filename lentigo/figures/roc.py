"""The figure of the ROC curve: sensitivity against the false positive rate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.bands import roc_band
from lentigo.evaluation.discrimination import FloatArray, roc_curve
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.sums import Sample
from lentigo.figures.curves import draw_curve, in_words, legend_beneath, thinned
from lentigo.figures.scores import Drawing, DrawnScores, Scores
from lentigo.figures.style import FAINT, SERIES, new_figure, titled


def plot_roc(
    ax: Axes,
    models: Mapping[str, Scores],
    *,
    intervals: Mapping[str, Interval] | None = None,
    band: tuple[FloatArray, FloatArray, FloatArray] | None = None,
) -> None:
    """Draw sensitivity against false positive rate, one curve a model.

    `models` maps a name to (truth, probability), `intervals` a name to the AUC for the
    legend. `band` is for the first model: false positive rates, and the lower and upper
    sensitivity at each, as from `roc_band`. Where a class is missing there is no curve, and
    the legend says "AUC undefined" if `intervals` has the model.
    """
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    if band is not None:
        ax.fill_between(*band, color=SERIES[0], alpha=0.15, linewidth=0)
    colors = cycle(SERIES)
    for name, (truth, probability) in models.items():
        curve = roc_curve(truth, probability)
        label = f"{name}, {in_words('AUC', (intervals or {}).get(name))}"
        draw_curve(ax, curve.x, curve.y, label=label, color=next(colors))
    ax.set(
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
        aspect="equal",
        xlabel="False alarms (1 − specificity)",
        ylabel="Melanomas found (sensitivity)",
    )
    ax.text(0.5, 0.47, "guessing", color=FAINT, rotation=45, rotation_mode="anchor",
            ha="center", va="top", fontsize="small")  # fmt: skip
    legend_beneath(ax)


def roc_data(models: Mapping[str, Scores]) -> pd.DataFrame:
    """Return the points as rows: model, threshold, false_positive_rate, sensitivity."""
    tables = []
    for name, (truth, probability) in models.items():
        curve = roc_curve(truth, probability)
        keep = thinned(curve.x, curve.y)
        columns = {
            "model": name,
            "threshold": curve.threshold[keep],
            "false_positive_rate": curve.x[keep],
            "sensitivity": curve.y[keep],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def draw_roc(given: DrawnScores) -> Drawing:
    """Draw the figure of the ROC curves, with a 95 % band if every image has a group."""
    figure, [ax] = new_figure()
    band = None
    if (groups := given.numbered()) is not None:
        band = roc_band(Sample(*given.scores, *groups), seed=given.seed)
    plot_roc(ax, given.models, intervals=given.auc, band=band)
    titled(ax, title := "ROC curve", given.size)
    caption = "Melanomas found against false alarms, at every threshold."
    if band is not None:
        caption += " The band holds the model's curve in 95 % of the resamples of groups."
    return Drawing("roc", title, caption, figure, roc_data(given.models))
