"""A figure of a cohort with its numbers and its title, and what it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from lentigo.figures.cohort.values import by_dataset

FEATURES = ("sex", "age", "site")


@dataclass(frozen=True)
class Cohort:
    """Input of the cohort figures: the table, the test set, and what is read of them."""

    table: pd.DataFrame
    """One row an image; `dataset` tells several sets apart."""
    test: pd.DataFrame | None = None
    """Images that are to be judged later, if a table of them was given."""
    features: tuple[str, ...] = FEATURES
    """What the decision tree may ask for."""
    sample: int = 200
    """At most so many image files are opened for their skin tone."""

    @property
    def several(self) -> bool:
        """Whether data sets are to be compared."""
        return len(by_dataset(self.table)) > 1


@dataclass(frozen=True)
class CohortFigure:
    """A drawn figure, the numbers in it, and what is seen."""

    figure: Figure
    data: pd.DataFrame
    title: str
    """What is seen, computed from the numbers; it stands over the figure."""
    sentence: str
    """What was counted, and how to read it."""


class NotDrawnError(Exception):
    """A figure that this table has nothing for; the message says what is missing."""


def part_of(part: float, whole: float) -> str:
    """A share for a title: "62 %", with a decimal below 10 %; never broken in two lines."""
    if not whole:
        return "none"
    share = 100 * part / whole
    digits = f"{share:.0f}" if share >= 10 or share == 0 else f"{share:.1f}"
    return f"{digits}\u00a0%"


def need_column(table: pd.DataFrame, column: str, *, what: str) -> None:
    """Leave a figure out where its column is missing in every row."""
    if column not in table or table[column].isna().all():
        raise NotDrawnError(f"{what} is missing in every row of the table.")


def need_classes(table: pd.DataFrame) -> None:
    """Leave a figure out that compares melanomas with the rest where one is absent."""
    there = table["melanoma"].dropna()
    if there.empty:
        raise NotDrawnError("No image has a label: melanoma is missing in every row.")
    if len(there.unique()) < 2:
        only = "melanomas" if bool(there.iloc[0]) else "lesions other than melanoma"
        raise NotDrawnError(f"The labelled images are all {only}: nothing to compare.")
