"""Whether a patient's melanomas are among the patient's 15 lesions of highest score."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.shares import clustered_share, share_of

TOP = 15
"""Number of a patient's highest-scored lesions that count, as in ISIC 2024."""


def retrieved(
    truth: BoolArray, score: FloatArray, group: IntArray, *, top: int = TOP
) -> FloatArray:
    """Return the probability that each of M melanomas is in its group's `top`: (M,).

    It is 1 or 0, for the `top` highest scores of the group. Only where scores are tied for
    the last places is it in between: the tied images have equal probability.
    """
    # Only groups with a melanoma matter; of 400,000 images those are few.
    mine = np.isin(group, group[truth])
    table = pd.DataFrame({"group": group[mine], "score": score[mine]})
    by = table.groupby("group")["score"]
    last = by.rank(method="max", ascending=False).to_numpy()
    first = by.rank(method="min", ascending=False).to_numpy()
    chance = np.clip((top - first + 1) / (last - first + 1), 0, 1)
    return np.asarray(chance[truth[mine]], dtype=np.float64)


def retrieval_sensitivity(
    truth: BoolArray, score: FloatArray, group: IntArray, *, top: int = TOP
) -> Interval:
    """Return the share of melanomas that are in the `top` highest scores of their group.

    NaN without a melanoma.
    """
    if not truth.any():
        return Interval(math.nan)
    found = retrieved(truth, score, group, top=top)
    mine = group[truth]
    if np.isin(found, [0, 1]).all():
        return clustered_share(found == 1, mine)
    return share_of(np.bincount(mine, found), np.bincount(mine))


def retrieval_per_patient(
    truth: BoolArray, score: FloatArray, group: IntArray, *, top: int = TOP
) -> Interval:
    """Return the mean over groups of the share of their melanomas in their `top` scores.

    ISIC 2024 awarded a prize by this metric. Groups without a melanoma do not count. NaN
    without a melanoma.
    """
    if not truth.any():
        return Interval(math.nan)
    found, mine = retrieved(truth, score, group, top=top), group[truth]
    of = np.bincount(mine)
    part = np.bincount(mine, found)[of > 0] / of[of > 0]
    return share_of(part, np.ones(len(part)))


def worth_asking(truth: BoolArray, group: IntArray, *, top: int = TOP) -> bool:
    """Tell whether a group with a melanoma has more than `top` images.

    Otherwise all melanomas are in the `top` and the metric is 1 for any scores.
    """
    sizes = np.bincount(group)
    return bool(truth.any()) and int(sizes[group[truth]].max()) > top
