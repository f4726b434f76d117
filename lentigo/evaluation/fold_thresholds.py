"""Operating points of the models of a run, judged on images that were held out.

On the images it was chosen on, a threshold looks better than it is: it finds the wished
share of these melanomas, but a smaller share of further ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import DatasetError
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.operating_points import at_threshold
from lentigo.models.operating_point import OperatingPoint
from lentigo.words import counted

VALIDATION = "validation images"


@dataclass(frozen=True, kw_only=True)
class JudgedThreshold:
    """The metrics, on held-out images, of the operating points of one name in all folds."""

    point: OperatingPoint
    """The operating point of the first fold, for its name and what it was chosen for."""
    thresholds: Mapping[int, float]
    """Fold number → threshold of that fold's model; folds without one are absent."""
    melanomas: Mapping[int, int]
    """Fold number → number of melanomas that the threshold was chosen on."""
    n_images: int
    """Held-out images of all folds that have a threshold; `n_melanomas`: melanomas among
    them."""
    n_melanomas: int
    found: int
    """Number of melanomas called melanoma."""
    false_alarms: int
    """Number of other images called melanoma."""
    figures: Mapping[str, Interval]
    """`sensitivity`, `specificity`, `ppv`, `npv` and `balanced_accuracy` over the held-out
    images of all folds together."""

    def also_on(self, words: str) -> JudgedThreshold:
        """Return a copy whose `chosen_on` ends with `words`."""
        on = f"{self.point.chosen_on}{words}"
        return replace(self, point=self.point.model_copy(update={"chosen_on": on}))

    def as_dict(self) -> dict[str, Any]:
        """Return the aim of the point, thresholds, counts and metrics, for JSON."""
        return {
            "name": self.point.name,
            "kind": self.point.kind,
            "aim": self.point.aim,
            "method": self.point.method,
            "sensitivity_wished": self.point.sensitivity,
            "chosen_on": self.point.chosen_on,
            "thresholds": {str(fold): value for fold, value in self.thresholds.items()},
            "melanomas": {str(fold): number for fold, number in self.melanomas.items()},
            "n_images": self.n_images,
            "n_melanomas": self.n_melanomas,
            "found": self.found,
            "false_alarms": self.false_alarms,
            **{name: interval.as_dict() for name, interval in self.figures.items()},
        }

    def as_line(self) -> str:
        """Return a sentence on the thresholds, how they were chosen, and the metrics."""
        sensitivity, specificity = self.figures["sensitivity"], self.figures["specificity"]
        values = ", ".join(f"{value:.4g}" for value in self.thresholds.values())
        return (
            f"Threshold {values} ({self.point.name}), chosen on {self.point.chosen_on} "
            f"{self.point.aim}: finds {self.found:,} of "
            f"{counted(self.n_melanomas, 'judged melanoma')}, sensitivity "
            f"{sensitivity.in_words}, specificity {specificity.in_words}."
        )


def judge_points(
    held_out: pd.DataFrame, points: Mapping[int, Sequence[OperatingPoint]]
) -> list[JudgedThreshold]:
    """Judge the operating points of each fold's model on the images held out from it.

    `held_out` has `melanoma`, `probability`, `group` and `fold`; `points` maps a fold to
    its operating points. The calls of all folds are judged together, with intervals that
    take groups as independent. Folds without a threshold, and points without a threshold in
    any fold, are left out.
    """
    names = dict.fromkeys(point.name for each in points.values() for point in each)
    found = {
        name: {
            fold: point
            for fold, each in sorted(points.items())
            for point in each
            if point.name == name and point.threshold is not None
        }
        for name in names
    }
    return [_judged(held_out, each) for each in found.values() if each]


def absent_points(points: Mapping[int, Sequence[OperatingPoint]]) -> list[str]:
    """Return a sentence for each operating point without a threshold, with the reason."""
    several = len(points) > 1
    return [
        f"{f'Fold {fold}: n' if several else 'N'}o threshold {point.aim}. {point.absent}"
        for fold, each in sorted(points.items())
        for point in each
        if point.threshold is None
    ]


def check_not_moved(predictions: pd.DataFrame) -> None:
    """Raise `DatasetError` if probabilities were adjusted to another share of melanoma.

    The model's thresholds hold only for probabilities at the share of melanoma that the
    model is meant for. The columns `prevalence` (the share that the probabilities are for)
    and `meant_for` (the model's) are compared, if both exist.
    """
    if moved := number_moved(predictions):
        raise DatasetError(
            f"The probabilities of {counted(moved, 'image')} are for another share of "
            "melanoma than the model's own, where its thresholds do not hold. Predict "
            "again without --prevalence."
        )


def number_moved(predictions: pd.DataFrame) -> int:
    """Count the images whose probability is for another share than the model's own."""
    if not {"meant_for", "prevalence"} <= set(predictions):
        return 0
    asked, own = (
        pd.to_numeric(predictions[name], errors="coerce")
        for name in ("prevalence", "meant_for")
    )
    return int(((asked - own).abs() > 1e-9).sum())


def _judged(
    held_out: pd.DataFrame, points: Mapping[int, OperatingPoint]
) -> JudgedThreshold:
    thresholds = {fold: point.threshold or 0.0 for fold, point in points.items()}
    mine = held_out[held_out["fold"].isin(list(thresholds))]
    truth, score, group = _arrays(mine, "group")
    called = score >= mine["fold"].map(thresholds).to_numpy(np.float64)
    figures = at_threshold(truth, called.astype(np.float64), group, threshold=0.5)
    return JudgedThreshold(
        point=next(iter(points.values())),
        thresholds=thresholds,
        melanomas={fold: point.n_melanomas for fold, point in points.items()},
        n_images=len(mine),
        n_melanomas=int(truth.sum()),
        found=int(np.count_nonzero(truth & called)),
        false_alarms=int(np.count_nonzero(~truth & called)),
        figures=figures,
    )


def _arrays(table: pd.DataFrame, group: str) -> tuple[Any, Any, Any]:
    """Return label, probability and group (an integer from 0) of each row, (N,) each."""
    return (
        table["melanoma"].to_numpy(bool),
        table["probability"].to_numpy(np.float64),
        pd.factorize(table[group])[0].astype(np.intp),
    )
