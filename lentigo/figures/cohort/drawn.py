"""The input of the cohort figures, and a finished figure with its data and title."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from lentigo.figures.cohort.values import by_dataset

FEATURES = ("sex", "age", "site")


@dataclass(frozen=True)
class Cohort:
    """Input of the cohort figures: lesion table, test images and two settings."""

    table: pd.DataFrame
    """Lesion table, one row an image; the column `dataset` names the data set of each."""
    test: pd.DataFrame | None = None
    """Lesion table of the images to be judged later; None where none was given."""
    features: tuple[str, ...] = FEATURES
    """Columns that the decision tree may use."""
    sample: int = 200
    """Largest number of image files that are opened to measure the skin tone."""

    @property
    def several(self) -> bool:
        """Tell whether `table` holds several data sets, which are then compared."""
        return len(by_dataset(self.table)) > 1


@dataclass(frozen=True)
class CohortFigure:
    """A drawn figure, the numbers in it, its title and a sentence on how to read it."""

    figure: Figure
    data: pd.DataFrame
    title: str
    """Main finding, computed from the numbers; it stands over the figure."""
    sentence: str
    """Sentence on what was counted, and on how to read the figure."""


class NotDrawnError(Exception):
    """The table lacks the data for a figure; the message says which."""


def part_of(part: float, whole: float) -> str:
    """Format `part / whole` for a title: "62 %", or with a decimal below 10 %: "6.2 %".

    The space does not break. "none" where `whole` is 0.
    """
    if not whole:
        return "none"
    share = 100 * part / whole
    digits = f"{share:.0f}" if share >= 10 or share == 0 else f"{share:.1f}"
    return f"{digits}\u00a0%"


def need_column(table: pd.DataFrame, column: str, *, what: str) -> None:
    """Raise `NotDrawnError` if `column` is missing in every row.

    `what` names the column in the message.
    """
    if column not in table or table[column].isna().all():
        raise NotDrawnError(f"{what} is missing in every row of the table.")


def need_classes(table: pd.DataFrame) -> None:
    """Raise `NotDrawnError` unless `table` has melanomas and other lesions."""
    there = table["melanoma"].dropna()
    if there.empty:
        raise NotDrawnError("No image has a label: melanoma is missing in every row.")
    if len(there.unique()) < 2:
        only = "melanomas" if bool(there.iloc[0]) else "lesions other than melanoma"
        raise NotDrawnError(f"The labelled images are all {only}: nothing to compare.")
