"""The difference of a metric between one subgroup and all other images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.special import ndtr

from lentigo.evaluation.consequences import difference
from lentigo.evaluation.intervals import Interval

ALPHA = 0.05
_TIMES = 1.959963984540054


@dataclass(frozen=True)
class Difference:
    """A metric of a subgroup minus that of all other images, with interval and p-value."""

    interval: Interval
    p: float = math.nan
    """Two-sided p-value of the hypothesis of no difference; NaN where bounds are NaN."""
    p_holm: float = math.nan
    """`p` adjusted (Holm) for the number of differences told; NaN before adjustment."""
    too_few: bool = False
    """Whether the subgroup, or the rest, has too few groups to tell a difference; then
    bounds and p-values are NaN."""

    def as_dict(self) -> dict[str, Any]:
        """Return the interval, both p-values and `too_few` by name, for JSON."""
        told = {"p": self.p, "p_holm": self.p_holm, "too_few": self.too_few}
        return {**self.interval.as_dict(), **told}

    @property
    def in_words(self) -> str:
        """Format the difference, such as "-0.031 (-0.060 to -0.002), p 0.21"."""
        found = self.interval.signed_in_words
        if math.isnan(self.interval.low) or math.isnan(self.interval.high):
            return found
        p = self.p if math.isnan(self.p_holm) else self.p_holm
        said = "p < 0.001" if p < 0.001 else f"p {p:.3f}"
        return f"{found}, {said}"


def untold(own: Interval, rest: Interval) -> Difference:
    """Return `own` − `rest` where one has too few groups: without bounds or p-value."""
    return Difference(Interval(own.value - rest.value), too_few=True)


def less(own: Interval, rest: Interval, *, few: bool = False) -> Difference:
    """Return `own` − `rest`, metrics of different images; rough if either is, or if `few`.

    The distances of the two to their bounds are combined as the root of the sum of squares
    (Zou & Donner 2008, doi:10.1002/sim.3095), as if no patient had images in both; where
    some have, the interval is wider than necessary. For the p-value, the distance from the
    difference to its bound nearer 0 counts as 1.96 standard errors of a normal
    distribution.
    """
    found = difference(own, rest)
    interval = Interval(
        found.value, found.low, found.high, rough=few or own.rough or rest.rough
    )
    half = found.value - found.low if found.value > 0 else found.high - found.value
    if math.isnan(half) or not half > 0:
        return Difference(interval)
    return Difference(interval, p=float(2 * ndtr(-abs(found.value) / half * _TIMES)))
