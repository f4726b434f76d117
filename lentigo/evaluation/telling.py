"""The one rule of when a difference may be told: five groups of either class, or more.

A difference is that of two models, readers, settings, subgroups or disturbances. Where the
melanomas, or the other images, are of fewer groups its value is shown, but it has no
interval and no p-value, and nothing is called better, worse or the best.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import IntArray, Interval, count_groups


def tells(truth: BoolArray, group: IntArray) -> bool:
    """Tell whether melanomas, and other images, are each of `FEWEST` groups or more.

    `truth` and `group` are (N,), groups count from 0. No group has fewer images than one,
    so that counting groups counts images, too.
    """
    return min(count_groups(group[side]) for side in (truth, ~truth)) >= FEWEST


def told(difference: Interval, *, enough: bool) -> Interval:
    """Return the difference as it is, or without its bounds if there are not `enough`."""
    if enough:
        return difference
    return replace(difference, low=float("nan"), high=float("nan"), rough=False)


def too_few_to_tell(what: str) -> str:
    """Return a sentence: nothing can be said about `what`, such as "these readers"."""
    return (
        f"Nothing can be said about {what}: it takes melanomas of at least {FEWEST} "
        f"groups, and other images of {FEWEST}."
    )


def no_spread(who: str, first: FloatArray, second: FloatArray) -> str:
    """Return a sentence: why a difference of AUC has no interval though there are enough.

    `who`, such as "Both tables", gave the scores `first` and `second`, (N,).
    """
    one, other = (np.unique(each, return_inverse=True)[1] for each in (first, second))
    if np.array_equal(one, other):
        return (
            f"{who} rank the images alike: the difference of AUC, and of average "
            "precision, is 0 and has no interval."
        )
    return f"{who}: the difference of AUC shows no spread, and has no interval."
