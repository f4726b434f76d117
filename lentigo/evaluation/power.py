"""How many melanomas and patients a study takes, told from the predictions of a pilot.

What the pilot's patients tell of the spread, likeness within patients included, is taken to
hold for a study of the same kind: one of k times the patients has k times less variance.
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
"""Times the pilot beyond which a wish is called out of reach."""


@dataclass(frozen=True, kw_only=True)
class Needed:
    """How large a study has to be for one wish."""

    wish: str
    """In words, such as "AUC within an interval of 0.05"."""
    times: float
    """The pilot times this; NaN where no size does."""
    melanomas: int
    """0 where no size does, as are the next two."""
    patients: int
    images: int

    def as_dict(self) -> dict[str, float | int | str]:
        """Return the numbers, ready for JSON."""
        return {
            "wish": self.wish,
            "times_the_pilot": self.times,
            "n_melanomas": self.melanomas,
            "n_groups": self.patients,
            "n_images": self.images,
        }


def for_auc_width(sample: Sample, width: float) -> Needed:
    """The study whose AUC has a 95 % interval `width` wide, from end to end.

    It is the interval of `auc_interval`, at the pilot's AUC: Obuchowski's variance (1997,
    doi:10.2307/2533958) or that of two normal distributions where it is larger, divided by
    the times that the study is the pilot.
    """
    check_pilot(sample)
    pilot = pilot_of(sample.truth, sample.score, sample.group)

    def at(times: float) -> float:
        return _width(pilot, times)

    return _needed(sample, f"AUC with an interval {width:g} wide", _search(at, width))


def for_sensitivity_width(sample: Sample, width: float, *, threshold: float) -> Needed:
    """The study whose sensitivity at `threshold` has an interval `width` wide.

    It is Wilson's interval for the effective number of melanomas (Korn & Graubard 1998), as
    `clustered_share` gives it, at the pilot's sensitivity.
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
    """The study that finds a `difference` of AUC to another model on the same images.

    `other` are its probabilities, (N,). Two-sided at `alpha`, found with the chance
    `power`; the spread is that of the paired difference in the pilot (Obuchowski 1997).
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
    """Return the variance of one image's placement at an AUC, by Hanley & McNeil 1982.

    For exponential scores, doi:10.1148/radiology.143.1.7063747: Q1 + Q2 − 2 AUC², both
    classes added, as where there are equally many of either.
    """
    return auc / (2 - auc) + 2 * auc**2 / (1 + auc) - 2 * auc**2


def images_for_two_groups(
    first: float, second: float, *, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Return the images of either class to tell two AUCs apart on different images.

    One-sided at `alpha`, as in table III of Hanley & McNeil 1982: 652 for 0.70 and 0.75
    with a power of 80 %. Without a pilot, without clusters, unpaired: a check of sizes.
    """
    one, two = hanley_mcneil_variance(first), hanley_mcneil_variance(second)
    spread = ndtri(1 - alpha) * math.sqrt(2 * one) + ndtri(power) * math.sqrt(one + two)
    return math.ceil((float(spread) / (second - first)) ** 2)


def design_effect(sample: Sample) -> float:
    """Return how many melanomas of the pilot tell as much as one of its own patient.

    At most, if those of a patient were all alike (Kish 1965).
    """
    size = np.bincount(sample.group[sample.truth]).astype(np.float64)
    return float(size.sum()) / kish(size)


def check_pilot(sample: Sample) -> None:
    """Refuse a pilot of fewer than 5 patients with a melanoma, or without, or of one score.

    Raises `DatasetError`.
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
    """Refuse what no study can have. Raises `ConfigError`."""
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
    """The times at which a falling `width` is `wished`; NaN beyond `_MOST`."""
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
