"""Each diagnosis against all others, for predictions with one column a diagnosis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.discrimination import placements
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import (
    ROUNDING,
    IntArray,
    Interval,
    count_groups,
    dot,
    wilson,
)
from lentigo.evaluation.multiclass import Diagnoses
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import FEW, marked
from lentigo.evaluation.shares import clustered_share
from lentigo.visible import visible
from lentigo.words import aligned


@dataclass(frozen=True, kw_only=True)
class OneDiagnosis:
    """The metrics of one diagnosis against all other diagnoses."""

    name: str
    n_images: int
    n_groups: int
    n_called: int
    """Images for which it is the most probable diagnosis (that is, it is called)."""
    auc: Interval
    """AUC of its probability: images of it against those of all other diagnoses."""
    recall: Interval
    """The share of its images in which it is called."""
    precision: Interval
    """The share of images truly of it among those in which it is called."""

    @property
    def too_few(self) -> bool:
        """Tell whether there are fewer than 5 images or groups, too few for a metric."""
        return min(self.n_images, self.n_groups) < FEWEST

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and `too_few` by name, for JSON."""
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
    """Judge each diagnosis that some image truly has, in the order of `diagnoses.names`.

    `group` is (N,). Empty where there are no probabilities of the diagnoses.
    """
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
    """The mean AUC of all diagnoses that some image truly has, each against the rest.

    The variance is estimated from each group's deviation (Obuchowski 1997 for one AUC).
    The interval is Wilson's with that variance and Student's t, with the groups of the
    rarest diagnosis less one as degrees of freedom; it is rough with fewer than 15 of these
    groups. NaN with fewer than two diagnoses, or without their probabilities.
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
    """The mean recall (balanced accuracy) over diagnoses, interval as in `mean_auc`."""
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
    variance = groups / max(groups - 1, 1) * dot(added, added)
    if groups < 2 or not variance > ROUNDING**2 or not 0 < value < 1:
        return Interval(value)
    times = float(stdtrit(max(freedom, 1), 0.975))
    low, high = wilson(value, value * (1 - value) / variance, times)
    return Interval(value, low, high, rough=freedom + 1 < FEW)


def diagnosis_lines(found: tuple[OneDiagnosis, ...]) -> list[str]:
    """Return the lines of a text table for a terminal, one row a diagnosis."""
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
