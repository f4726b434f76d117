"""Fit how a lesion's logit changes with those of the same patient's other lesions.

The fit takes images that the network did not learn from. What is chosen on these images
afterwards (thresholds, limits) takes cross-fitted answers: each image's by a context that
was fitted without its group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.inference.calibrate import FITS, Labelled, grouped_folds, loss_of
from lentigo.models.context import Context, FloatArray, Others, People, inputs_of, others_of

PENALTY = 1.0
"""Ridge penalty on the weights of inputs of unit size: a normal prior of one logit."""
ERRORS = 2.0
"""Standard errors by which the log loss has to fall. One, by which `fit_calibration`
prefers the simpler method, would keep a context that is chance alone in one of ten
draws; the default here is the network's own answer, which needs no reason."""
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
    untold: FloatArray | None = None
    """Cross-fitted logits without age, sex and site, (N,), if a context was fitted and
    `Labelled.untold` was given."""


def fit_context(images: Labelled, people: People, *, fitted_on: str) -> Fitted:
    """Fit a context on labelled images with calibrated logits, if it helps.

    Only images with another lesion of their patient are fitted to. It helps if the log loss
    that is cross-fitted by group falls by more than `ERRORS` standard errors, which are
    computed over groups. Both sides of this comparison have a line (slope and intercept) of
    the logit fitted to the same images, so that a context is never kept for what a better
    calibration would give. The log loss of the answers themselves, without such a line,
    has to fall, too. `fitted_on` names the images, for the record. The order of the images
    does not matter. It is fitted on the answers with age, sex and site.
    """
    others = others_of(images.logits, people)
    rows = np.flatnonzero(others.count > 0)
    judged, beside = images.part(rows), others.part(rows)
    if not len(rows) or not judged.enough:
        return Fitted(None, images.logits, None)
    answers, lost, contexts = _cross_fitted(judged, beside)
    codes = np.unique(judged.group, return_inverse=True)[1].astype(np.intp)
    gain = clustered_mean_difference(lost, codes, freedom=10**6)
    served = loss_of(judged.truth, judged.logits) - loss_of(judged.truth, answers)
    least = ERRORS * (gain.high - gain.value) / 1.959964
    if not (gain.value > least and served.mean() > 0):
        return Fitted(None, images.logits, gain)
    told = {
        "fitted_on": fitted_on,
        "n_images": len(rows),
        "n_melanomas": int(judged.truth.sum()),
        "n_groups": len(np.unique(judged.group)),
    }
    crossed = images.logits.copy()
    crossed[rows] = answers
    untold = None
    if images.untold is not None:
        untold = images.untold.copy()
        for one, own in contexts:
            untold[rows[own]] = one.apply(images.untold, people)[rows[own]]
    whole = _fit(judged, beside).model_copy(update=told)
    return Fitted(whole, crossed, gain, untold)


def _cross_fitted(
    images: Labelled, others: Others
) -> tuple[FloatArray, FloatArray, list[tuple[Context, np.ndarray]]]:
    """Return answers of N images by contexts without their group, and the loss they save.

    What is saved, (N,), is in nats, with a line of the logit fitted on both sides. The
    third value are the contexts, each with the positions of the images left out of its fit.
    """
    answers, saved = np.empty(len(images.logits)), np.empty(len(images.logits))
    contexts = []
    for rest, left_out in grouped_folds(images):
        away, part = images.part(left_out), images.part(rest)
        one = _fit(part, others.part(rest))
        contexts.append((one, left_out))
        answers[left_out] = away.logits + _added(one, away, others.part(left_out))
        moved = replace(part, logits=part.logits + _added(one, part, others.part(rest)))
        with_it = FITS["platt"](moved).apply(answers[left_out])
        without = FITS["platt"](part).apply(away.logits)
        saved[left_out] = loss_of(away.truth, without) - loss_of(away.truth, with_it)
    return answers, saved, contexts


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
