"""Each diagnosis against all others, where predictions have a column for each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.discrimination import placements
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import IntArray, Interval, count_groups, wilson
from lentigo.evaluation.multiclass import Diagnoses
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import FEW, marked
from lentigo.evaluation.shares import clustered_share
from lentigo.visible import visible
from lentigo.words import aligned


@dataclass(frozen=True, kw_only=True)
class OneDiagnosis:
    """One diagnosis: how well it is told from all others, and how often it is called."""

    name: str
    n_images: int
    n_groups: int
    n_called: int
    """Images of which it is the likeliest diagnosis."""
    auc: Interval
    """Of its probability, against all other diagnoses."""
    recall: Interval
    """The share of its images of which it is the likeliest diagnosis."""
    precision: Interval
    """The share of right calls among its calls."""

    @property
    def too_few(self) -> bool:
        """Tell whether nothing can be said of so few images or groups."""
        return min(self.n_images, self.n_groups) < FEWEST

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_groups": self.n_groups,
            "n_called": self.n_called,
            "too_few": self.too_few,
            "auc": self.auc.as_dict(),
            "recall": self.recall.as_dict(),
            "precision": self.precision.as_dict(),
        }


def by_diagnosis(diagnoses: Diagnoses, group: IntArray) -> tuple[OneDiagnosis, ...]:
    """Judge each diagnosis that is there, in the order of the columns; `group` is (N,)."""
    score = diagnoses.score
    if score is None:
        return ()
    return tuple(
        _one(diagnoses, score[:, place], place, group)
        for place in range(len(diagnoses.names))
        if (diagnoses.truth == place).any()
    )


def _one(
    diagnoses: Diagnoses, score: np.ndarray[Any, Any], place: int, group: IntArray
) -> OneDiagnosis:
    mine, called = diagnoses.truth == place, diagnoses.called == place
    sides = [count_groups(group[side]) for side in (mine, ~mine)]
    intervals = marked(
        {
            "auc": auc_interval(mine, score, group),
            "sensitivity": clustered_share(called[mine], group[mine]),
            "ppv": clustered_share(mine[called], group[called]),
        },
        with_melanoma=sides[0],
        without=sides[1],
    )
    return OneDiagnosis(
        name=diagnoses.names[place],
        n_images=int(mine.sum()),
        n_groups=sides[0],
        n_called=int(called.sum()),
        auc=intervals["auc"],
        recall=intervals["sensitivity"],
        precision=intervals["ppv"],
    )


def mean_auc(diagnoses: Diagnoses, group: IntArray) -> Interval:
    """The mean AUC of all diagnoses that are there, each against the rest.

    The variance is that of what each group adds to the mean beyond its share (Obuchowski
    1997 for one AUC), the interval Wilson's with it, with Student's t on the groups of the
    rarest diagnosis; rough where that has fewer than 15. NaN with fewer than two diagnoses.
    """
    there = np.unique(diagnoses.truth)
    if diagnoses.score is None or len(there) < 2:
        return Interval(math.nan)
    values, added, fewest = [], np.zeros(int(group.max()) + 1), len(group)
    for place in there:
        mine = diagnoses.truth == place
        above, below = placements(mine, diagnoses.score[:, place])
        if not len(above):
            return Interval(math.nan)
        values.append(float(above.mean()))
        for side, places in ((mine, above), (~mine, below)):
            beyond = (places - places.mean()) / len(places)
            added += np.bincount(group[side], beyond, minlength=len(added))
        fewest = min(fewest, count_groups(group[mine]))
    return _wilson(float(np.mean(values)), added / len(there), group, freedom=fewest - 1)


def mean_recall(diagnoses: Diagnoses, group: IntArray) -> Interval:
    """The balanced accuracy of several diagnoses, with an interval as of `mean_auc`."""
    there = np.unique(diagnoses.truth)
    if not len(there):
        return Interval(math.nan)
    values, added, fewest = [], np.zeros(int(group.max()) + 1), len(group)
    for place in there:
        mine = diagnoses.truth == place
        right = (diagnoses.called[mine] == place).astype(np.float64)
        values.append(float(right.mean()))
        beyond = (right - right.mean()) / len(right)
        added += np.bincount(group[mine], beyond, minlength=len(added))
        fewest = min(fewest, count_groups(group[mine]))
    return _wilson(float(np.mean(values)), added / len(there), group, freedom=fewest - 1)


def _wilson(
    value: float, added: np.ndarray[Any, Any], group: IntArray, *, freedom: int
) -> Interval:
    groups = count_groups(group)
    variance = groups / max(groups - 1, 1) * float(added @ added)
    if groups < 2 or not variance > 0 or not 0 < value < 1:
        return Interval(value)
    times = float(stdtrit(max(freedom, 1), 0.975))
    low, high = wilson(value, value * (1 - value) / variance, times)
    return Interval(value, low, high, rough=freedom + 1 < FEW)


def diagnosis_lines(found: tuple[OneDiagnosis, ...]) -> list[str]:
    """Return a table for a terminal."""
    rows = [
        ("diagnosis", "images", "called", "AUC against the rest", "recall", "precision")
    ]
    rows += [
        (
            visible(each.name),
            f"{each.n_images:,}",
            f"{each.n_called:,}",
            *(
                ("too few",) * 3
                if each.too_few
                else (each.auc.in_words, each.recall.in_words, each.precision.in_words)
            ),
        )
        for each in found
    ]
    return aligned(rows, right=(1, 2))
