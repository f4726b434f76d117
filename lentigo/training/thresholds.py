"""Calibration and operating points of a model, from its validation images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import Config
from lentigo.evaluation.choosing import Answers, Costs, choose_points, judged_on
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.inference.calibrate import Labelled, fit_calibration
from lentigo.inference.diagnoses import shares_of, with_diagnoses
from lentigo.inference.sets import fit_sets, less_right, shares_in, told_by, with_sets
from lentigo.models.calibration import METHODS, Calibration, probability
from lentigo.models.conformal import ConformalSets
from lentigo.models.operating_point import OUT_OF_FOLD as OUT_OF_FOLD
from lentigo.models.operating_point import OperatingPoint
from lentigo.progress import log
from lentigo.tables import WITHOUT_METADATA


def calibration_of(
    table: pd.DataFrame,
    validation: pd.DataFrame,
    *,
    logits: str = "raw_logit",
    methods: Sequence[str] = METHODS,
    fitted_on: str = VALIDATION,
) -> Calibration:
    """Fit the calibration of a model on its validation images, by the best of `methods`.

    `table` is the lesion table with the labels; `validation` has the columns `image_id`,
    `group_id` and the one that `logits` names. `fitted_on` describes the images in words.
    """
    images = Labelled(
        truth_of(table, validation),
        validation[logits].to_numpy(np.float64),
        groups_of(validation),
    )
    return fit_calibration(images, fitted_on=fitted_on, methods=methods)


def calibrated(
    predictions: pd.DataFrame, calibration: Calibration, *, logits: str = "raw_logit"
) -> pd.DataFrame:
    """Return predictions with `probability` and `logit` computed from the column `logits`.

    If the predictions also have the column of logits without metadata, it is calibrated in
    the same way.
    """
    found = calibration.apply(predictions[logits].to_numpy(np.float64))
    without = {}
    if (given := f"{logits}{WITHOUT_METADATA}") in predictions:
        mapped = calibration.apply(predictions[given].to_numpy(np.float64))
        without = {f"logit{WITHOUT_METADATA}": mapped}
    return predictions.assign(probability=probability(found), logit=found, **without)


def with_shares(
    predictions: pd.DataFrame, diagnoses: Sequence[str], answers: NDArray[np.float64]
) -> pd.DataFrame:
    """Add the probabilities of `diagnoses` beside melanoma to calibrated predictions.

    `answers` are those of `Trainer.answers`, (1 + D, N).
    """
    return with_diagnoses(predictions, diagnoses, shares_of(answers[1:]))


def costs_of(config: Config) -> Costs:
    """Return the costs of a miss and of a needless excision in the settings of a run."""
    judging = config.evaluation
    return Costs(miss=judging.cost_miss, excision=judging.cost_excision)


def sets_of(
    table: pd.DataFrame,
    answers: pd.DataFrame,
    *,
    set_on: str = VALIDATION,
    diagnoses: Sequence[str] = (),
) -> ConformalSets | None:
    """Set conformal prediction sets on images that a model did not learn from.

    `table` is the lesion table with the labels; `answers` are the calibrated predictions
    for these images, which `set_on` describes in words. `diagnoses` are those other than
    melanoma whose probabilities are in `answers`. None without images.

    If an image is answered with and without age, sex and site, the probability that is less
    right counts, so that the sets of melanoma or not hold for both.
    """
    group = answers["group_id"].astype(str).tolist()
    truth = truth_of(table, answers)
    score = answers["probability"].to_numpy(np.float64)
    score = less_right(truth, score, _without_metadata(answers))
    told = told_by(answers, table, diagnoses)
    return fit_sets(truth, score, group, set_on=set_on, told=told)


def with_own_sets(
    predictions: pd.DataFrame, sets: ConformalSets | None, diagnoses: Sequence[str]
) -> pd.DataFrame:
    """Return calibrated predictions with the sets of each image (`with_sets`).

    `predictions` have the probabilities of `diagnoses`, those other than melanoma.
    """
    return with_sets(predictions, sets, diagnoses, shares_in(predictions, diagnoses))


def operating_points(
    table: pd.DataFrame, *, validation: pd.DataFrame, held_out: pd.DataFrame, costs: Costs
) -> list[dict[str, Any]]:
    """Return the operating points of a model, each with its metrics on held-out images.

    `table` is the lesion table; `validation` (to choose the thresholds) and `held_out` are
    prediction tables of the model. A point whose threshold cannot be chosen holds the
    reason; if this is the first point, a warning is logged.
    """
    chosen_on, elsewhere = _answers(table, validation), _answers(table, held_out)
    points = choose_points(chosen_on, costs=costs, chosen_on=VALIDATION)
    _warn(points)
    return [judged_on(point, elsewhere).model_dump(mode="json") for point in points]


def points_out_of_fold(
    table: pd.DataFrame, predictions: pd.DataFrame, costs: Costs
) -> list[dict[str, Any]]:
    """Return the operating points chosen on out-of-fold predictions.

    They have no metrics on held-out images, because all images were used to choose them;
    the performance of such points is that of the folds. Nor is any sensitivity guaranteed:
    the folds' networks answered, and the network that learnt from all rows may answer
    otherwise.
    """
    points = choose_points(_answers(table, predictions), costs=costs, chosen_on=OUT_OF_FOLD)
    _warn(points)
    return [_of_the_folds(point).model_dump(mode="json") for point in points]


def _of_the_folds(point: OperatingPoint) -> OperatingPoint:
    if not point.of_the_folds:
        return point
    method = f"{point.method}, of the folds' networks" if point.method else ""
    return point.model_copy(update={"confidence": None, "method": method})


def _warn(points: tuple[OperatingPoint, ...]) -> None:
    first, *others = points
    if first.absent:
        rest = sum(bool(point.absent) for point in others)
        more = (
            f" Of the {len(others)} others {rest} cannot be stored either." if rest else ""
        )
        log.warning("No threshold is stored %s. %s%s", first.aim, first.absent, more)


def _answers(table: pd.DataFrame, predictions: pd.DataFrame) -> Answers:
    return Answers(
        truth_of(table, predictions),
        predictions["probability"].to_numpy(np.float64),
        groups_of(predictions),
        _without_metadata(predictions),
    )


def _without_metadata(predictions: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return the probabilities of N predictions without metadata, (N,); None if absent."""
    column = f"logit{WITHOUT_METADATA}"
    if column not in predictions:
        return None
    return probability(predictions[column].to_numpy(np.float64))


def truth_of(table: pd.DataFrame, predictions: pd.DataFrame) -> np.ndarray:
    """Return for each of N predicted images whether it is melanoma, (N,) `bool`."""
    labels = table.set_index("image_id")["melanoma"]
    return predictions["image_id"].map(labels).to_numpy(bool)


def groups_of(predictions: pd.DataFrame) -> np.ndarray:
    """Return for each of N predicted images the number of its group, (N,)."""
    return pd.factorize(predictions["group_id"])[0].astype(np.intp)
