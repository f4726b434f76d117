"""Multi-reader multi-case analysis: means over readers, with intervals for new readers.

Readers and images are both random samples. The mean over readers varies with both, and the
metrics of two readers are correlated, since they read the same images (Obuchowski &
Rockette 1995, doi:10.1080/03610919508813243). Degrees of freedom are those of Hillis 2007
(doi:10.1002/sim.2532).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import fdtrc, ndtr, ndtri, stdtr, stdtrit

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import ROUNDING, Interval


@dataclass(frozen=True)
class MeanOfReaders:
    """A mean over readers, or a mean difference; readers and images are both samples."""

    interval: Interval
    freedom: float
    """Degrees of freedom of Student's t."""
    p: float = math.nan
    """Two-sided p-value of the hypothesis that the true mean is 0, for differences."""

    def as_dict(self) -> dict[str, Any]:
        """Return value, bounds, degrees of freedom and p-value, for JSON."""
        return {**self.interval.as_dict(), "freedom": _finite(self.freedom), "p": self.p}


@dataclass(frozen=True)
class Factorial:
    """A comparison of conditions, under each of which all readers read all images."""

    f: float
    """F statistic of Obuchowski and Rockette for equal means under all conditions."""
    freedom: tuple[float, float]
    """The two degrees of freedom of the F statistic `f`."""
    p: float
    """P-value of the hypothesis that the means under all conditions are equal."""
    means: tuple[MeanOfReaders, ...]
    """The mean over readers under each condition."""
    differences: tuple[tuple[int, int, MeanOfReaders], ...]
    """For each pair of conditions: their two indices, and the mean of the first minus that
    of the second."""


def one_condition(values: FloatArray, covariance: FloatArray) -> MeanOfReaders:
    """The mean of `values` of J readers, (J,), with its interval and p-value.

    `covariance`, (J, J), is that of the values over samples of images. The variance of the
    mean is (MS(R) + J max(Cov2, 0)) / J, with MS(R) the variance over readers and Cov2 the
    mean covariance of two readers. The bounds are NaN for one reader, a NaN in `values` or
    `covariance`, or a variance of 0.
    """
    readers = len(values)
    mean = float(values.mean()) if readers else math.nan
    if readers < 2 or np.isnan(values).any() or np.isnan(covariance).any():
        return MeanOfReaders(Interval(mean), math.nan)
    spread = float(values.var(ddof=1))
    between = float(covariance.sum() - np.trace(covariance)) / (readers * (readers - 1))
    whole = spread + readers * max(between, 0.0)
    freedom = _ratio(whole**2, spread**2 / (readers - 1))
    return _estimated(mean, math.sqrt(whole / readers), freedom)


def factorial(values: FloatArray, covariance: FloatArray) -> Factorial:
    """Compare I conditions over J readers; readers and images are both random samples.

    `values` is (I, J); `covariance` is (I · J, I · J), in the order of `values.ravel()`.
    The F statistic is MS(T) / (MS(TR) + J max(Cov2 - Cov3, 0)), with MS(T) and MS(TR) the
    mean squares of conditions and of condition × reader, Cov2 the mean covariance of two
    readers under the same condition, and Cov3 under two conditions.
    """
    conditions, readers = values.shape
    components = Components.of(values, covariance)
    whole = components.ms_condition_reader + readers * max(
        components.cov2 - components.cov3, 0.0
    )
    own = (conditions - 1) * (readers - 1)
    freedom = _ratio(whole**2, components.ms_condition_reader**2 / own)
    f = _ratio(components.ms_condition, whole)
    means = values.mean(axis=1)
    error = math.sqrt(2 * whole / readers)
    differences = tuple(
        (a, b, _estimated(float(means[a] - means[b]), error, freedom))
        for a in range(conditions)
        for b in range(a + 1, conditions)
    )
    blocks = covariance.reshape(conditions, readers, conditions, readers)
    return Factorial(
        f=f,
        freedom=(conditions - 1, freedom),
        p=_f_chance(f, conditions - 1, freedom),
        means=tuple(
            one_condition(values[i], blocks[i, :, i, :]) for i in range(conditions)
        ),
        differences=differences,
    )


@dataclass(frozen=True)
class Components:
    """Variance components: two mean squares, and three mean covariances of the error."""

    ms_condition: float
    """Mean square of the conditions."""
    ms_condition_reader: float
    """Mean square of the interaction of condition and reader."""
    cov1: float
    """Mean covariance of the same reader under two conditions."""
    cov2: float
    """Mean covariance of two readers under the same condition."""
    cov3: float
    """Mean covariance of two readers under two conditions."""

    @classmethod
    def of(cls, values: FloatArray, covariance: FloatArray) -> Components:
        """Compute the components from `values` and their `covariance`.

        `values` is (I, J) for I conditions and J readers; `covariance` is (I · J, I · J).
        """
        conditions, readers = values.shape
        by_condition = values.mean(axis=1, keepdims=True)
        by_reader = values.mean(axis=0, keepdims=True)
        mean = values.mean()
        rest = values - by_condition - by_reader + mean
        blocks = covariance.reshape(conditions, readers, conditions, readers)
        condition, reader = np.eye(conditions, dtype=bool), np.eye(readers, dtype=bool)
        same = condition[:, None, :, None] & np.ones_like(blocks, dtype=bool)
        mine = reader[None, :, None, :] & np.ones_like(blocks, dtype=bool)
        return cls(
            ms_condition=readers
            * float(((by_condition - mean) ** 2).sum())
            / (conditions - 1),
            ms_condition_reader=float((rest**2).sum()) / ((conditions - 1) * (readers - 1)),
            cov1=float(blocks[~same & mine].mean()),
            cov2=float(blocks[same & ~mine].mean()),
            cov3=float(blocks[~same & ~mine].mean()),
        )


def _estimated(mean: float, error: float, freedom: float) -> MeanOfReaders:
    if not error > ROUNDING:
        return MeanOfReaders(Interval(mean), freedom)
    many = math.isinf(freedom)
    times = float(ndtri(0.975) if many else stdtrit(freedom, 0.975))
    away = -abs(mean) / error
    p = 2 * float(ndtr(away) if many else stdtr(freedom, away))
    # Simulated with four readers it held the true value in 86 to 95 % of samples.
    # Shares and areas, and their differences, are never beyond -1 or 1.
    ends = max(mean - times * error, -1.0), min(mean + times * error, 1.0)
    return MeanOfReaders(Interval(mean, *ends, rough=True), freedom, p)


def _f_chance(f: float, first: float, second: float) -> float:
    if math.isnan(f):
        return math.nan
    return float(fdtrc(first, min(second, 1e9), f))


def _ratio(part: float, whole: float) -> float:
    if whole > 0:
        return part / whole
    return math.inf if part > 0 else math.nan


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
