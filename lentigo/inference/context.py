"""Fit how a lesion's logit changes with those of the same patient's other lesions.

The fit takes images that the network did not learn from. What is chosen on these images
afterwards (thresholds, limits) takes cross-fitted answers: each image's by a context that
was fitted without its group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.inference.calibrate import FITS, Labelled, grouped_folds, loss_of
from lentigo.models.context import Context, FloatArray, Others, People, inputs_of, others_of

PENALTY = 1.0
"""Ridge penalty on the weights of inputs of unit size: a normal prior of one logit."""
_BOUNDS = ((-100.0, 100.0), (-1.0, 100.0), (0.0, 100.0))
"""Lowest and highest level, difference and oddness that a `Context` may have."""


class Fitted(NamedTuple):
    """A context, and the answers of its images by contexts that did not see their group."""

    context: Context | None
    """None if there are too few images, or if it does not help."""
    logits: FloatArray
    """Cross-fitted logits, (N,); without a context those that were given."""
    gain: Interval | None
    """How far the cross-fitted log loss of images with other lesions falls; None if there
    are too few images to fit on."""


def people_of_table(table: pd.DataFrame) -> People:
    """Return the patients and lesions of the rows of a lesion table."""
    columns = [
        [None if pd.isna(value) else str(value) for value in table[name]]
        for name in ("dataset", "patient_id", "lesion_id")
    ]
    return People.of(*columns)


def fit_context(images: Labelled, people: People, *, fitted_on: str) -> Fitted:
    """Fit a context on labelled images with calibrated logits, if it helps.

    Only images with another lesion of their patient are fitted to. It helps if the log loss
    that is cross-fitted by group falls by more than one standard error, which is computed
    over groups: the rule by which `fit_calibration` prefers the simpler method. Both sides
    of this comparison have a line (slope and intercept) of the logit fitted to the same
    images, so that a context is never kept for what a better calibration would give.
    `fitted_on` names the images, for the record. The order of the images does not matter.
    """
    others = others_of(images.logits, people)
    rows = np.flatnonzero(others.count > 0)
    judged, beside = images.part(rows), others.part(rows)
    if not len(rows) or not judged.enough:
        return Fitted(None, images.logits, None)
    crossed, lost = images.logits.copy(), np.empty(len(rows))
    for rest, left_out in grouped_folds(judged):
        away, part = judged.part(left_out), judged.part(rest)
        one = _fit(part, beside.part(rest))
        added = _added(one, away, beside.part(left_out))
        crossed[rows[left_out]] += added
        moved = replace(part, logits=part.logits + _added(one, part, beside.part(rest)))
        with_it = FITS["platt"](moved).apply(away.logits + added)
        without = FITS["platt"](part).apply(away.logits)
        lost[left_out] = loss_of(away.truth, without) - loss_of(away.truth, with_it)
    codes = np.unique(judged.group, return_inverse=True)[1].astype(np.intp)
    gain = clustered_mean_difference(lost, codes, freedom=10**6)
    if not gain.value > (gain.high - gain.value) / 1.959964:
        return Fitted(None, images.logits, gain)
    known = _fit(judged, beside).model_copy(
        update={
            "fitted_on": fitted_on,
            "n_images": len(rows),
            "n_melanomas": int(judged.truth.sum()),
            "n_groups": len(np.unique(judged.group)),
        }
    )
    return Fitted(known, crossed, gain)


def _added(context: Context, images: Labelled, others: Others) -> FloatArray:
    """Return what the context adds to the logits of N images, (N,)."""
    weights = np.array([context.level, context.difference, context.oddness])
    return np.asarray(inputs_of(images.logits, others, context.usual) @ weights)


def _fit(images: Labelled, others: Others) -> Context:
    """Fit the weights by penalised maximum likelihood; the network's logit is an offset."""
    # Of m others the mean has a variance, too: that of one lesion divided by m.
    apart = (images.logits - others.mean) ** 2 * others.count / (others.count + 1)
    usual = float(np.clip(np.sqrt(apart.mean()), 1e-6, 1e6))
    inputs = inputs_of(images.logits, others, usual)
    size = np.maximum(np.sqrt(np.mean(inputs**2, axis=0)), 1e-6)
    design = inputs / size
    bounds = [
        (low * one, high * one) for (low, high), one in zip(_BOUNDS, size, strict=True)
    ]

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        given = images.logits + design @ weights
        lost = np.logaddexp(0.0, given) - images.truth * given
        slope = design.T @ (expit(given) - images.truth) + PENALTY * weights
        return float(lost.sum() + PENALTY / 2 * weights @ weights), np.asarray(slope)

    found = minimize(
        loss, np.zeros(3), jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
    )  # fmt: skip
    level, difference, oddness = (
        float(min(max(each, low), high))
        for each, (low, high) in zip(found.x / size, _BOUNDS, strict=True)
    )
    return Context(level=level, difference=difference, oddness=oddness, usual=usual)
