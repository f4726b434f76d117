"""Mark the intervals that are only rough, as a simulation of each of them told.

Nominal 95 % intervals were tried on made-up samples of 8 to 300 patients with a melanoma
(`benchmarks/coverage.py`, docs/statistics.md). Where the truth lay within in fewer than 93
or more than 97 % of the samples, the interval is marked as rough beside the number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from lentigo.evaluation.intervals import Interval

FEW = 15
"""With melanomas of fewer groups, or other images of fewer, every interval is rough."""

_MORE = 60.0
ROUGH_BELOW: dict[str, float] = {
    # Too narrow wherever patients have several images, or the AUC is near 1.
    "auc_delong": math.inf,
    # Wider than they need be, as counts of few melanomas come in steps.
    "sensitivity": _MORE,
    "npv": _MORE,
    "balanced_accuracy": _MORE,
    "threshold_at_sensitivity_95": _MORE,
    "specificity_at_sensitivity_95": _MORE,
    "ppv_at_sensitivity_95": _MORE,
    "npv_at_sensitivity_95": math.inf,
    "calibration_intercept": _MORE,
    # Not tried by simulation.
    "multiclass_balanced_accuracy": math.inf,
}
"""Metrics that take more: the groups with a melanoma from which their intervals hold."""

_ROUGH_BELOW_OTHERS: dict[str, float] = {
    # As sensitivity and NPV, with the classes changed about.
    "specificity": _MORE,
    "ppv": _MORE,
    "balanced_accuracy": _MORE,
}
"""Metrics that take more groups with another image than `FEW`."""

DIFFERENCES_ROUGH_BELOW: dict[str, float] = {
    "auc": _MORE,
    "auc_delong": math.inf,
    "average_precision": _MORE,
    "brier": _MORE,
    "log_loss": _MORE,
}
"""The same for the difference of two models."""


def marked(
    metrics: Mapping[str, Interval],
    *,
    with_melanoma: int,
    without: int,
    rough_below: Mapping[str, float] = ROUGH_BELOW,
) -> dict[str, Interval]:
    """The metrics with those marked as rough whose interval rests on too few groups.

    `with_melanoma` and `without` count the groups that hold a melanoma, and another image.
    """
    return {
        name: replace(
            interval,
            rough=not (math.isnan(interval.low) or math.isnan(interval.high))
            and (
                _on_few(name, with_melanoma, without)
                or with_melanoma < rough_below.get(name, 0)
                or without < _ROUGH_BELOW_OTHERS.get(name, 0)
            ),
        )
        for name, interval in metrics.items()
    }


def _on_few(name: str, with_melanoma: int, without: int) -> bool:
    groups = {"sensitivity": with_melanoma, "specificity": without}
    return groups.get(name, min(with_melanoma, without)) < FEW
