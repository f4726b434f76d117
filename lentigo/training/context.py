"""Patient context of a fold: fitted on validation images, counted in all its answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lentigo.config import Config
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.inference.calibrate import Labelled
from lentigo.inference.columns import with_columns
from lentigo.inference.context import Fitted, fit_context
from lentigo.inference.people import people_of_table
from lentigo.models.calibration import probability
from lentigo.models.context import Context, People
from lentigo.progress import log
from lentigo.tables import WITHOUT_CONTEXT, WITHOUT_METADATA
from lentigo.training.prepare import Prepared
from lentigo.training.thresholds import groups_of, truth_of
from lentigo.words import counted

_LOGIT, _BARE = "logit", f"logit{WITHOUT_METADATA}"


class Counted(NamedTuple):
    """Prediction tables with patient context, and the context itself."""

    context: Context | None
    """None if it is not asked for, or does not help."""
    chosen_on: pd.DataFrame
    """The images of the fit, each answered by a context fitted without its group."""
    judged: pd.DataFrame
    """The other images, answered by the context."""


def with_context(
    config: Config,
    work: Prepared,
    *,
    chosen_on: pd.DataFrame,
    judged: pd.DataFrame,
    name: str,
    fitted_on: str = VALIDATION,
    networks: int = 1,
) -> Counted:
    """Fit the context on `chosen_on`, and count it in both tables, if it is asked for.

    `chosen_on` and `judged` are calibrated predictions of images of `work`. An image's
    others are those of the same predictions; images that the split knows to show the same
    lesion are none. The logits as they were are in the column `logit_without_context`.
    `name` is that of the model, for messages.
    """
    if not config.model.context:
        return Counted(None, chosen_on, judged)
    mine, theirs = (_people(work, each) for each in (chosen_on, judged))
    logits = chosen_on[_LOGIT].to_numpy(np.float64)
    bare = chosen_on[_BARE].to_numpy(np.float64) if _BARE in chosen_on else None
    truth, group = truth_of(work.table, chosen_on), groups_of(chosen_on)
    images = Labelled(truth, logits, group, bare)
    found = fit_context(images, mine, fitted_on=fitted_on)
    _say(name, found)
    context = found.context and found.context.model_copy(update={"members": networks})
    untold = {} if found.untold is None else {_BARE: found.untold}
    crossed = _counted(chosen_on, found.logits, untold)
    return Counted(context, crossed, _beside_others(judged, theirs, context))


def _beside_others(
    predictions: pd.DataFrame, people: People, context: Context | None
) -> pd.DataFrame:
    """Return predictions in which each image is answered beside its patient's others."""
    logits = predictions[_LOGIT].to_numpy(np.float64)
    if context is not None:
        logits = context.apply(logits, people)
    return _counted(predictions, logits, _bare(predictions, people, context))


def described(context: Context | None) -> list[dict[str, Any]]:
    """Return the field `context` of a model folder whose networks all have this one."""
    return [context.model_dump(mode="json")] if context else []


def _people(work: Prepared, predictions: pd.DataFrame) -> People:
    """Return patients and lesions of the predicted images.

    They are joined in the whole table: images of one lesion may be joined by another.
    """
    rows = pd.Index(work.table["image_id"]).get_indexer(pd.Index(predictions["image_id"]))
    return people_of_table(work.table, work.pairs).part(rows)


def _bare(
    predictions: pd.DataFrame, people: People, context: Context | None
) -> dict[str, np.ndarray]:
    """Return the logits without metadata, with context, by column; {} without such."""
    if _BARE not in predictions or context is None:
        return {}
    return {_BARE: context.apply(predictions[_BARE].to_numpy(np.float64), people)}


def _counted(
    predictions: pd.DataFrame, logits: np.ndarray, others: dict[str, np.ndarray]
) -> pd.DataFrame:
    before = predictions[_LOGIT].to_numpy(np.float64)
    columns = {"probability": probability(logits), _LOGIT: logits, **others}
    return with_columns(predictions, columns | {f"{_LOGIT}{WITHOUT_CONTEXT}": before})


def _say(name: str, found: Fitted) -> None:
    if found.gain is None:
        log.warning(
            "%s: too few patients have several lesions, with and without melanoma, to fit "
            "a patient context on; each image is answered by itself.", name,
        )  # fmt: skip
    elif found.context is None:
        log.info(
            "%s: a patient's other lesions tell nothing more of a lesion (log loss falls "
            "by %s), so each image is answered by itself.", name, found.gain.in_words,
        )  # fmt: skip
    else:
        log.info(
            "%s: the answers count the patient's other lesions, fitted on %s (log loss "
            "falls by %s).", name, counted(found.context.n_images, "image"),
            found.gain.in_words,
        )  # fmt: skip
