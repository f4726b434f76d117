"""Evaluate predictions at a requested share of melanoma, such as that of a clinic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from lentigo.errors import ConfigError
from lentigo.evaluation.calibration import without_certainty
from lentigo.evaluation.chosen import chosen_at_sensitivity
from lentigo.evaluation.intervals import FloatArray, Interval, count_groups
from lentigo.evaluation.operating_points import at_threshold
from lentigo.evaluation.predictive_values import predictive, rest
from lentigo.evaluation.registry import MANY
from lentigo.evaluation.roughness import marked
from lentigo.evaluation.sums import Sample
from lentigo.models.calibration import TIED, on_threshold, probability, shift_prevalence

PREVALENCE = "prevalence"
"""Column of a prediction table: the share of melanoma that its probabilities are for."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The shares of melanoma in an evaluation at a requested share (`asked_for`)."""

    asked_for: float
    """The requested share, such as that of a clinic."""
    meant_for: float
    """The share that the probabilities of the predictions are meant for."""
    judged: float
    """The share among the judged images."""
    said: bool
    """Whether the predictions state `meant_for` in a column; otherwise it is assumed to be
    the share among the judged images."""

    def as_dict(self) -> dict[str, float | bool]:
        """Return the fields by name, for JSON."""
        return {
            "asked_for": self.asked_for, "meant_for": self.meant_for,
            "judged": self.judged, "said": self.said,
        }  # fmt: skip

    @property
    def note(self) -> str:
        """Return sentences on which metrics are at the requested share, and which not."""
        source = "as they say" if self.said else "taken from the judged images"
        return (
            f"Calls, PPV and NPV are for {100 * self.asked_for:.3g} % melanomas; the "
            f"probabilities are meant for {100 * self.meant_for:.3g} % ({source}). All "
            "else, such as average precision, Brier score and calibration, is at the share "
            f"among the judged images, {100 * self.judged:.3g} %."
        )


def equal_threshold(
    threshold: float, shares: Asked | None, score: FloatArray | None = None
) -> float:
    """Return the threshold on original probabilities that equals `threshold`.

    `threshold` is for probabilities recalculated for the requested share of melanoma. A
    probability of `score`, (N,), that equals the result but for rounding is returned
    instead, so that a call on the threshold is no matter of rounding. Without `shares`, or
    where these are equal, `threshold` is returned.
    """
    if shares is None or threshold in {0, 1} or shares.asked_for == shares.meant_for:
        return threshold
    there = shift_prevalence(logit(threshold), shares.asked_for, shares.meant_for)
    found = float(probability(there))
    if score is None or not len(score):
        return found
    nearest = float(score[np.argmin(np.abs(score - found))])
    tied = 0 < nearest < 1 and abs(logit(nearest) - there) <= TIED
    return nearest if tied else found


def in_words(
    threshold: float, shares: Asked | None, score: FloatArray | None = None
) -> str:
    """Return the threshold on the probabilities as given, in words.

    Where `equal_threshold` moves it, the result is such as "0.896 (0.5 at 2 % melanomas)".
    """
    at = equal_threshold(threshold, shares, score)
    if shares is None or at == threshold:
        return f"{threshold:g}"
    return f"{at:.3g} ({threshold:g} at {100 * shares.asked_for:.3g} % melanomas)"


def asked_share(
    predictions: pd.DataFrame, sample: Sample, prevalence: float | None
) -> Asked | None:
    """Return the shares of melanoma of an evaluation; None if `prevalence` is None.

    `prevalence` is the requested share; `sample`, the judged images, gives their own share.
    The share that the probabilities are meant for is that in the column `prevalence` of
    `predictions`, the judged rows. Without this column, or if its values differ or are
    missing, it is taken to be that of the judged images.

    Raises `ConfigError` when the share that they are meant for is 0 or 1, as when it is
    taken from judged images of one class.
    """
    if prevalence is None:
        return None
    column = predictions.get(PREVALENCE)
    found = None if column is None else pd.to_numeric(column, errors="coerce")
    said = bool(found is not None and found.notna().all() and float(np.ptp(found)) < 1e-9)
    judged = float(sample.truth.mean()) if len(sample.truth) else math.nan
    meant = float(found.iloc[0]) if said and found is not None else judged
    if not 0 < meant < 1:
        raise ConfigError(_unusable(column, meant, said=said))
    return Asked(asked_for=prevalence, meant_for=meant, judged=judged, said=said)


def _unusable(column: pd.Series[Any] | None, meant: float, *, said: bool) -> str:
    """Return the error message for probabilities meant for no share between 0 and 1."""
    if said:
        return (
            f"The predictions are meant for a share of melanoma of {meant:g}, by their "
            f"column {PREVALENCE}; a share lies between 0 and 1. Correct the column."
        )
    states = "have no" if column is None else "have several or missing values in their"
    return (
        "For which share of melanoma the predictions are meant is not known: they "
        f"{states} column {PREVALENCE}, and the judged images are of one class. Evaluate "
        "without a prevalence."
    )


def moved(score: FloatArray, asked: Asked, thresholds: Sequence[float] = ()) -> FloatArray:
    """Return `score`, (N,), recalculated for the requested share; 0 and 1 do not change.

    The logits move by the difference of the log-odds of `asked.asked_for` and
    `asked.meant_for`; where these are equal nothing changes. A result that equals one of
    `thresholds` but for rounding is set to it.
    """
    if asked.asked_for == asked.meant_for:
        return score
    logits = logit(without_certainty(score))
    there = shift_prevalence(logits, asked.meant_for, asked.asked_for)
    found = probability(there)
    for threshold in thresholds:
        found = np.where(on_threshold(there, threshold), threshold, found)
    return np.where((score > 0) & (score < 1), found, score)


def at_asked_share(
    found: Mapping[str, Interval],
    sample: Sample,
    asked: Asked,
    *,
    threshold: float,
    as_given: FloatArray,
) -> dict[str, Interval]:
    """Return `found` with the metrics at `threshold` replaced by those at the asked share.

    So are PPV and NPV at a threshold that was chosen on the images themselves, which are
    always rough. `sample` has the recalculated probabilities (`moved`), `as_given`, (N,),
    the original ones. Those of a given threshold are rough as those of `consequences`,
    below `MANY` groups of either class.
    """
    calls = at_threshold(sample.truth, sample.score, sample.group, threshold=threshold)
    missed, alarms = rest(calls["sensitivity"]), rest(calls["specificity"])
    share = asked.asked_for
    calls["ppv"] = predictive(share, calls["sensitivity"], alarms)
    calls["npv"] = predictive(1 - share, calls["specificity"], missed)
    truth, group = sample.truth, sample.group
    with_melanoma, without = (count_groups(group[side]) for side in (truth, ~truth))
    few = {"ppv", "npv"} if min(with_melanoma, without) < MANY else set()
    calls = {name: replace(each, rough=name in few) for name, each in calls.items()}
    known = marked(calls, with_melanoma=with_melanoma, without=without)
    at_chosen = chosen_at_sensitivity(truth, as_given, group, share=share)
    known |= {
        name: replace(each, rough=True)
        for name, each in at_chosen.items()
        if name[:3] in calls
    }
    return {name: known.get(name, each) for name, each in found.items()}
