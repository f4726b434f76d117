"""The AUC's interval where images come in groups, without resampling.

It costs two sorts of the scores, where resampling groups costs as many passes over the
images as there are resamples: at 400,000 images minutes for a handful of scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from lentigo.evaluation.discrimination import BoolArray, FloatArray, placements
from lentigo.evaluation.intervals import Interval

IntArray = NDArray[np.intp]


def clustered_auc(
    truth: BoolArray, score: FloatArray, group: IntArray, *, confidence: float = 0.95
) -> Interval:
    """The AUC with an interval that takes groups, not images, as independent.

    `truth`, `score` and `group` are (N,); groups count from 0. The variance is that of
    Obuchowski 1997 (doi:10.2307/2533958), which is DeLong's where each image is a group of
    its own. The interval is made on the logit scale, with Student's t on one degree of
    freedom less than the rarer class has groups, as few groups tell their spread badly.

    NaN without a class. The bounds are NaN where a class lies in fewer than two groups,
    and where the variance is 0 or the AUC is 0 or 1: no spread is no certainty.
    """
    above, below = placements(truth, score)
    if not len(above):
        return Interval(math.nan)
    value = float(above.mean())
    groups = [_count(group[side]) for side in (truth, ~truth)]
    if min(groups) < 2 or not 0 < value < 1:
        return Interval(value)
    size = int(group.max()) + 1
    variance = _variance(
        np.bincount(group[truth], weights=above - value, minlength=size) / len(above),
        np.bincount(group[~truth], weights=below - value, minlength=size) / len(below),
        groups=groups,
        every=_count(group),
    )
    if not variance > 0:
        return Interval(value)
    times = float(student.ppf(0.5 + confidence / 2, min(groups) - 1))
    half = times * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    # Beyond these bounds the exponential overflows, and the share is 0 or 1 long before.
    ends = np.clip([centre - half, centre + half], -700.0, 700.0)
    low, high = (1 / (1 + np.exp(-ends))).tolist()
    return Interval(value, low, high)


def _count(group: IntArray) -> int:
    return int(np.count_nonzero(np.bincount(group)))


def _variance(
    above: FloatArray, below: FloatArray, *, groups: Sequence[int], every: int
) -> float:
    """Obuchowski's, from what each group adds to the AUC beyond its share, (groups,) each.

    `groups` hold a melanoma and another image, `every` counts all.
    """
    first, second = groups
    return float(
        first / (first - 1) * (above @ above)
        + second / (second - 1) * (below @ below)
        + 2 * every / (every - 1) * (above @ below)
    )
