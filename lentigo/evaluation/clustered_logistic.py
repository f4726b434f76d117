"""A logistic regression with cluster-robust standard errors: groups are independent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtrit

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval, count_groups, dot

_STEPS = 200


@dataclass(frozen=True, kw_only=True)
class LogisticFit:
    """The K coefficients of a logistic regression, with their covariance."""

    weights: FloatArray
    """Coefficients, (K,), on the scale of log-odds."""
    covariance: FloatArray | None
    """Covariance of `weights`, (K, K), robust to correlation within groups (Liang & Zeger
    1986, doi:10.1093/biomet/73.1.13); None where there is only one group."""
    times: float
    """Half width of a 95 % interval in standard errors: the quantile of Student's t, with
    one degree of freedom less than the rarer class has groups (at least one)."""

    def interval(self, column: int) -> Interval:
        """Return the coefficient number `column` with Wald's 95 % interval."""
        value = float(self.weights[column])
        if self.covariance is None:
            return Interval(value)
        half = self.times * float(np.sqrt(self.covariance[column, column]))
        return Interval(value, value - half, value + half)

    def band(self, design: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the log-odds at rows of `design`, (N, K), and 95 % bounds: (N,) each.

        The bounds hold at each row by itself; they are NaN if `covariance` is None.
        """
        middle = design @ self.weights
        if self.covariance is None:
            unknown = np.full(len(middle), np.nan)
            return middle, unknown, unknown
        spread = np.einsum("nk,kl,nl->n", design, self.covariance, design)
        half = self.times * np.sqrt(np.maximum(spread, 0))
        return middle, middle - half, middle + half


def fit_logistic(
    design: FloatArray,
    truth: BoolArray,
    group: IntArray,
    *,
    offset: FloatArray | None = None,
    firth: bool = False,
    start: FloatArray | None = None,
) -> LogisticFit | None:
    """Fit the log-odds of `truth`, (N,), to `design`, (N, K), by damped Newton steps.

    `group`, (N,), are integers from 0. `offset`, (N,), is added to the log-odds with a
    fixed coefficient of 1. `firth` penalises the likelihood (Firth 1993,
    doi:10.1093/biomet/80.1.27): where the classes separate perfectly, the coefficients
    would otherwise be infinite. Steps, of at most 1, begin at `start`, (K,), else at 0.
    None if 200 steps do not converge.
    """
    added: FloatArray = np.zeros(len(truth)) if offset is None else offset
    columns = np.ascontiguousarray(design.T)
    weights = np.zeros(design.shape[1]) if start is None else start
    for _ in range(_STEPS):
        expected = expit(np.einsum("kn,k->n", columns, weights) + added)
        hessian = _products(columns * (expected * (1 - expected)), columns)
        bread = np.asarray(np.linalg.pinv(hessian, hermitian=True), dtype=np.float64)
        rest: FloatArray = truth - expected
        if firth:
            rest = rest + _leverage(columns, expected, bread) * (0.5 - expected)
        step = bread @ _products(columns, rest[np.newaxis])[:, 0]
        # Far from the optimum a full step overshoots: all expected shares become 0 or 1.
        step /= max(1.0, float(np.abs(step).max()))
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            robust = _robust(bread, columns * (truth - expected), group)
            if firth and robust is not None:
                robust = _at_least(robust, bread)
            times = float(stdtrit(_freedom(truth, group), 0.975))
            return LogisticFit(weights=weights, covariance=robust, times=times)
    return None


def _products(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the product of each row of `first`, (K, N), with each of `second`, (L, N)."""
    return np.array([[dot(row, other) for other in second] for row in first])


def _leverage(columns: FloatArray, expected: FloatArray, bread: FloatArray) -> FloatArray:
    """Return the leverage (diagonal of the hat matrix) of each image, (N,)."""
    own: FloatArray = np.einsum("in,ij,jn->n", columns, bread, columns)
    return own * expected * (1 - expected)


def _robust(bread: FloatArray, gradients: FloatArray, group: IntArray) -> FloatArray | None:
    groups = count_groups(group)
    if groups < 2:
        return None
    by_group: FloatArray = np.stack([np.bincount(group, each) * 1.0 for each in gradients])
    meat = _products(by_group, by_group)
    return np.asarray(bread @ meat @ bread * groups / (groups - 1), dtype=np.float64)


def _at_least(robust: FloatArray, plain: FloatArray) -> FloatArray:
    """Return `robust` with each variance raised to that of `plain` if that is larger."""
    own, least = np.diag(robust), np.diag(plain)
    factor = np.sqrt(np.maximum(own, least) / np.where(own > 0, own, 1.0))
    found: FloatArray = robust * np.outer(factor, factor)
    none = own <= 0
    found[none, none] = least[none]
    return found


def _freedom(truth: BoolArray, group: IntArray) -> int:
    fewest = min(count_groups(group[side]) for side in (truth, ~truth))
    return max(fewest - 1, 1)
