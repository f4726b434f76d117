"""The interval of a mean over folds or repeats, whose models share training images.

The models of two folds share most of their training images, so their metrics are
correlated, and a variance that takes folds as independent is too small. The variance of
their mean has no unbiased estimate (Bengio & Grandvalet 2004); that of Nadeau & Bengio 2003
(doi:10.1023/A:1024068626366) adds the ratio of judged to training images to 1 / K for K
folds. The interval is for the mean over trainings on as many images, not for one model.
For means of losses over images nested cross-validation (`lentigo.evaluation.nested`) has an
interval for one model; it takes a training for each pair of folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.intervals import Interval


def corrected_mean(
    values: Sequence[float],
    *,
    judged: float,
    trained: float,
    within: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """The mean of K values, one for each fold (of each repeat), with a 95 % interval.

    `judged` and `trained` are the numbers of images that one model was judged on and
    trained on. The variance of the mean is (1 / K + judged / trained) times that of the
    values, with Student's t on K − 1 degrees of freedom. The bounds are clipped to
    `within`, and the interval is marked as rough, since a few folds estimate a variance
    poorly. NaN values are left out. The bounds are NaN for fewer than two values, values
    that are all equal, or `trained` 0; all is NaN without a value.
    """
    known = np.array([value for value in values if not math.isnan(value)])
    if not len(known):
        return Interval(math.nan)
    mean = float(known.mean())
    if len(known) < 2 or not known.var() > 0 or not trained > 0:
        return Interval(mean)
    error = math.sqrt((1 / len(known) + judged / trained) * float(known.var(ddof=1)))
    half = float(stdtrit(len(known) - 1, 0.975)) * error
    low, high = max(mean - half, within[0]), min(mean + half, within[1])
    return Interval(mean, low, high, rough=True)
