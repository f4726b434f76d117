"""The consequences of calling melanoma from a threshold upwards, in clinical quantities.

Besides sensitivity and specificity: predictive values, likelihood ratios, how many lesions
are excised for one melanoma, and how many of 1,000 lesions are found, missed or false
alarms; at the share of melanoma of the judged images and, on request, at that of a clinic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from lentigo.evaluation.discrimination import BoolArray
from lentigo.evaluation.intervals import IntArray, Interval, count_groups
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.evaluation.operating_points import CallsByGroup
from lentigo.evaluation.predictive_values import predictive
from lentigo.evaluation.registry import MANY
from lentigo.evaluation.roughness import FEW
from lentigo.evaluation.shares import share_of

FIGURES = {
    "sensitivity": "share of melanomas called melanoma",
    "specificity": "share of the other images not called melanoma",
    "ppv": "share of calls that are melanoma",
    "npv": "share of images not called that are no melanoma",
    "lr_positive": "how much likelier a call is for a melanoma than for another image",
    "lr_negative": "likewise no call; the lower the better",
    "needed_to_excise": "lesions cut out for one melanoma, if all that are called are",
    "found_per_1000": "melanomas called, of 1,000 lesions",
    "missed_per_1000": "melanomas not called, of 1,000 lesions",
    "false_alarms_per_1000": "other lesions called, of 1,000 lesions",
    "left_per_1000": "other lesions not called, of 1,000 lesions",
    "net_benefit_per_1000": "melanomas found less what the false alarms weigh at this "
    "threshold, of 1,000 lesions",
}
"""The quantities computed at a threshold, called figures, and the meaning of each."""

_ROUGH_BELOW = dict.fromkeys(FIGURES, (FEW, MANY)) | {
    "sensitivity": (MANY, 0.0),
    "specificity": (0.0, MANY),
    "npv": (MANY, MANY),
    "lr_positive": (MANY, MANY),
    "lr_negative": (MANY, MANY),
}
"""The numbers of groups with a melanoma, and of groups with another image, from which an
interval is not rough (`benchmarks/coverage.py consequences`, docs/statistics.md)."""

_ROUGH_BELOW_IN_A_CLINIC = dict.fromkeys(FIGURES, (MANY, MANY)) | {
    "sensitivity": (MANY, 0.0),
    "specificity": (0.0, MANY),
    "found_per_1000": (MANY, 0.0),
    "missed_per_1000": (MANY, 0.0),
    "false_alarms_per_1000": (0.0, MANY),
    "left_per_1000": (0.0, MANY),
}
"""The same limits for figures at a requested share of melanoma (`figures_where`)."""


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """The consequences of one threshold at one share of melanoma."""

    name: str
    """`given`, `referral_3`, or the name of an operating point."""
    threshold: float
    """Melanoma is called from this probability upwards."""
    said: str
    """Where the threshold comes from, in words."""
    share: float
    """The share of melanoma among lesions that the figures are for."""
    judged: bool
    """Whether `share` is the share of melanoma among the judged images."""
    figures: Mapping[str, Interval]
    """The interval of each name in `FIGURES`; NaN where the figure is undefined."""

    @property
    def reasons(self) -> dict[str, str]:
        """Return the reason for each figure whose value or bound is NaN, by its name."""
        return {n: why for n, each in self.figures.items() if (why := _why_not(n, each))}

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, each figure with its interval, and `reasons`, for JSON."""
        return {
            "name": self.name,
            "threshold": self.threshold,
            "said": self.said,
            "prevalence": self.share,
            "at_judged_prevalence": self.judged,
            **{name: each.as_dict() for name, each in self.figures.items()},
            "reasons": self.reasons,
        }


@dataclass(frozen=True, kw_only=True)
class Called:
    """Images and which are called melanoma: `truth`, `called` and `group`, (N,) each."""

    truth: BoolArray
    called: BoolArray
    group: IntArray

    risk: float | None = None
    """The threshold, if it is a limit on the risk of melanoma: its odds are the weight of a
    false alarm in the net benefit. None for a threshold chosen otherwise, such as for a
    sensitivity of 95 %; the net benefit is then NaN."""

    def figures(self) -> dict[str, Interval]:
        """Return the figures at the share of melanoma of these images."""
        counts = self._counts
        parts = {
            "found": counts.tp,
            "missed": counts.fn,
            "false_alarms": counts.fp,
            "left": counts.tn,
        }
        every = counts.tp + counts.fn + counts.fp + counts.tn
        calls = self._calls()
        counted = {
            f"{name}_per_1000": scaled(share_of(part, every), 1000)
            for name, part in parts.items()
        }
        counted["net_benefit_per_1000"] = self._net_benefit()
        return self._marked({**_with_ratios(calls), **counted}, _ROUGH_BELOW)

    def figures_where(self, share: float) -> dict[str, Interval]:
        """Return the figures where `share` of the lesions are melanomas (Bayes' theorem).

        Sensitivity and specificity are assumed to be the same as on these images.
        """
        calls = self._calls()
        found, left = calls["sensitivity"], calls["specificity"]
        missed, alarms = rest(found), rest(left)
        calls |= {
            "ppv": predictive(share, found, alarms),
            "npv": predictive(1 - share, left, missed),
        }
        melanomas, others = 1000 * share, 1000 * (1 - share)
        weight = math.nan if self.risk is None else odds(self.risk)
        counted = {
            "found_per_1000": scaled(found, melanomas),
            "missed_per_1000": scaled(missed, melanomas),
            "false_alarms_per_1000": scaled(alarms, others),
            "left_per_1000": scaled(left, others),
            "net_benefit_per_1000": difference(
                scaled(found, melanomas), scaled(alarms, others * weight)
            ),
        }
        return self._marked({**_with_ratios(calls), **counted}, _ROUGH_BELOW_IN_A_CLINIC)

    @cached_property
    def _counts(self) -> CallsByGroup:
        return CallsByGroup.of(self.truth, self.called.astype(float), self.group, 1)

    def _calls(self) -> dict[str, Interval]:
        names = ("sensitivity", "specificity", "ppv", "npv")
        return {name: getattr(self._counts, name) for name in names}

    def _net_benefit(self) -> Interval:
        if self.risk is None:
            return Interval(math.nan)
        values = net_benefit_of_each(self.truth, self.called, self.risk)
        freedom = min(self._sides()) - 1
        within = -odds(self.risk), 1.0
        found = clustered_mean_difference(
            values, self.group, freedom=freedom, within=within
        )
        return scaled(found, 1000)

    def _sides(self) -> tuple[int, int]:
        sides = [count_groups(self.group[side]) for side in (self.truth, ~self.truth)]
        return sides[0], sides[1]

    def _marked(
        self, figures: Mapping[str, Interval], below: Mapping[str, tuple[float, float]]
    ) -> dict[str, Interval]:
        """Return the figures in the order of `FIGURES`, marked rough if groups are few.

        `below` has for each figure two numbers: of groups with a melanoma, and of groups
        with another image. With fewer than either it is rough.
        """
        melanomas, others = self._sides()
        return {
            name: replace(
                figures[name],
                rough=_has_ends(figures[name])
                and (melanomas < below[name][0] or others < below[name][1]),
            )
            for name in FIGURES
        }


def net_benefit_of_each(
    truth: BoolArray, called: BoolArray, threshold: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return each image's contribution to the net benefit (Vickers & Elkin 2006): (N,).

    1 for a melanoma that is called melanoma, minus the odds of the threshold for a false
    alarm, 0 for all other images; the mean is the net benefit. NaN for a threshold of 1,
    where a false alarm has infinite weight.
    """
    weight = odds(threshold)
    return (truth & called).astype(np.float64) - weight * (~truth & called)


def odds(threshold: float) -> float:
    """Return the odds t / (1 − t) of a threshold t, the weight of a false alarm.

    NaN for a threshold of 1.
    """
    return threshold / (1 - threshold) if threshold < 1 else math.nan


def ratio_of(part: Interval, whole: Interval) -> Interval:
    """Return `part` / `whole`, two shares of different images, such as a likelihood ratio.

    The distances to the bounds are combined on the logarithmic scale, as the root of the
    sum of squares (Zou & Donner 2008, doi:10.1002/sim.3095). Where a lower bound is 0 (an
    infinite logarithm), the bounds are `part.low` / `whole.high` and `part.high` /
    `whole.low`. The value is NaN, with that lower bound, where `whole` is 0.
    """
    if any(math.isnan(each) for each in (part.value, whole.value, part.low, whole.low)):
        return Interval(_over(part.value, whole.value))
    value = _over(part.value, whole.value)
    if min(part.low, whole.low) <= 0:
        return Interval(value, _over(part.low, whole.high), _over(part.high, whole.low))
    up = math.hypot(_log(part.high, part.value), _log(whole.value, whole.low))
    down = math.hypot(_log(part.value, part.low), _log(whole.high, whole.value))
    return Interval(value, value * math.exp(-down), value * math.exp(up))


def difference(first: Interval, second: Interval) -> Interval:
    """Return `first` − `second`, two independent shares, with an interval.

    The distances to the bounds are combined as the root of the sum of squares.
    """
    value = first.value - second.value
    low = math.hypot(first.value - first.low, second.high - second.value)
    high = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, value - low, value + high)


def scaled(interval: Interval, factor: float) -> Interval:
    """Return the interval with its value and bounds multiplied by `factor`."""
    return Interval(interval.value * factor, interval.low * factor, interval.high * factor)


def rest(interval: Interval) -> Interval:
    """Return one minus a share, with its interval."""
    return Interval(1 - interval.value, 1 - interval.high, 1 - interval.low)


def _with_ratios(calls: Mapping[str, Interval]) -> dict[str, Interval]:
    """Return `calls` with both likelihood ratios and the number needed to excise added.

    `calls` has sensitivity, specificity, PPV and NPV.
    """
    found, left, ppv = calls["sensitivity"], calls["specificity"], calls["ppv"]
    return {
        **calls,
        "lr_positive": ratio_of(found, rest(left)),
        "lr_negative": ratio_of(rest(found), left),
        "needed_to_excise": Interval(
            _over(1, ppv.value), _over(1, ppv.high), _over(1, ppv.low)
        ),
    }


def _why_not(name: str, interval: Interval) -> str:
    if math.isnan(interval.value):
        return f"{_UNDEFINED.get(name, 'there is nothing to count')}{_at_least(interval)}"
    if math.isnan(interval.low) and math.isnan(interval.high):
        return "all images are of one group, or all groups alike, which shows no spread"
    return "it may be infinite" if math.isnan(interval.high) else ""


def _at_least(interval: Interval) -> str:
    return "" if math.isnan(interval.low) else f"; it is at least {interval.low:.3g}"


_UNDEFINED = {
    "lr_positive": "no other image is called, or one of the classes is absent",
    "lr_negative": "every other image is called, or one of the classes is absent",
    "ppv": "nothing is called",
    "npv": "everything is called",
    "needed_to_excise": "no melanoma is called",
    "net_benefit_per_1000": "the threshold is no limit on the risk, or it is 1, where a "
    "false alarm weighs infinitely much",
}


def _has_ends(interval: Interval) -> bool:
    return not (math.isnan(interval.low) and math.isnan(interval.high))


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _log(above: float, below: float) -> float:
    return math.log(above / below)
