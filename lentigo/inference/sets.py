"""Conformal prediction sets at 90 %: fit them, and add them to a prediction table.

A model that tells diagnoses apart also gets sets over all of them, class by class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import COULD_BE, COULD_BE_DIAGNOSES
from lentigo.datasets.reading.classes import classes_of
from lentigo.evaluation.conformal import fit_conformal
from lentigo.inference.columns import with_columns
from lentigo.models.calibration import probability
from lentigo.models.conformal import ASKED, MELANOMA, ConformalSets, DiagnosisLimit
from lentigo.tables import diagnosis_column


@dataclass(frozen=True)
class Told:
    """What a model tells of N images besides melanoma, and what they truly are."""

    names: tuple[str, ...]
    """The D diagnoses other than melanoma."""
    shares: NDArray[np.float64]
    """Their shares among lesions that are not melanoma, (D, N)."""
    truth: NDArray[np.intp]
    """The true diagnosis of each image, (N,): 0 for melanoma, n + 1 for `names[n]`, −1
    where it is not known or none of these."""


def less_right(
    truth: NDArray[np.bool_],
    score: NDArray[np.float64],
    without: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Return of two probabilities of melanoma the one that is less right, (N,).

    `truth` tells which of N images are melanoma; `score` is answered with age, sex and
    site, `without` without them. Sets of these hold for both. With None it is `score`.
    """
    if without is None:
        return score
    both = np.minimum(score, without), np.maximum(score, without)
    return np.where(truth, *both)


def told_by(
    predictions: pd.DataFrame, table: pd.DataFrame, names: Sequence[str]
) -> Told | None:
    """Return the shares of the diagnoses `names` in `predictions`, and the true ones.

    `predictions` has the columns `image_id` and `probability_…` of each diagnosis; `table`
    is the lesion table, from whose columns `diagnosis` and `melanoma` the truth is read.
    None with fewer than two `names`, if a column is missing or has NaN, or if no true
    diagnosis other than melanoma is known.
    """
    shares = shares_in(predictions, names)
    if len(names) < 2 or shares is None or "diagnosis" not in table:
        return None
    rows = table.set_index("image_id")[["diagnosis", "melanoma"]]
    rows = rows.reindex(predictions["image_id"])
    truth = classes_of(rows["diagnosis"], rows["melanoma"], (MELANOMA, *names))
    if np.isnan(shares).any() or not (truth > 0).any():
        return None
    return Told(tuple(names), shares, truth)


def shares_in(
    predictions: pd.DataFrame, names: Sequence[str]
) -> NDArray[np.float64] | None:
    """Return the shares of the D diagnoses `names` among lesions that are not melanoma.

    They are computed from the columns `probability_…` of N predictions, (D, N), in which
    what melanoma leaves to them cancels out; where that is nothing, all have the same
    share. None if a column is missing.
    """
    columns = [diagnosis_column(name) for name in names]
    if not {*columns} <= set(predictions):
        return None
    own = predictions[columns].to_numpy(np.float64).T
    total = own.sum(axis=0)
    return np.where(total == 0, 1 / max(len(own), 1), own / np.where(total == 0, 1, total))


def fit_sets(
    truth: np.ndarray,
    score: np.ndarray,
    group: Sequence[str],
    *,
    set_on: str,
    told: Told | None = None,
) -> ConformalSets | None:
    """Return the probabilities from which melanoma, and other lesions, are in a set.

    `truth` tells whether an image is melanoma, `score` is its probability of melanoma,
    `group` its group, (N,) each; a group counts once in each class. `set_on` names the
    images, on which the networks must not have been trained. `told`, about the same images,
    also gives each diagnosis its limit. None without images.
    """
    if not len(truth):
        return None
    both = np.stack([1 - score, score], axis=1)
    found = fit_conformal(both, truth.astype(np.intp), group, missed=1 - ASKED)
    names = np.asarray(group)
    return ConformalSets(
        melanoma=float(found.least[1]),
        not_melanoma=float(found.least[0]),
        n_images=len(truth),
        n_melanoma_groups=len(np.unique(names[truth])),
        n_other_groups=len(np.unique(names[~truth])),
        set_on=set_on,
        diagnoses=[] if told is None else _limits(told, score, names),
    )


def _limits(told: Told, score: np.ndarray, group: np.ndarray) -> list[DiagnosisLimit]:
    """Return the limit of each diagnosis but melanoma, sorted by name."""
    known = told.truth >= 0
    whole = np.vstack([score, (1 - score) * told.shares]).T[known]  # (N, 1 + D)
    truth, names = told.truth[known], group[known]
    found = fit_conformal(whole, truth, names.tolist(), missed=1 - ASKED)
    limits = [
        DiagnosisLimit(
            name=name,
            least=float(found.least[place]),
            n_images=int((truth == place).sum()),
            n_groups=len(np.unique(names[truth == place])),
        )
        for place, name in enumerate(told.names, start=1)
    ]
    return sorted(limits, key=lambda each: each.name)


def with_sets(
    predictions: pd.DataFrame,
    sets: ConformalSets | None,
    names: Sequence[str] = (),
    shares: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Return `predictions` with a column `could_be`: the prediction set of each image.

    The column `logit` must hold for the share of melanoma that the model is meant for. With
    the `shares`, (D, N), of the diagnoses `names` among lesions that are not melanoma, and
    limits for these, a column `could_be_diagnoses` has the diagnoses that stay possible.
    Without `sets`, the predictions are returned unchanged.
    """
    if sets is None:
        return predictions
    own = probability(predictions["logit"].to_numpy(np.float64))
    said = {COULD_BE: sets.words(own)}
    if shares is not None and sets.knows(names):
        said[COULD_BE_DIAGNOSES] = sets.lists(own, names, shares)
    return with_columns(predictions, said)
