"""The figure of a reader study: readers as dots beside the ROC curve of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.bands import roc_band
from lentigo.evaluation.readers.study_result import OneReader, ReaderStudy
from lentigo.evaluation.sums import Sample
from lentigo.figures.curves import legend_beneath
from lentigo.figures.lettering import fitted
from lentigo.figures.roc import plot_roc
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, MARKERS, SERIES, new_figure, titled
from lentigo.words import counted


def plot_readers(
    ax: Axes,
    readers: Sequence[OneReader],
    *,
    majority: OneReader | None = None,
    label: str = "readers",
    place: int = 0,
) -> None:
    """Draw each reader as a dot with 95 % intervals of sensitivity and specificity.

    `ax` is that of a ROC curve. The majority is larger and filled. `place` (0, 1 …) is the
    number of a set of readers in the figure; each set has its own colour and marker.
    """
    color = SERIES[1 + place % (len(SERIES) - 1)]
    marker = MARKERS[place % len(MARKERS)]
    for each in _shown(readers):
        _cross(ax, each, color=color)
        ax.plot(
            1 - each.specificity.value,
            each.sensitivity.value,
            marker,
            color=color,
            markerfacecolor="white",
            markersize=4,
            label=label,
            clip_on=False,  # a dot at the edge stays whole
        )
        label = ""  # one legend entry for all readers
    for each in _shown([majority] if majority is not None else []):
        ax.plot(
            1 - each.specificity.value,
            each.sensitivity.value,
            marker,
            color=color,
            markeredgecolor=INK,
            markersize=7,
            label="their majority",
            clip_on=False,
        )


def _shown(readers: Sequence[OneReader]) -> list[OneReader]:
    return [
        each
        for each in readers
        if not math.isnan(each.sensitivity.value) and not math.isnan(each.specificity.value)
    ]


def _cross(ax: Axes, reader: OneReader, *, color: str) -> None:
    x, y = 1 - reader.specificity.value, reader.sensitivity.value
    across = [1 - reader.specificity.high, 1 - reader.specificity.low]
    along = [reader.sensitivity.low, reader.sensitivity.high]
    for places in ((across, [y, y]), ([x, x], along)):
        ax.plot(*places, color=color, linewidth=0.6, alpha=0.6)


def draw_readers(study: ReaderStudy) -> Drawing | None:
    """Draw the figure of a reader study; None where no reader has both metrics.

    The metrics are sensitivity and specificity.
    """
    if not any(_shown(found.readers) for found in study.conditions):
        return None
    figure, [ax] = new_figure(height=3.1 + 0.3 * len(study.conditions))
    truth, score, group = study.case
    if score is not None and study.model is not None:
        sample = Sample(truth, score, group, int(group.max()) + 1)
        band = roc_band(sample, seed=study.seed)
        plot_roc(ax, {"model": (truth, score)}, intervals={"model": study.model}, band=band)
    else:
        _frame(ax)
    for place, found in enumerate(study.conditions):
        name = f"readers, {fitted(found.name, lines=1)}" if found.name else "readers"
        plot_readers(ax, found.readers, majority=found.majority, label=name, place=place)
    legend_beneath(ax)
    size = f"{counted(len(truth), 'image')}, {counted(study.n_melanomas, 'melanoma')}"
    titled(ax, title := "Readers and model" if score is not None else "Readers", size)
    caption = "Each dot is a reader, with 95 % intervals of sensitivity and specificity."
    if score is not None:
        caption += (
            " The band holds the model's curve in 95 % of the resamples of groups. A dot "
            "below the curve may still be within chance: see the paired differences."
        )
    return Drawing("readers", title, caption, figure, reader_data(study))


def _frame(ax: Axes) -> None:
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    ax.set(
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
        aspect="equal",
        xlabel="False alarms (1 − specificity)",
        ylabel="Melanomas found (sensitivity)",
    )


def reader_data(study: ReaderStudy) -> pd.DataFrame:
    """Return one row a reader: condition, reader, sensitivity, specificity, with bounds."""
    rows = []
    for found in study.conditions:
        for each in [*found.readers, *([found.majority] if found.majority else [])]:
            row: dict[str, object] = {"condition": found.name, "reader": each.name}
            for name in ("sensitivity", "specificity"):
                interval = getattr(each, name)
                row |= {
                    name: interval.value,
                    f"{name}_low": interval.low,
                    f"{name}_high": interval.high,
                }
            rows.append(row)
    return pd.DataFrame(rows)
