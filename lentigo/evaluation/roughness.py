"""Which intervals are only rough, as a simulation of each of them told.

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

ROUGH_BELOW: dict[str, float] = {}
"""Metrics that take more: the groups with a melanoma from which their intervals hold."""


def marked(
    metrics: Mapping[str, Interval], *, with_melanoma: int, without: int
) -> dict[str, Interval]:
    """The metrics with those marked as rough whose interval rests on too few groups.

    `with_melanoma` and `without` count the groups that hold a melanoma, and another image.
    """
    return {
        name: replace(interval, rough=_is_rough(name, interval, with_melanoma, without))
        for name, interval in metrics.items()
    }


def _is_rough(name: str, interval: Interval, with_melanoma: int, without: int) -> bool:
    if math.isnan(interval.low) or math.isnan(interval.high):
        return False  # there is no interval to be rough
    groups = {"sensitivity": with_melanoma, "specificity": without}
    few = groups.get(name, min(with_melanoma, without)) < FEW
    return few or with_melanoma < ROUGH_BELOW.get(name, 0)
