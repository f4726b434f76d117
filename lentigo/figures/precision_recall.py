"""The figure of the precision–recall curve."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.discrimination import precision_recall_curve
from lentigo.evaluation.intervals import Interval
from lentigo.figures.curves import draw_curve, in_words, legend_beneath, thinned
from lentigo.figures.scores import Drawing, DrawnScores, Scores
from lentigo.figures.style import FAINT, SERIES, new_figure, titled


def plot_precision_recall(
    ax: Axes,
    models: Mapping[str, Scores],
    *,
    intervals: Mapping[str, Interval] | None = None,
) -> None:
    """Draw precision (PPV) against sensitivity, one curve a model.

    `models` maps a name to (truth, probability). The dotted line is the share of melanomas,
    which guessing reaches. `intervals` maps a name to the average precision for the legend.
    """
    colors = cycle(SERIES)
    for name, (truth, probability) in models.items():
        curve = precision_recall_curve(truth, probability)
        label = f"{name}, {in_words('AP', (intervals or {}).get(name))}"
        draw_curve(ax, curve.x, curve.y, label=label, color=next(colors), steps=True)
    truth = next(iter(models.values()))[0]
    if len(truth):
        prevalence = float(truth.mean())
        label = f"guessing: {100 * prevalence:.1f} % are melanoma"
        ax.axhline(prevalence, color=FAINT, linestyle=":", linewidth=1, label=label)
    ax.set(
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
        aspect="equal",
        xlabel="Melanomas found (sensitivity)",
        ylabel="Share of right calls (PPV)",
    )
    legend_beneath(ax)


def precision_recall_data(models: Mapping[str, Scores]) -> pd.DataFrame:
    """Return the points of the curves as rows: model, threshold, sensitivity, ppv."""
    tables = []
    for name, (truth, probability) in models.items():
        curve = precision_recall_curve(truth, probability)
        keep = thinned(curve.x, curve.y)
        columns = {
            "model": name,
            "threshold": curve.threshold[keep],
            "sensitivity": curve.x[keep],
            "ppv": curve.y[keep],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def draw_precision_recall(given: DrawnScores) -> Drawing:
    """Draw the figure of the curves, with each model's average precision in the legend."""
    figure, [ax] = new_figure()
    plot_precision_recall(ax, given.models, intervals=given.average_precision)
    titled(ax, title := "Precision–recall curve", given.size)
    caption = "The share of right calls against melanomas found, at every threshold."
    data = precision_recall_data(given.models)
    return Drawing("precision_recall", title, caption, figure, data)
