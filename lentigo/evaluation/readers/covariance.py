"""The covariance of the metrics of several readers, who read the same images."""

from __future__ import annotations

import numpy as np

from lentigo.evaluation.discrimination import BoolArray, FloatArray, placements
from lentigo.evaluation.intervals import IntArray, count_groups


def aucs_together(
    truth: BoolArray, scores: FloatArray, group: IntArray
) -> tuple[FloatArray, FloatArray]:
    """The AUCs of M readers, (M,), and their covariance, (M, M); groups are independent.

    `truth` and `group` are (N,), `scores` (M, N). The covariance is that of Obuchowski 1997
    (doi:10.2307/2533958), which is DeLong's where each image is a group of its own.
    """
    places = [placements(truth, score) for score in scores]
    above = np.stack([each[0] for each in places])
    below = np.stack([each[1] for each in places])
    return above.mean(axis=1), _covariance(truth, group, above, below)


def shares_together(
    truth: BoolArray, called: FloatArray, group: IntArray, *, of: bool
) -> tuple[FloatArray, FloatArray]:
    """Sensitivities (`of` True) or specificities of M readers, and their covariance.

    `truth` and `group` are (N,); `called` is (M, N), 1 for a call of melanoma, else 0. The
    results are (M,) and (M, M); groups are independent, as in `aucs_together`. The other
    class need not be there; the covariance is NaN for fewer than two groups of this one.
    """
    side = truth == of
    mine = (called if of else 1 - called)[:, side]
    if count_groups(group[side]) < 2:
        return mine.mean(axis=1), np.full((len(mine), len(mine)), np.nan)
    part, groups = _deviations(mine, group[side], int(group.max()) + 1)
    return mine.mean(axis=1), groups / (groups - 1) * part @ part.T


def _deviations(places: FloatArray, group: IntArray, size: int) -> tuple[FloatArray, int]:
    """Return what each group adds to the deviation of M means, (M, size), and the groups.

    `places` is (M, images) and `group` (images,), groups from 0 to `size` − 1.
    """
    beyond = (places - places.mean(axis=1, keepdims=True)) / places.shape[1]
    rows = [np.bincount(group, weights=each, minlength=size) for each in beyond]
    return np.stack(rows), count_groups(group)


def _covariance(
    truth: BoolArray, group: IntArray, above: FloatArray, below: FloatArray
) -> FloatArray:
    """Return the covariance (M, M) of M means, from each group's deviations.

    `above` and `below` are (M, images): one value a melanoma, and one another image. NaN
    where a class lies in fewer than two groups.
    """
    size = int(group.max()) + 1
    each = [
        _deviations(places, group[side], size)
        for places, side in ((above, truth), (below, ~truth))
    ]
    parts, counts = [part for part, _ in each], [count for _, count in each]
    if min(counts) < 2:
        return np.full((len(above), len(above)), np.nan)
    own = sum(n / (n - 1) * part @ part.T for n, part in zip(counts, parts, strict=True))
    every = count_groups(group)
    crossed = parts[0] @ parts[1].T
    found: FloatArray = own + every / (every - 1) * (crossed + crossed.T)
    return found
