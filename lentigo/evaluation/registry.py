"""The metrics that `evaluate` computes, one row each. Light to import: strings only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

MANY = 60.0
"""With fewer groups than this some intervals are rough (docs/statistics.md)."""
VERY_MANY = 100.0
"""With fewer groups the interval of the partial AUC is rough where the AUC is near 1."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric: its meaning, its function, and when its interval is rough."""

    name: str
    """The name of the metric and of its function."""
    summary: str
    """The meaning of the metric, in one line."""
    interval: str
    """The method of its 95 % interval; empty where it has none."""
    module: str = "lentigo.evaluation.metrics"
    """Module of the function, which takes a `Judged` and returns an `Interval`, a
    `Statistic`, or None where the metric does not apply."""
    needs: Literal["", "threshold", "own threshold", "diagnoses", "large groups"] = ""
    """The input beside labels and probabilities: the given threshold, one that is chosen on
    the judged images, several diagnoses, or patients with many images."""
    rests_on: Literal["both", "melanomas", "others"] = "both"
    """The images that the metric is computed from: melanomas, other images, or both."""
    rough_below: float = math.inf
    """The interval is rough with fewer groups with a melanoma than this; always, until a
    simulation (`benchmarks/interval_coverage.py`) has tried it."""
    rough_below_others: float = 0
    """The interval is rough with fewer groups with a non-melanoma image than this."""
    by_subgroup: bool = False
    """Whether `evaluate(..., by=COLUMN)` reports it for each value of the column."""


_SHARE = "Wilson's, for the effective number of images"
_CHOSEN = "all thresholds at which the true sensitivity may be 95 %"
_SEVERAL = "Wilson's, with the variance of what each group adds to the mean"
_RESAMPLED = "Wilson's, with the spread of resamples of whole groups"

METRICS: dict[str, Metric] = {
    row.name: row
    for row in (
        Metric(
            name="auc",
            summary="chance that a melanoma scores higher than another image; "
            "groups as the unit",
            interval="Newcombe's method 5, widened by the likeness within groups",
            rough_below=0,
            by_subgroup=True,
        ),
        Metric(
            name="auc_delong",
            summary="the same AUC with DeLong's interval, which takes images as "
            "independent",
            # Too narrow wherever patients have several images, or the AUC is near 1.
            interval="DeLong's",
        ),
        Metric(
            name="partial_auc_80",
            summary="area above 80 % sensitivity, as ISIC 2024 scores: 0.2 at best, "
            "guessing 0.02",
            interval="as the AUC's, of what lies above 80 % sensitivity",
            rough_below=VERY_MANY,
        ),
        Metric(
            name="average_precision",
            summary="mean precision over the melanomas; guessing reaches their share",
            interval=_RESAMPLED,
            rough_below=0,
        ),
        Metric(
            name="brier",
            summary="mean squared distance of probability and truth; lower is better",
            interval="of the mean over groups, with Hall's correction for skewness",
            rough_below=0,
        ),
        Metric(
            name="log_loss",
            summary="mean negative log-likelihood of the truth; lower is better",
            interval="of the mean over groups, with Hall's correction for skewness",
            rough_below=0,
        ),
        Metric(
            name="calibration_gap",
            summary="share of melanomas less the mean probability; above 0, too low",
            interval="of the mean over groups, with Student's t",
            rough_below=0,
            by_subgroup=True,
        ),
        Metric(
            name="calibration_error",
            summary="mean distance of promised and observed share over tenths, less chance",
            # Mostly too wide: 94 to 99.9 % of the intervals held the true value.
            interval="of the mean over groups, its lower end allowing for what chance left",
        ),
        Metric(
            name="calibration_intercept",
            summary="0 where probabilities are right on average; above 0, too low",
            interval="Wald's, robust to likeness within groups",
            rough_below=MANY,
        ),
        Metric(
            name="calibration_slope",
            summary="1 where probabilities are right; below 1, too extreme",
            interval="Wald's, robust to likeness within groups",
            rough_below=0,
        ),
        # With few melanomas these intervals are too wide, since counts are whole numbers.
        Metric(
            name="sensitivity",
            summary="share of melanomas called melanoma, at the threshold",
            interval=_SHARE,
            needs="threshold",
            rests_on="melanomas",
            rough_below=MANY,
            by_subgroup=True,
        ),
        Metric(
            name="specificity",
            summary="share of the other images not called melanoma, at the threshold",
            interval=_SHARE,
            needs="threshold",
            rests_on="others",
            rough_below=0,
            rough_below_others=MANY,
            by_subgroup=True,
        ),
        Metric(
            name="ppv",
            summary="share of melanoma calls that are right, at the threshold",
            interval=_SHARE,
            needs="threshold",
            rough_below=0,
            rough_below_others=MANY,
        ),
        Metric(
            name="npv",
            summary="share of images not called that are no melanoma, at the threshold",
            interval=_SHARE,
            needs="threshold",
            rough_below=MANY,
        ),
        Metric(
            name="balanced_accuracy",
            summary="mean of sensitivity and specificity, at the threshold",
            interval="distances of the two shares to their bounds, added as squares",
            needs="threshold",
            rough_below=MANY,
            rough_below_others=MANY,
        ),
        Metric(
            name="threshold_at_sensitivity_95",
            summary="highest that finds 95 % of the melanomas; chosen on the same images",
            interval=_CHOSEN,
            needs="own threshold",
            rough_below=MANY,
        ),
        Metric(
            name="specificity_at_sensitivity_95",
            summary="specificity there; chosen on the same images",
            interval=_CHOSEN,
            needs="own threshold",
            rough_below=MANY,
        ),
        Metric(
            name="ppv_at_sensitivity_95",
            summary="share of right calls there; chosen on the same images",
            interval=_CHOSEN,
            needs="own threshold",
            rough_below=MANY,
        ),
        Metric(
            name="npv_at_sensitivity_95",
            summary="share of those not called that are none; chosen on the same images",
            interval=_CHOSEN,
            needs="own threshold",
        ),
        Metric(
            name="retrieval_sensitivity_15",
            summary="share of melanomas among the 15 highest scores of their patient",
            interval=_SHARE,
            needs="large groups",
            rests_on="melanomas",
            rough_below=MANY,
        ),
        Metric(
            name="retrieval_per_patient_15",
            summary="the same patient by patient, as ISIC 2024 awarded it; mean over these",
            interval=_SHARE,
            needs="large groups",
            rests_on="melanomas",
        ),
        Metric(
            name="multiclass_balanced_accuracy",
            summary="mean recall of the diagnoses; the likeliest is called",
            interval=_SEVERAL,
            needs="diagnoses",
            rough_below=0,
        ),
        Metric(
            name="multiclass_auc",
            summary="mean AUC of the diagnoses, each against all others",
            interval=_SEVERAL,
            needs="diagnoses",
            rough_below=0,
        ),
        Metric(
            name="top_2_accuracy",
            summary="share of images whose diagnosis is among the two likeliest",
            interval=_SHARE,
            needs="diagnoses",
            rough_below=0,
        ),
        Metric(
            name="top_3_accuracy",
            summary="share of images whose diagnosis is among the three likeliest",
            interval=_SHARE,
            needs="diagnoses",
            rough_below=0,
        ),
    )
}
"""Every metric by its name, in the order of `Evaluation.metrics`."""

ON_OWN_THRESHOLD = (
    "The figures at 95 % sensitivity are at a threshold chosen on these images, "
    "which flatters them; their intervals count the choosing. For a threshold that "
    "was chosen elsewhere give it as --threshold."
)
"""The note on metrics at a threshold that was chosen on the judged images."""


def function_of(metric: Metric) -> Any:
    """Import and return the function of a metric."""
    return getattr(import_module(metric.module), metric.name)


def on_own_threshold(name: str) -> bool:
    """Tell whether metric `name` is at a threshold that was chosen on the judged images."""
    return name in METRICS and METRICS[name].needs == "own threshold"


def summary_of(name: str) -> str:
    """Return the one-line summary of a metric; empty for one that is not registered."""
    return METRICS[name].summary if name in METRICS else ""
