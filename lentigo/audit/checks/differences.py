"""Standardised mean differences: how unlike two parts of a cohort are, whatever their size.

Two equal shares or means give 0; 0.1 is commonly called small. The difference is undefined
(NaN) if a part has no known values, or if nothing varies and the parts agree; it is
infinite if nothing varies within the parts but they differ.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def number_difference(first: FloatArray, second: FloatArray) -> float:
    """|difference of the means| / square root of the mean variance, after Austin 2009.

    `first` and `second` are the known values of the two parts, N and M numbers. NaN if N or
    M is less than two.
    """
    if min(len(first), len(second)) < 2:
        return math.nan
    apart = abs(float(first.mean() - second.mean()))
    spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    return _ratio(apart, spread)


def category_difference(first: FloatArray, second: FloatArray) -> float:
    """The standardised difference of two distributions over categories, Yang & Dalton 2012.

    `first` and `second`, (K,) each, count the images of the two parts in the same K
    categories. The result is the Mahalanobis distance of the two vectors of shares under
    the mean of their multinomial covariances; for two categories it is Austin's |p - q| /
    sqrt((p (1 - p) + q (1 - q)) / 2).
    """
    if not first.sum() or not second.sum():
        return math.nan
    seen = (first + second) > 0
    p, q = first[seen] / first.sum(), second[seen] / second.sum()
    if len(p) < 2:
        return math.nan
    # The shares add up to 1, so the last one says nothing that the others do not.
    apart = (p - q)[:-1]
    covariance = (_covariance(p) + _covariance(q))[:-1, :-1] / 2
    values, vectors = np.linalg.eigh(covariance)
    along = vectors.T @ apart
    still = values < 1e-12
    if (np.abs(along[still]) > 1e-9).any():
        return math.inf
    return math.sqrt(float((along[~still] ** 2 / values[~still]).sum()))


def _covariance(share: FloatArray) -> FloatArray:
    """Return the (K, K) covariance of one multinomial draw over K categories.

    The diagonal is p (1 - p); the entry for two categories with shares p and q is -p q.
    """
    covariance: FloatArray = np.diag(share) - np.outer(share, share)
    return covariance


def _ratio(apart: float, spread: float) -> float:
    if spread:
        return apart / spread
    return math.inf if apart else math.nan
