"""A smooth calibration curve with its 95 % band: the observed share at each probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from lentigo.evaluation.calibration import separates, without_certainty
from lentigo.evaluation.clustered_logistic import fit_logistic
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray

_POINTS = 101
_KNOTS = (0.10, 0.50, 0.90)
"""Quantiles of Harrell's spline of three knots (Regression Modeling Strategies, 2015)."""
_BENDS_FROM = 20
"""The curve may bend from this many groups of the rarer class: ten for a coefficient."""


@dataclass(frozen=True, kw_only=True)
class CalibrationCurve:
    """The share of melanomas at each predicted probability; all arrays (P,), from 0 to 1.

    P is the number of points along the curve.
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    """95 % interval of `observed`, for each point by itself; NaN with only one group."""


def calibration_curve(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> CalibrationCurve | None:
    """Estimate the share of melanomas among images as a function of their probability.

    A logistic regression of the truth on the logit of the probability, with a restricted
    cubic spline of three knots where the rarer class has 20 groups or more, as Van Calster
    et al. 2016 (doi:10.1016/j.jclinepi.2015.12.005) advise for a flexible curve. `group`,
    (N,) integers from 0, are the units that the band takes as independent. The curve runs
    from the lowest to the highest predicted probability.

    None where there is only one class, all probabilities are equal, or the regression does
    not converge.
    """
    if not truth.any() or truth.all() or np.ptp(probability) == 0:
        return None
    scores = logit(without_certainty(probability))
    design = _Design(scores, truth, group)
    fitted = fit_logistic(design(scores), truth, group, firth=separates(truth, scores))
    if fitted is None:
        return None
    # Points evenly on both scales, since curves are drawn over the probability, but most
    # images have probabilities near 0.
    lowest, highest = float(scores.min()), float(scores.max())
    between = np.linspace(expit(lowest), expit(highest), _POINTS)[1:-1]
    along = np.unique([*np.linspace(lowest, highest, _POINTS), *logit(between)])
    observed, low, high = map(expit, fitted.band(design(along)))
    return CalibrationCurve(predicted=expit(along), observed=observed, low=low, high=high)


class _Design:
    """The design matrix: 1, the standardised score and, with enough groups, the spline."""

    def __init__(self, scores: FloatArray, truth: BoolArray, group: IntArray) -> None:
        self._middle, self._spread = float(scores.mean()), float(scores.std())
        knots = np.quantile(scores, _KNOTS)
        fewest = min(len(np.unique(group[side])) for side in (truth, ~truth))
        bends = fewest >= _BENDS_FROM and bool((np.diff(knots) > 0).all())
        self._knots = knots if bends else None

    def __call__(self, scores: FloatArray) -> FloatArray:
        columns = [np.ones(len(scores)), (scores - self._middle) / self._spread]
        if self._knots is not None:
            columns.append(_bend(scores, self._knots))
        return np.stack(columns, axis=1)


def _bend(scores: FloatArray, knots: FloatArray) -> FloatArray:
    """Return the non-linear basis column of a cubic spline with three knots, (N,).

    It is linear beyond the outer knots.
    """
    first, middle, last = knots
    cubes = [np.maximum(scores - knot, 0) ** 3 for knot in knots]
    inner = (last - first) * cubes[1] - (middle - first) * cubes[2]
    found: FloatArray = (cubes[0] - inner / (last - middle)) / (last - first) ** 2
    return found
