"""Thresholds chosen on validation images, judged on images that were held out.

A threshold that is chosen on the images that judge it flatters: it finds the wished share
of those melanomas, and fewer of the next ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.operating_points import (
    OperatingPoint,
    at_threshold,
    choose_operating_point,
)
from lentigo.words import counted

WISHED = (0.95, 0.90)
"""The shares of melanomas that a threshold is chosen for."""

VALIDATION = "validation images"


def choose_points(validation: pd.DataFrame) -> list[OperatingPoint]:
    """Choose a threshold for each of `WISHED` on the validation images of one model.

    `validation` has `melanoma`, `probability` and `group_id`, one row an image. With fewer
    than five melanomas none is chosen.
    """
    truth, score, group = _arrays(validation, "group_id")
    if np.count_nonzero(truth) < FEWEST:
        return []
    return [
        choose_operating_point(
            truth, score, group, sensitivity=wished, chosen_on=VALIDATION
        )
        for wished in WISHED
    ]


def why_none(validation: pd.DataFrame) -> str:
    """The sentence to say where `choose_points` chose none."""
    melanomas = counted(int(validation["melanoma"].sum()), "melanoma")
    return (
        f"The validation images hold {melanomas}: too few to choose a threshold on, which "
        f"takes {FEWEST}, so none is stored."
    )


def stored_points(entries: Iterable[Mapping[str, Any]]) -> list[OperatingPoint]:
    """The thresholds in the description of a model, as `choose_points` chose them."""
    names = [field.name for field in fields(OperatingPoint)]
    return [OperatingPoint(**{name: entry[name] for name in names}) for entry in entries]


@dataclass(frozen=True, kw_only=True)
class JudgedThreshold:
    """The result on held-out images of the thresholds for one target."""

    sensitivity: float
    """The wished share of melanomas found."""
    promised: float
    """The share that so few validation melanomas can promise; the least over the folds."""
    chosen_on: str
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
            "sensitivity_wished": self.sensitivity,
            "promised": self.promised,
            "chosen_on": self.chosen_on,
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
            f"Threshold {values}, chosen on {self.chosen_on} to find "
            f"{100 * self.sensitivity:g} % of melanomas: finds {self.found:,} of "
            f"{counted(self.n_melanomas, 'held-out melanoma')}, sensitivity "
            f"{_words(sensitivity)}, specificity {_words(specificity)}."
        )


def judge_points(
    held_out: pd.DataFrame, points: Mapping[int, Sequence[OperatingPoint]]
) -> list[JudgedThreshold]:
    """Judge the thresholds of each fold's model on the images held out from it.

    `held_out` has `melanoma`, `probability`, `group` and `fold`; `points` are those of
    each fold. The calls of all folds are judged together, with intervals that take whole
    groups. Folds without a threshold are left out.
    """
    wishes = sorted({p.sensitivity for each in points.values() for p in each}, reverse=True)
    return [
        _judged(held_out, {
            fold: point
            for fold, each in points.items()
            for point in each
            if point.sensitivity == wished and not math.isnan(point.threshold)
        })
        for wished in wishes
    ]  # fmt: skip


def _judged(
    held_out: pd.DataFrame, points: Mapping[int, OperatingPoint]
) -> JudgedThreshold:
    thresholds = {fold: point.threshold for fold, point in sorted(points.items())}
    mine = held_out[held_out["fold"].isin(list(thresholds))]
    truth, score, group = _arrays(mine, "group")
    called = score >= mine["fold"].map(thresholds).to_numpy(np.float64)
    figures = at_threshold(truth, called.astype(np.float64), group, threshold=0.5)
    any_point = next(iter(points.values()))
    return JudgedThreshold(
        sensitivity=any_point.sensitivity,
        promised=min(point.promised for point in points.values()),
        chosen_on=any_point.chosen_on,
        thresholds=thresholds,
        melanomas={fold: point.melanomas for fold, point in sorted(points.items())},
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


def _words(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "undefined"
    if math.isnan(interval.low):
        return f"{interval.value:.3f}"
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"
