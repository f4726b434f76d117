"""Conformal prediction sets at 90 %: fit them, and add them to a prediction table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lentigo.answer_columns import COULD_BE
from lentigo.evaluation.conformal import fit_conformal
from lentigo.inference.columns import with_columns
from lentigo.models.calibration import probability
from lentigo.models.conformal import ASKED, ConformalSets


def fit_sets(
    truth: np.ndarray, score: np.ndarray, group: Sequence[str], *, set_on: str
) -> ConformalSets | None:
    """Return the probabilities from which melanoma, and other lesions, are in a set.

    `truth` tells whether an image is melanoma, `score` is its probability of melanoma,
    `group` its group, (N,) each; a group counts once in each class. `set_on` names the
    images, on which the networks must not have been trained. None without images.
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
    )


def with_sets(predictions: pd.DataFrame, sets: ConformalSets | None) -> pd.DataFrame:
    """Return `predictions` with a column `could_be`: the prediction set of each image.

    The column `logit` must hold for the share of melanoma that the model is meant for.
    Without `sets`, the predictions are returned unchanged.
    """
    if sets is None:
        return predictions
    own = probability(predictions["logit"].to_numpy(np.float64))
    return with_columns(predictions, {COULD_BE: sets.words(own)})
