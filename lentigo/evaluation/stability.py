"""The population stability index (Siddiqi 2006), and the bins that it counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_DECILES = 10


def stability_bins(values: FloatArray, known: NDArray[np.bool_], n: int) -> IntArray:
    """Return the bin of each value, (N,), for the population stability index; 0 if unknown.

    Of few different values each is a bin. Else bins are tenths of the reference, the first
    `n` values; a value that fills a tenth or more has a bin of its own, and so have values
    below and above all of the reference, where there are any.
    """
    levels = np.unique(values[known])
    if len(levels) > _DECILES:
        own = values[:n][known[:n]]
        tenths = np.quantile(own, np.linspace(0, 1, _DECILES + 1))
        tied = tenths[1:][np.diff(tenths) == 0]
        after = np.nextafter([*tied, tenths[-1]], np.inf)
        levels = np.unique([*tenths[:-1], *tied, *after])
    codes = np.searchsorted(levels, np.where(known, values, levels[0]), side="right")
    found = np.zeros(len(values), dtype=np.int64)
    found[known] = np.unique(codes[known], return_inverse=True)[1]
    return found


def stability_index(before: FloatArray, after: FloatArray) -> FloatArray:
    """The population stability index of each deal; half an image is added to each bin.

    `before` and `after` are the counts of the reference and the period, (D, bins).
    """
    shares = [
        (each + 0.5) / (each + 0.5).sum(axis=1, keepdims=True) for each in (before, after)
    ]
    found: FloatArray = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum(
        axis=1
    )
    return found
