"""Scores as figures are given them, and a figure as it comes back: with its numbers."""

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
