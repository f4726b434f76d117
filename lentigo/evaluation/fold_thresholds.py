"""Operating points of the models of a run, judged on images that were held out.

A threshold that is chosen on the images that judge it flatters: it finds the wished share
of those melanomas, and fewer of the next ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """The result on held-out images of the thresholds of one name."""

    point: OperatingPoint
    """That of the first fold: its name, and what it was chosen for."""
    thresholds: Mapping[int, float]
    """Fold number to the threshold of its model; empty where none was chosen."""
    melanomas: Mapping[int, int]
    """Fold number to the melanomas that it was chosen on."""
    n_images: int
    n_melanomas: int
    found: int
    """Melanomas called melanoma."""
    false_alarms: int
    figures: Mapping[str, Interval]
    """`sensitivity`, `specificity`, `ppv` and `npv`, of all these images together."""

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, ready for JSON."""
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
        """Return one sentence for a terminal."""
        sensitivity, specificity = self.figures["sensitivity"], self.figures["specificity"]
        values = ", ".join(f"{value:.4g}" for value in self.thresholds.values())
        return (
            f"Threshold {values} ({self.point.name}), chosen on {self.point.chosen_on} "
            f"{self.point.aim}: finds {self.found:,} of "
            f"{counted(self.n_melanomas, 'held-out melanoma')}, sensitivity "
            f"{sensitivity.in_words}, specificity {specificity.in_words}."
        )


def judge_points(
    held_out: pd.DataFrame, points: Mapping[int, Sequence[OperatingPoint]]
) -> list[JudgedThreshold]:
    """Judge the operating points of each fold's model on the images held out from it.

    `held_out` has `melanoma`, `probability`, `group` and `fold`; `points` are those of
    each fold. The calls of all folds are judged together, with intervals that take whole
    groups. Folds without a threshold are left out.
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
    """Say of each operating point that a fold has no threshold for why it has none."""
    several = len(points) > 1
    return [
        f"{f'Fold {fold}: n' if several else 'N'}o threshold {point.aim}. {point.absent}"
        for fold, each in sorted(points.items())
        for point in each
        if point.threshold is None
    ]


def check_not_moved(predictions: pd.DataFrame) -> None:
    """Refuse predictions for another share of melanoma than the model is meant for.

    Its thresholds are for its own probabilities. Raises `DatasetError`.
    """
    if {"meant_for", "prevalence"} <= set(predictions):
        asked, own = (
            pd.to_numeric(predictions[name], errors="coerce")
            for name in ("prevalence", "meant_for")
        )
        if (moved := (asked - own).abs() > 1e-9).any():
            raise DatasetError(
                f"The probabilities of {counted(int(moved.sum()), 'image')} are for "
                "another share of melanoma than the model's own, where its thresholds do "
                "not hold. Predict again without --prevalence."
            )


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
    """Truth, probability and numbers of the groups, (N,) each."""
    return (
        table["melanoma"].to_numpy(bool),
        table["probability"].to_numpy(np.float64),
        pd.factorize(table[group])[0].astype(np.intp),
    )
