"""Compare the calibration before and after recalibration, on images not used to fit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lentigo.answer_columns import CONTEXT
from lentigo.evaluation.calibration import (
    calibration_intercept,
    calibration_slope,
    log_losses,
    squared_errors,
)
from lentigo.evaluation.calibration_error import calibration_error
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.fold_thresholds import number_moved
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.means import clustered_mean, clustered_mean_difference
from lentigo.evaluation.roughness import marked
from lentigo.evaluation.sums import Sample, as_sample
from lentigo.evaluation.telling import tells, told
from lentigo.models.calibration import WITHOUT_LABELS, probability

FIGURES = {
    "calibration_error": "mean distance of promised and observed share, without chance",
    "log_loss": "mean negative log-likelihood of the truth; lower is better",
    "brier": "mean squared distance of probability and truth; lower is better",
    "calibration_intercept": "0 where probabilities are right on average",
    "calibration_slope": "1 where probabilities are right; below 1, too extreme",
}
"""The metrics compared before and after recalibration, and the meaning of each."""


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """The calibration of the same images before and after recalibration."""

    methods: tuple[str, ...]
    """Name of the recalibration method of each fold."""
    n_images: int
    n_melanomas: int
    before: Mapping[str, Interval]
    """Name of a measure of calibration → its value; likewise `after`."""
    after: Mapping[str, Interval]
    gain: Interval
    """Log loss before minus after: above 0, recalibration helps. Without bounds where
    there are too few groups to tell a difference."""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields as plain values, ready for JSON."""
        return {
            "methods": list(self.methods),
            "n_images": self.n_images,
            "n_melanomas": self.n_melanomas,
            "before": {name: each.as_dict() for name, each in self.before.items()},
            "after": {name: each.as_dict() for name, each in self.after.items()},
            "log_loss_gain": self.gain.as_dict(),
        }

    def as_line(self, *, judged_on: str = "held-out images") -> str:
        """Return one sentence for a terminal; `judged_on` names the images."""
        methods = ", ".join(dict.fromkeys(self.methods))
        if set(self.methods) <= WITHOUT_LABELS:
            error = self.after["calibration_error"]
            return f"Calibration: left as it is; calibration error {error.in_words}."
        told = "; ".join(
            f"{name.replace('_', ' ')} {self.before[name].in_words} → "
            f"{self.after[name].in_words}"
            for name in ("calibration_error", "log_loss")
        )
        return f"Calibration ({methods}), before → after on {judged_on}: {told}."


def judge_calibration(
    before: Sample, after: FloatArray, *, methods: tuple[str, ...]
) -> Recalibration:
    """Compare the calibration of the same images before and after recalibration.

    `before` holds the original probabilities; `after`, (N,) in 0–1, are the recalibrated
    ones, with the images in the same order. `methods`, the names of the recalibration
    methods of the folds, are stored in the result and change nothing else. The result has
    every metric of `FIGURES`, before and after, with its 95 % interval.
    """
    truth, group = before.truth, before.group
    lost = log_losses(truth, before.score) - log_losses(truth, after)
    return Recalibration(
        methods=methods,
        n_images=len(truth),
        n_melanomas=int(truth.sum()),
        before=calibration_figures(truth, before.score, group),
        after=calibration_figures(truth, after, group),
        gain=told(
            clustered_mean_difference(lost, group, freedom=before.groups - 1),
            enough=tells(truth, group),
        ),
    )


def own_calibration(table: pd.DataFrame, scored: pd.DataFrame) -> Recalibration | None:
    """Compare the probabilities of a model before and after its own calibration.

    `table` holds predictions that lentigo wrote, `scored` the same images in the same order
    (see `lentigo.evaluation.scored`); `raw_logit` is the logit before calibration. None
    without that column, and where more than the calibration lies between the two: another
    share of melanoma, or the patient's other lesions.
    """
    if "raw_logit" not in table:
        return None
    if CONTEXT in table and pd.to_numeric(table[CONTEXT], errors="coerce").gt(0).any():
        return None
    raw = pd.to_numeric(table["raw_logit"], errors="coerce").to_numpy(np.float64)
    if np.isnan(raw).any() or number_moved(table):
        return None
    judged = as_sample(scored)
    before = replace(judged, score=probability(raw))
    left = np.allclose(before.score, judged.score, rtol=1e-6, atol=1e-9)
    method = "none" if left else "the model's own"
    return judge_calibration(before, judged.score, methods=(method,))


def calibration_figures(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> dict[str, Interval]:
    """Return the metrics of `FIGURES`, each with its interval; all arrays are (N,).

    Rough intervals are marked (see `lentigo.evaluation.roughness`).
    """
    found = {
        "calibration_error": calibration_error(truth, probability, group),
        "log_loss": clustered_mean(log_losses(truth, probability), group),
        "brier": clustered_mean(squared_errors(truth, probability), group, most=1.0),
        "calibration_intercept": calibration_intercept(truth, probability, group),
        "calibration_slope": calibration_slope(truth, probability, group),
    }
    melanoma, other = (len(np.unique(group[side])) for side in (truth, ~truth))
    return marked(found, with_melanoma=melanoma, without=other)
