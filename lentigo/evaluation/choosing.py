"""Choose operating points on images that a model did not learn from.

They must not be the images that judge them afterwards: a threshold flatters on those that
chose it.
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
"""The shares of melanomas that a threshold is chosen for."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The costs of wrong decisions, in any unit: only their ratio counts."""

    miss: float
    """Of a melanoma that is not called."""
    excision: float
    """Of cutting out something else."""

    @property
    def threshold(self) -> float:
        """The probability from which an excision costs less than leaving the lesion."""
        return self.excision / (self.excision + self.miss)


@dataclass(frozen=True)
class Answers:
    """The answers of a model: `truth`, `probability` and `group`, (N,) each."""

    truth: BoolArray
    probability: FloatArray
    group: IntArray

    @property
    def melanomas(self) -> tuple[FloatArray, IntArray]:
        """Probabilities and groups of the melanomas, (M,) each."""
        return self.probability[self.truth], self.group[self.truth]


def choose_points(
    answers: Answers, *, costs: Costs, chosen_on: str
) -> tuple[OperatingPoint, ...]:
    """Choose all operating points; one that cannot be chosen says what it would take.

    `chosen_on` names the images, such as "validation images". Of each wished sensitivity
    there is a threshold that keeps it for sure and one that keeps it on average
    (`lentigo.evaluation.guarantee`); then Youden's (1950), the one of the costs, and that
    of the decision curve (Vickers & Elkin 2006, doi:10.1177/0272989X06295361).
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
    """Return `point` with what it reaches on other images than those that chose it."""
    if point.threshold is None:
        return point
    held_out = HeldOut(
        n_images=len(answers.truth),
        n_melanomas=int(answers.truth.sum()),
        figures=_figures(answers, point.threshold),
    )
    return point.model_copy(update={"held_out": held_out})


def measured(interval: Interval) -> Measured:
    """The same as part of a model folder, in which NaN is None."""
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
        "threshold": mean_threshold(score, group, sensitivity=wished),
        "otherwise": f"a sensitivity of {100 * wished:g} % on average takes those of "
        f"{needed_on_average(wished)} groups",
    }


def _youden(answers: Answers) -> dict[str, Any]:
    """The lowest threshold at which sensitivity and specificity add up to most."""
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
    """The probability at which the decision curve lies furthest above its alternatives.

    Net benefit is the share of melanomas found less that of false alarms, weighted by the
    odds of the threshold; the alternatives are to excise all and to excise none.
    """
    steps, found, alarms = _counts(answers)
    number, melanomas = len(answers.truth), int(answers.truth.sum())
    # Between two probabilities nothing is called anew, so the gain peaks at one of them,
    # just above one, or where the alternatives are worth the same.
    at = np.unique(np.concatenate([steps, np.nextafter(steps, 1), [melanomas / number]]))
    at = at[(at > 0) & (at < 1)]
    place = np.searchsorted(steps, at)
    tp, fp = np.append(found, 0.0)[place], np.append(alarms, 0.0)[place]
    odds = at / (1 - at)
    of_all = melanomas - (number - melanomas) * odds
    gain = tp - fp * odds - np.maximum(of_all, 0)
    return float(at[np.argmax(gain)])


def _counts(answers: Answers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct probabilities, rising; melanomas and others called from each upwards."""
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
