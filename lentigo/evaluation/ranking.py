"""An interval of the AUC that holds with few melanomas and for an AUC near 1.

Near 1 the variance in a small sample is unreliable: it may lack a melanoma that the model
misses. So the variance is at least that of a binormal model at this AUC, and it is taken at
the bounds of the interval instead of at the estimate, as in Wilson's interval of a share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri, owens_t, stdtrit

from lentigo.evaluation.clustered import obuchowski_variance
from lentigo.evaluation.discrimination import BoolArray, FloatArray, placements_and_ties
from lentigo.evaluation.intervals import (
    IntArray,
    Interval,
    count_groups,
    dot,
    each_alone,
)
from lentigo.evaluation.shares import kish

FREEDOM = 20
"""Degrees of freedom that are added to those of the groups with melanoma, because the
binormal model gives a least variance; chosen by simulation (docs/statistics.md)."""

_END = 15.0
"""The largest logit of a true AUC that is tried: 1 in the first six decimals."""


@dataclass(frozen=True)
class _Spread:
    """The variance of the AUC as a function of the true AUC."""

    numbers: float
    """1/m + 1/n for the effective numbers of melanomas, m, and of other images, n."""
    factor: float
    """Factor on the model's variance: below 1 for tied scores, larger where Obuchowski's
    variance is larger."""

    def at(self, value: float) -> float:
        return self.factor * self.numbers * placement_variance(value)


def auc_interval(
    truth: BoolArray, score: FloatArray, group: IntArray, *, confidence: float = 0.95
) -> Interval:
    """The AUC with an interval that holds with few melanomas and for an AUC near 1.

    `truth`, `score` and `group` are (N,). The interval holds all true values at most t
    standard errors from the estimate, each with its own standard error (as Newcombe 2006,
    doi:10.1002/sim.2324, method 5). This is that of two normal distributions of equal
    variance, with the effective number of images given their correlation within groups,
    and is raised to Obuchowski's (`clustered_auc`) where that is larger. An AUC of 1 has a
    lower bound like any other. NaN where a class is absent; the bounds are NaN where all
    scores are equal or there is only one group.
    """
    pilot = pilot_of(truth, score, group)
    if pilot.spread is None:
        return Interval(pilot.value)
    return pilot.larger(1, confidence=confidence)


@dataclass(frozen=True)
class Pilot:
    """The AUC of a sample, and its variance as a function of the true AUC."""

    value: float
    """The AUC of the sample."""
    spread: _Spread | None
    """None where a class is absent, all images are of one group, or all scores equal."""
    melanoma_groups: int
    """Number of groups with a melanoma."""

    def larger(self, times: float, *, confidence: float = 0.95) -> Interval:
        """Return the AUC with the interval of a sample of `times` as many groups.

        The bounds are NaN where `spread` is None.
        """
        if self.spread is None:
            return Interval(self.value)
        spread = _Spread(self.spread.numbers / times, self.spread.factor)
        freedom = times * self.melanoma_groups - 1 + FREEDOM
        quantile = float(stdtrit(freedom, 0.5 + confidence / 2))
        return Interval(self.value, *_ends(self.value, spread, quantile))


def pilot_of(truth: BoolArray, score: FloatArray, group: IntArray) -> Pilot:
    """Return the AUC and its variance as a function of the true AUC; see `auc_interval`."""
    above, below, tied = placements_and_ties(truth, score)
    if not len(above):
        return Pilot(math.nan, None, 0)
    value = float(above.mean())
    mine, rest = (group.take(np.flatnonzero(side)) for side in (truth, ~truth))
    groups = count_groups(mine)
    if tied == 1 or count_groups(group) < 2:
        return Pilot(value, None, groups)
    melanomas, others = worth(above, mine), worth(below, rest)
    model = _Spread(1 / melanomas + 1 / others, 1 - tied**1.5)
    inside = min(max(value, 0.25 / melanomas), 1 - 0.25 / melanomas)
    seen = obuchowski_variance(truth, group, above, below)
    floor = model.at(inside)
    factor = model.factor * max(1.0, seen / floor if floor > 0 else 1.0)
    return Pilot(value, _Spread(model.numbers, factor), groups)


def placement_variance(value: float) -> float:
    """The variance over melanomas of the share of non-melanoma images with a lower score.

    It is computed from the AUC, `value`, for two normal distributions of equal variance,
    and is the same for an AUC of `value` and of 1 − `value`.
    """
    value = max(value, 1 - value)
    gap = float(ndtri(value))
    # P(a melanoma scores above two other images) = P(Z < gap, Z' < gap), correlation 1/2.
    both = value - 2 * float(owens_t(gap, 1 / math.sqrt(3)))
    return max(both - value**2, 0.0)


def _ends(value: float, spread: _Spread, times: float) -> tuple[float, float]:
    """Return the lowest and highest true AUC within `times` standard errors of `value`.

    `spread` gives the variance that belongs to each true AUC.
    """

    def beyond(true_logit: float) -> float:
        true = float(expit(true_logit))
        return (value - true) ** 2 - times**2 * spread.at(true)

    start = min(max(math.log(max(value, 1e-300) / max(1 - value, 1e-300)), -_END), _END)
    found = []
    for edge in (-_END, _END):
        if start == edge or beyond(edge) <= 0:
            found.append(float(edge > 0))
            continue
        # With very many images even `start`, which is at most ±_END, is too far away.
        end = start if beyond(start) >= 0 else brentq(beyond, start, edge, xtol=1e-10)
        found.append(float(expit(end)))
    return found[0], found[1]


def worth(places: FloatArray, group: IntArray) -> float:
    """Return the effective number of images, given their placements and groups, (N,).

    It is smaller, the more the placements correlate within groups (see `placements`). It is
    that of identical images (`kish`) where this cannot be seen: in one group, or without
    any spread.
    """
    if len(group) > 1 and each_alone(group):
        return float(len(places))
    size = np.bincount(group).astype(np.float64)
    if np.count_nonzero(size) < 2:
        return kish(size)
    pairs = dot(size, size - 1)
    spread = float(places.var())
    if not spread > 0:
        return kish(size)
    if not pairs:
        return float(len(places))
    beyond = places - places.mean()
    total = np.bincount(group, beyond)
    likeness = (dot(total, total) - dot(beyond, beyond)) / pairs / spread
    design = 1 + min(max(likeness, 0.0), 1.0) * (dot(size, size) / len(places) - 1)
    return len(places) / design
