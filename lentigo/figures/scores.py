"""The input of the evaluation figures, and a finished figure with its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.sums import group_numbers
from lentigo.figures.save import save_figure
from lentigo.words import counted

Scores = tuple[BoolArray, FloatArray]
"""Truth (N,) and probability of melanoma (N,) of the same images."""


@dataclass(frozen=True, kw_only=True)
class DrawnScores:
    """Input of the figures: the scores of the judged model and of models to compare."""

    models: Mapping[str, Scores]
    """Name → truth and probability of each image; the first is the judged model."""
    group: pd.Series[str] | None
    """The group of each image of the judged model; None where an image has no group."""
    threshold: float
    """Probability from which melanoma is called, for the confusion matrix."""
    seed: int
    """Seed of the resamples of the ROC band."""
    auc: Mapping[str, Interval] = field(default_factory=dict)
    """Name of a model → AUC, and likewise `average_precision`, for the legends."""
    average_precision: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def scores(self) -> Scores:
        """Truth and probability of the judged model."""
        return next(iter(self.models.values()))

    @property
    def size(self) -> str:
        """The numbers of images and melanomas in words: "1,000 images, 90 melanomas"."""
        truth = self.scores[0]
        melanomas = counted(int(np.count_nonzero(truth)), "melanoma")
        return f"{counted(len(truth), 'image')}, {melanomas}"

    def numbered(self) -> tuple[IntArray, int] | None:
        """Return the groups as integers from 0, (N,), and their number; None if unknown."""
        return None if self.group is None else group_numbers(self.group, self.scores[1])


@dataclass(frozen=True)
class Drawing:
    """A finished figure with the name of its files, its title, its caption and its data."""

    name: str
    title: str
    caption: str
    figure: Figure = field(repr=False)
    data: pd.DataFrame = field(repr=False)

    def save(self, folder: Path) -> list[Path]:
        """Write SVG, PNG and CSV files into `folder`; return their paths in that order."""
        return save_figure(self.figure, folder / self.name, self.data)
