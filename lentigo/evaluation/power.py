"""The number of melanomas and patients that a study needs, from the predictions of a pilot.

The variance that the pilot shows, with the correlation within patients, is assumed to hold
for the study: k times as many patients give a k times smaller variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from lentigo.errors import ConfigError, DatasetError
from lentigo.evaluation.clustered import estimated_difference
from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.ranking import Pilot, pilot_of
from lentigo.evaluation.shares import effective_number, kish, share_counting
from lentigo.evaluation.sums import Sample
from lentigo.words import counted

_MOST = 1e6
"""A study of more than this many times the pilot is reported as out of reach."""


@dataclass(frozen=True, kw_only=True)
class Needed:
    """The size of a study for one requested precision or power (a wish)."""

    wish: str
    """The request in words, such as "AUC within an interval of 0.05"."""
    times: float
    """Size of the study divided by that of the pilot; NaN where no size is enough."""
    melanomas: int
    """`melanomas`, `patients` (groups) and `images` are 0 where no size is enough."""
    patients: int
    images: int

    def as_dict(self) -> dict[str, float | int | str]:
        """Return the request and the size of the study, for JSON."""
        return {
            "wish": self.wish,
            "times_the_pilot": self.times,
            "n_melanomas": self.melanomas,
            "n_groups": self.patients,
            "n_images": self.images,
        }


def for_auc_width(sample: Sample, width: float) -> Needed:
    """Return the study whose AUC has a 95 % interval `width` wide, from bound to bound.

    The interval is that of `auc_interval` at the pilot's AUC. Its variance is Obuchowski's
    (1997, doi:10.2307/2533958), or that of two normal distributions where this is larger,
    divided by the ratio of the study's size to the pilot's. Raises `DatasetError` as
    `check_pilot` does.
    """
    check_pilot(sample)
    pilot = pilot_of(sample.truth, sample.score, sample.group)

    def at(times: float) -> float:
        return _width(pilot, times)

    return _needed(sample, f"AUC with an interval {width:g} wide", _search(at, width))


def for_sensitivity_width(sample: Sample, width: float, *, threshold: float) -> Needed:
    """Return the study whose sensitivity at `threshold` has an interval `width` wide.

    The interval is Wilson's for the effective number of melanomas (Korn & Graubard 1998),
    as in `clustered_share`, at the pilot's sensitivity. Raises `DatasetError` as
    `check_pilot` does.
    """
    check_pilot(sample)
    group = sample.group[sample.truth]
    hits = (sample.score[sample.truth] >= threshold).astype(np.float64)
    found = np.bincount(group, hits).astype(np.float64)
    of = np.bincount(group).astype(np.float64)
    there = of > 0
    worth = effective_number(found[there], of[there])
    value = float(hits.mean())

    def at(times: float) -> float:
        groups = round(times * int(there.sum()))
        interval = share_counting(value, times * worth, groups=groups)
        return interval.high - interval.low

    wish = f"sensitivity at {threshold:g} with an interval {width:g} wide"
    return _needed(sample, wish, _search(at, width))


def for_difference(
    sample: Sample,
    other: FloatArray,
    difference: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
) -> Needed:
    """Return the study that shows a `difference` of AUC between two models.

    Both predict the same images; `other` are the probabilities of the second model, (N,).
    The test is two-sided at `alpha` and has the power `power`. The standard error is that
    of the paired difference in the pilot (Obuchowski 1997). Raises `DatasetError` as
    `check_pilot` does, and when the two models rank the images alike.
    """
    check_pilot(sample)
    pilot = estimated_difference(sample.truth, sample.score, other, sample.group)
    if math.isnan(pilot.error):
        raise DatasetError(
            "The two models rank the pilot's images alike, which shows no spread of their "
            "difference. Give the predictions of two models that differ."
        )
    quantiles = float(ndtri(1 - alpha / 2) + ndtri(power))
    times = (quantiles * pilot.error / difference) ** 2
    wish = f"difference of {difference:g} in AUC found with {100 * power:g} % chance"
    return _needed(sample, wish, times)


def hanley_mcneil_variance(auc: float) -> float:
    """Return Q1 + Q2 − 2 AUC² (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    Divided by the number of images of each class, it is nearly the variance of the AUC
    with equally many images of both classes, for exponentially distributed scores.
    """
    return auc / (2 - auc) + 2 * auc**2 / (1 + auc) - 2 * auc**2


def images_for_two_groups(
    first: float, second: float, *, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Return the images needed in each class to show a difference of two unpaired AUCs.

    The AUCs, `first` and `second`, are of different images; the test is one-sided at
    `alpha`. For 0.70 and 0.75 with a power of 80 % it returns 653 (652.9 rounded up); table
    III of Hanley & McNeil 1982 has 652. It needs no pilot and ignores groups, so it serves
    to check other sizes.
    """
    one, two = hanley_mcneil_variance(first), hanley_mcneil_variance(second)
    spread = ndtri(1 - alpha) * math.sqrt(2 * one) + ndtri(power) * math.sqrt(one + two)
    return math.ceil((float(spread) / (second - first)) ** 2)


def design_effect(sample: Sample) -> float:
    """Return the design effect of the pilot: melanomas / effective number of melanomas.

    It is the largest possible one, for identical melanomas within a patient (Kish 1965).
    """
    size = np.bincount(sample.group[sample.truth]).astype(np.float64)
    return float(size.sum()) / kish(size)


def check_pilot(sample: Sample) -> None:
    """Raise `DatasetError` if the pilot is too small or has one score for all images.

    It needs 5 groups with a melanoma and 5 groups with another image.
    """
    with_melanoma, without = sides(sample)
    if min(with_melanoma, without) < FEWEST:
        raise DatasetError(
            f"The pilot has melanomas of {counted(with_melanoma, 'group')} and other "
            f"images of {counted(without, 'group')}; it takes {FEWEST} of either to know "
            "their spread."
        )
    if sample.score.min() == sample.score.max():
        raise DatasetError(
            f"All images of the pilot have the probability {sample.score[0]:g}, which "
            "shows no spread. Give the predictions of a model that ranks them."
        )


def check_wishes(widths: Sequence[float], difference: float | None, power: float) -> None:
    """Raise `ConfigError` if a width or difference is outside 0–1, or power outside 0.05–1.

    The bounds themselves are not allowed.
    """
    for each in (*widths, *([] if difference is None else [difference])):
        if not 0 < each < 1:
            raise ConfigError(
                f"A width or difference is {each:g}; give one between 0 and 1."
            )
    if not 0.05 < power < 1:
        raise ConfigError(f"The power is {power:g}; give one between 0.05 and 1, as 0.8.")


def _width(pilot: Pilot, times: float) -> float:
    found: Interval = pilot.larger(times)
    return found.high - found.low


def _search(width: Callable[[float], float], wished: float) -> float:
    """Return the size ratio where the decreasing `width` is `wished`; NaN above `_MOST`."""
    if width(_MOST) > wished:
        return math.nan
    if width(1 / _MOST) < wished:
        return 1 / _MOST
    exponent = brentq(
        lambda power: width(10.0**power) - wished, -math.log10(_MOST), math.log10(_MOST),
        xtol=1e-4,
    )  # fmt: skip
    return float(10.0**exponent)


def _needed(sample: Sample, wish: str, times: float) -> Needed:
    known = not math.isnan(times)
    numbers = (int(sample.truth.sum()), sample.groups, len(sample.truth))
    melanomas, patients, images = (
        math.ceil(each * times - 1e-9) if known else 0 for each in numbers
    )
    return Needed(
        wish=wish, times=times, melanomas=melanomas, patients=patients, images=images
    )
