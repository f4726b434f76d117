"""The interval of a mean over folds or repeats, whose models learnt from the same images.

Two folds share most of their training images, so that their numbers vary together, and
the spread over folds alone is too small. No formula knows by how much (Bengio & Grandvalet
2004); that of Nadeau & Bengio 2003 (doi:10.1023/A:1024068626366) adds the ratio of judged
to training images to 1 / K. It holds for the mean over trainings on so many images, not for
one model. What nested cross-validation would tell (Bates et al. 2023,
doi:10.1080/01621459.2023.2197686) takes a training for each pair of folds.
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
    """The mean of K numbers, of folds or of folds times repeats, with a 95 % interval.

    `judged` and `trained` are the images that one model was judged on and learnt from.
    The variance is (1 / K + judged / trained) times that of the numbers, with Student's t
    on K - 1 degrees. It is marked as rough: a handful of folds tells the spread badly. NaN
    numbers are left out; no bounds for fewer than two, or without spread.
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
