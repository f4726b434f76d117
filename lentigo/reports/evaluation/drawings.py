"""The four figures of an evaluation, drawn once for whatever command or page shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lentigo.evaluation.bands import roc_band
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.operating_points import confusion
from lentigo.evaluation.sums import Sample, group_numbers
from lentigo.figures.confusion import confusion_data, plot_confusion
from lentigo.figures.precision_recall import plot_precision_recall, precision_recall_data
from lentigo.figures.registry import shown_by
from lentigo.figures.reliability import plot_reliability, reliability_data
from lentigo.figures.roc import Scores, plot_roc, roc_data
from lentigo.figures.save import save_figure
from lentigo.figures.style import new_figure, style, titled
from lentigo.words import counted


@dataclass(frozen=True, kw_only=True)
class DrawnScores:
    """Data of the figures: scores of a model, and of others that are drawn beside it."""

    models: Mapping[str, Scores]
    """Name to truth and probability of each image; the first is what is judged."""
    group: pd.Series[str] | None
    """The group of each image of that model; None where one of them has none."""
    threshold: float
    seed: int
    """Of the resamples of the band."""
    auc: Mapping[str, Interval] = field(default_factory=dict)
    """Name of a model to its number, for the legend; so, too, `average_precision`."""
    average_precision: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def scores(self) -> Scores:
        """Truth and probability of the model that is judged."""
        return next(iter(self.models.values()))

    @property
    def size(self) -> str:
        """How many images and melanomas there are, in words."""
        truth = self.scores[0]
        melanomas = counted(int(np.count_nonzero(truth)), "melanoma")
        return f"{counted(len(truth), 'image')}, {melanomas}"

    def numbered(self) -> tuple[IntArray, int] | None:
        """Return the groups as numbers, and how many there are; None where some lack."""
        return None if self.group is None else group_numbers(self.group, self.scores[1])


@dataclass(frozen=True)
class Drawing:
    """A figure: the name of its files, its title, its caption and its numbers."""

    name: str
    title: str
    caption: str
    figure: Figure = field(repr=False)
    data: pd.DataFrame = field(repr=False)

    def save(self, folder: Path) -> list[Path]:
        """Write it into `folder` as SVG, PNG and CSV; return these paths in that order."""
        return save_figure(self.figure, folder / self.name, self.data)


def draw_judged(judged: DrawnScores, *, both_classes_only: bool = False) -> list[Drawing]:
    """Draw ROC, precision–recall, confusion and reliability; what is seen stands over each.

    The two curves need both classes: without one they are empty, and say so, or are left
    out with `both_classes_only`.
    """
    drawn: dict[str, Callable[[DrawnScores], Drawing]] = {
        "roc": _roc,
        "precision_recall": _precision_recall,
        "confusion": _confusion,
        "reliability": _reliability,
    }
    names = [row.name for row in shown_by("evaluate")]
    if both_classes_only and len(np.unique(judged.scores[0])) < 2:
        names = [name for name in names if name not in {"roc", "precision_recall"}]
    with style():
        return [drawn[name](judged) for name in names]


def _roc(judged: DrawnScores) -> Drawing:
    figure, [ax] = new_figure()
    band = None
    if (groups := judged.numbered()) is not None:
        band = roc_band(Sample(*judged.scores, *groups), seed=judged.seed)
    plot_roc(ax, judged.models, intervals=judged.auc, band=band)
    titled(ax, title := "ROC curve", judged.size)
    caption = "Melanomas found against false alarms, at every threshold."
    if band is not None:
        caption += " The band holds the model's curve in 95 % of the resamples of groups."
    return Drawing("roc", title, caption, figure, roc_data(judged.models))


def _precision_recall(judged: DrawnScores) -> Drawing:
    figure, [ax] = new_figure()
    plot_precision_recall(ax, judged.models, intervals=judged.average_precision)
    titled(ax, title := "Precision–recall curve", judged.size)
    caption = "The share of right calls against melanomas found, at every threshold."
    data = precision_recall_data(judged.models)
    return Drawing("precision_recall", title, caption, figure, data)


def _confusion(judged: DrawnScores) -> Drawing:
    figure, [ax] = new_figure()
    counts = confusion(*judged.scores, threshold=judged.threshold)
    plot_confusion(ax, counts, threshold=judged.threshold)
    titled(ax, title := "Confusion matrix", judged.size)
    caption = "What was there, and what it was called."
    return Drawing("confusion", title, caption, figure, confusion_data(counts))


def _reliability(judged: DrawnScores) -> Drawing:
    figure, [ax] = new_figure()
    groups = judged.numbered()
    group = None if groups is None else groups[0]
    plot_reliability(ax, *judged.scores, group=group)
    titled(ax, title := "Reliability", judged.size)
    caption = "How often melanoma was there against how often it was promised."
    data = reliability_data(*judged.scores, group=group)
    return Drawing("reliability", title, caption, figure, data)
