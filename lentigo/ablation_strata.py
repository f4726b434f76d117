"""AUC within strata: an image is compared only with those of its archive and its network.

Networks of other folds have other scales, and archives other shares of melanoma: compared
across them, a switch that only moves the scores of one archive would look like a gain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lentigo.evaluation.clustered import Estimate, obuchowski_variance
from lentigo.evaluation.discrimination import BoolArray, FloatArray, placements
from lentigo.evaluation.intervals import IntArray, count_groups


def comparable(truth: BoolArray, stratum: IntArray) -> BoolArray:
    """Return which images, (N,) bool, are in a stratum with images of both classes.

    `truth` and `stratum` are (N,); strata count from 0.
    """
    size = int(stratum.max()) + 1 if len(stratum) else 0
    both = [np.bincount(stratum[side], minlength=size) > 0 for side in (truth, ~truth)]
    found: BoolArray = (both[0] & both[1])[stratum]
    return found


def auc_within(truth: BoolArray, score: FloatArray, stratum: IntArray) -> float:
    """Return the mean of the AUCs of all strata, weighted by their numbers of melanomas.

    All images have to be `comparable`. NaN without images.
    """
    return float(_placed(truth, score, stratum)[0].mean()) if len(truth) else math.nan


def difference_within(
    truth: BoolArray,
    pairs: Sequence[tuple[FloatArray, FloatArray]],
    group: IntArray,
    stratum: IntArray,
) -> Estimate:
    """Return the mean, over `pairs` of scores, of `auc_within` of the first less the other.

    The variance is that of `estimated_mean_difference` (Obuchowski 1997,
    doi:10.2307/2533958), whose case of one stratum this is, with each image's part measured
    from the AUC of its stratum: that of a weighted sum of independent AUCs.
    """
    if not len(truth):
        return Estimate(math.nan)
    placed = [
        tuple(_placed(truth, score, stratum) for score in (first, second))
        for first, second in pairs
    ]
    above, below = (
        np.mean([one[side] - other[side] for one, other in placed], axis=0)
        for side in (0, 1)
    )
    value = float(above.mean())
    freedom = min(count_groups(group[side]) for side in (truth, ~truth)) - 1
    if freedom < 1:
        return Estimate(value)
    parts = _centred(truth, above, below, stratum)
    variance = obuchowski_variance(truth, group, *parts)
    return Estimate(value, math.sqrt(variance) if variance > 0 else math.nan, freedom)


def _placed(
    truth: BoolArray, score: FloatArray, stratum: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the placements of all melanomas and of all others, each in its stratum."""
    found = np.empty(len(truth))
    for own in np.unique(stratum):
        mine = stratum == own
        above, below = placements(truth[mine], score[mine])
        found[mine & truth], found[mine & ~truth] = above, below
    return found[truth], found[~truth]


def _centred(
    truth: BoolArray, above: FloatArray, below: FloatArray, stratum: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return placements less the AUC of their stratum, weighted as in the mean of AUCs."""
    size, own, other = int(stratum.max()) + 1, stratum[truth], stratum[~truth]
    melanomas, others = (np.bincount(each, minlength=size) for each in (own, other))
    mean = np.bincount(own, weights=above, minlength=size) / np.maximum(melanomas, 1)
    share = melanomas / len(above) * len(below) / np.maximum(others, 1)
    return above - mean[own], (below - mean[other]) * share[other]
