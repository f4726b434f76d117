"""Choose operating points on images that a model did not learn from.

These must not be the images that the points are judged on afterwards: on the images it was
chosen on, a threshold looks better than it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.guarantee import (
    CONFIDENCE,
    effective_melanomas,
    guaranteed_threshold,
    mean_threshold,
    needed_for_sure,
    needed_on_average,
)
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.operating_points import at_threshold
from lentigo.models.facts import Measured
from lentigo.models.operating_point import HeldOut, OperatingPoint
from lentigo.words import counted

WISHED = (0.95, 0.90)
"""The sensitivities for which thresholds are chosen."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The costs of wrong decisions, in any unit: only their ratio counts."""

    miss: float
    """Cost of a melanoma that is not called melanoma."""
    excision: float
    """Cost of excising a lesion that is not melanoma."""

    @property
    def threshold(self) -> float:
        """The probability of melanoma above which excising costs less than not excising."""
        return self.excision / (self.excision + self.miss)


@dataclass(frozen=True)
class Answers:
    """Labels, probabilities of melanoma and groups (integers from 0), (N,) each."""

    truth: BoolArray
    probability: FloatArray
    group: IntArray
    without_metadata: FloatArray | None = None
    """Probabilities when age, sex and site are not told, (N,); None for a model that does
    not take them."""

    @property
    def melanomas(self) -> tuple[FloatArray, IntArray]:
        """Probabilities and groups of the M melanomas, (M,) each.

        If a melanoma is answered with and without age, sex and site, the lower probability
        counts: a threshold that finds it by that one finds it by both.
        """
        score = self.probability
        if self.without_metadata is not None:
            score = np.minimum(score, self.without_metadata)
        return score[self.truth], self.group[self.truth]


def choose_points(
    answers: Answers, *, costs: Costs, chosen_on: str
) -> tuple[OperatingPoint, ...]:
    """Choose all operating points on the images of `answers`.

    `chosen_on` names these images, such as "validation images". For each sensitivity of
    `WISHED` there is a threshold that reaches it with 95 % confidence and one that reaches
    it on average (`lentigo.evaluation.guarantee`), with and without age, sex and site if
    `answers` has both. Three further thresholds have the
    largest Youden index (1950), the lowest expected `costs`, and the largest gain in net
    benefit (decision curve, Vickers & Elkin 2006, doi:10.1177/0272989X06295361). Where
    there are too few images to choose one, its threshold is None and `absent` says why.
    """
    facts: dict[str, Any] = {
        "chosen_on": chosen_on,
        "n_images": len(answers.truth),
        "n_melanomas": int(answers.truth.sum()),
        "n_groups": len(np.unique(answers.group[answers.truth])),
    }
    drafts = [
        *(make(answers, wished) for wished in WISHED for make in (_for_sure, _on_average)),
        _youden(answers),
        _from_costs(answers, costs),
        _decision_curve(answers),
    ]
    return tuple(_point(answers, draft, facts) for draft in drafts)


def judged_on(point: OperatingPoint, answers: Answers) -> OperatingPoint:
    """Return `point` with its metrics on the images of `answers` as `held_out`.

    `answers` are other images than `point` was chosen on. A point without a threshold is
    returned unchanged.
    """
    if point.threshold is None:
        return point
    held_out = HeldOut(
        n_images=len(answers.truth),
        n_melanomas=int(answers.truth.sum()),
        figures=_figures(answers, point.threshold),
    )
    return point.model_copy(update={"held_out": held_out})


def measured(interval: Interval) -> Measured:
    """Return `interval` as it is stored in a model folder, with None for NaN."""
    ends = (interval.value, interval.low, interval.high)
    value, low, high = (None if math.isnan(end) else end for end in ends)
    return Measured(value=value, low=low, high=high)


def _point(
    answers: Answers, draft: dict[str, Any], facts: dict[str, Any]
) -> OperatingPoint:
    threshold, reason = draft.pop("threshold"), draft.pop("otherwise")
    if math.isnan(threshold):
        why = f"The {facts['chosen_on']} hold {_held(answers)}: {reason}."
        return OperatingPoint(**draft, **facts, absent=why)
    reached = _figures(answers, threshold)
    return OperatingPoint(**draft, **facts, threshold=threshold, reached=reached)


def _held(answers: Answers) -> str:
    melanomas = int(answers.truth.sum())
    groups = len(np.unique(answers.group[answers.truth]))
    of = f" of {counted(groups, 'group')}" if groups != melanomas else ""
    return f"{counted(melanomas, 'melanoma')}{of}"


def _figures(answers: Answers, threshold: float) -> dict[str, Measured]:
    truth, score = answers.truth, answers.probability
    found = at_threshold(truth, score, answers.group, threshold=threshold)
    return {name: measured(interval) for name, interval in found.items()}


def _for_sure(answers: Answers, wished: float) -> dict[str, Any]:
    score, group = answers.melanomas
    needed = needed_for_sure(wished)
    single = len(np.unique(group)) == len(group)
    counts = f", and these count for {effective_melanomas(group):.0f}" if len(group) else ""
    return {
        "name": f"sensitivity_{100 * wished:g}",
        "kind": "guaranteed_sensitivity",
        "sensitivity": wished,
        "confidence": CONFIDENCE,
        "method": "learn then test, exact binomial bound of single images"
        if single
        else "learn then test over groups, binomial bound of their effective number",
        "without_metadata": answers.without_metadata is not None,
        "threshold": guaranteed_threshold(score, group, sensitivity=wished),
        "otherwise": f"a sensitivity of {100 * wished:g} % that is guaranteed with "
        f"{100 * CONFIDENCE:g} % confidence takes {needed} independent ones"
        f"{'' if single else counts}",
    }


def _on_average(answers: Answers, wished: float) -> dict[str, Any]:
    score, group = answers.melanomas
    return {
        "name": f"mean_sensitivity_{100 * wished:g}",
        "kind": "mean_sensitivity",
        "sensitivity": wished,
        "method": "conformal risk control over groups",
        "without_metadata": answers.without_metadata is not None,
        "threshold": mean_threshold(score, group, sensitivity=wished),
        "otherwise": f"a sensitivity of {100 * wished:g} % on average takes those of "
        f"{needed_on_average(wished)} groups",
    }


def _youden(answers: Answers) -> dict[str, Any]:
    """Draft the lowest threshold at which sensitivity + specificity is largest."""
    steps, found, alarms = _counts(answers)
    threshold = math.nan
    if _enough(answers):
        index = found / answers.truth.sum() - alarms / (~answers.truth).sum()
        threshold = float(steps[np.argmax(index >= index.max() - 1e-12)])
    return {
        "name": "youden",
        "kind": "youden",
        "method": "largest Youden index",
        "threshold": threshold,
        "otherwise": _TOO_FEW,
    }


def _from_costs(answers: Answers, costs: Costs) -> dict[str, Any]:
    return {
        "name": "cost",
        "kind": "cost",
        "cost_miss": costs.miss,
        "cost_excision": costs.excision,
        "method": "least expected cost for a calibrated probability",
        "threshold": costs.threshold if _enough(answers) else math.nan,
        "otherwise": _TOO_FEW,
    }


def _decision_curve(answers: Answers) -> dict[str, Any]:
    return {
        "name": "decision_curve",
        "kind": "decision_curve",
        "method": "largest gain in net benefit over excising all and none",
        "threshold": most_gained(answers) if _enough(answers) else math.nan,
        "otherwise": _TOO_FEW,
    }


def most_gained(answers: Answers) -> float:
    """Return the threshold at which the net benefit most exceeds that of both alternatives.

    The alternatives are to excise all lesions and to excise none. Net benefit is (true
    positives − odds of the threshold × false positives) / number of images.
    """
    steps, found, alarms = _counts(answers)
    number, melanomas = len(answers.truth), int(answers.truth.sum())
    # Calls do not change between two probabilities, so the gain is largest at one of them,
    # just above one, or where both alternatives have the same net benefit.
    at = np.unique(np.concatenate([steps, np.nextafter(steps, 1), [melanomas / number]]))
    at = at[(at > 0) & (at < 1)]
    place = np.searchsorted(steps, at)
    tp, fp = np.append(found, 0.0)[place], np.append(alarms, 0.0)[place]
    odds = at / (1 - at)
    of_all = melanomas - (number - melanomas) * odds
    gain = tp - fp * odds - np.maximum(of_all, 0)
    return float(at[np.argmax(gain)])


def _counts(answers: Answers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the distinct probabilities, ascending, with true and false positives at each.

    All three are (K,), K the number of distinct probabilities.
    """
    steps, place = np.unique(answers.probability, return_inverse=True)
    found, alarms = (
        np.cumsum(np.bincount(place[side], minlength=len(steps))[::-1])[::-1]
        for side in (answers.truth, ~answers.truth)
    )
    return steps, found.astype(np.float64), alarms.astype(np.float64)


def _enough(answers: Answers) -> bool:
    melanomas = int(answers.truth.sum())
    return FEWEST <= melanomas < len(answers.truth)


_TOO_FEW = f"a threshold takes {FEWEST}, and images without a melanoma"
