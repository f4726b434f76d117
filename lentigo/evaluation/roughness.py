"""Mark rough intervals: those whose coverage in a simulation was not 93–97 %.

Nominal 95 % intervals were tried on simulated samples of 8 to 300 patients with a melanoma
(`interval_coverage.py` and `calibration_error_coverage.py` in `benchmarks/`,
docs/statistics.md). Where less than 93 % or more than 97 % of them held the true value, the
interval is marked as rough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.registry import MANY, METRICS

FEW = 15
"""With fewer groups with a melanoma, or with another image, intervals that rest on these
are rough."""

_ROUGH_BELOW = {name: metric.rough_below for name, metric in METRICS.items()}

DIFFERENCES_ROUGH_BELOW: dict[str, float] = {
    "auc": MANY,
    "auc_delong": math.inf,
    "average_precision": MANY,
    "brier": MANY,
    "log_loss": MANY,
}
"""Metric → number of groups with a melanoma from which the interval of the difference of
two models is not rough."""


def marked(
    metrics: Mapping[str, Interval],
    *,
    with_melanoma: int,
    without: int,
    rough_below: Mapping[str, float] = _ROUGH_BELOW,
) -> dict[str, Interval]:
    """Return the metrics, marked as rough where the interval rests on too few groups.

    `with_melanoma` and `without` are the numbers of groups with a melanoma, and of groups
    with another image. `rough_below` has for each metric the number of groups with a
    melanoma below which it is rough. A mark that is already set stays, except that an
    interval without bounds is never rough.
    """
    return {
        name: replace(
            interval,
            rough=not (math.isnan(interval.low) or math.isnan(interval.high))
            and (
                interval.rough
                or _on_few(name, with_melanoma, without)
                or with_melanoma < rough_below.get(name, 0)
                or without < _below_others(name)
            ),
        )
        for name, interval in metrics.items()
    }


def _below_others(name: str) -> float:
    return METRICS[name].rough_below_others if name in METRICS else 0


def _on_few(name: str, with_melanoma: int, without: int) -> bool:
    rests_on = METRICS[name].rests_on if name in METRICS else "both"
    groups = {"melanomas": with_melanoma, "others": without}
    return groups.get(rests_on, min(with_melanoma, without)) < FEW
