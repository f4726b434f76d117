"""PPV and NPV at a share of melanoma, from sensitivity and specificity."""

from __future__ import annotations

import math

from lentigo.evaluation.intervals import Interval
from lentigo.models.calibration import probability


def predictive(share: float, right: Interval, wrong: Interval) -> Interval:
    """Return the predictive value (PPV, or likewise NPV) of a call, with its interval.

    `share` of the images should be called; `right` is the share called of the images that
    should be, `wrong` the share called of those that should not (for the PPV: prevalence,
    sensitivity and 1 − specificity). It follows by Bayes' theorem; the interval combines
    the distances of these two to their bounds as the root of the sum of squares, on the
    scale of log-odds (Zou & Donner 2008, doi:10.1002/sim.3095).
    """
    value = bayes(share, right.value, wrong.value)
    ends = (right.low, right.high, wrong.low, wrong.high)
    if any(math.isnan(each) for each in (value, *ends)):
        return Interval(value)
    if min(right.value, wrong.value, right.low, wrong.low) <= 0:
        corners = (right.low, wrong.high), (right.high, wrong.low)
        low, high = (bayes(share, *corner) for corner in corners)
        return Interval(value, low, high)
    centre = math.log(right.value / wrong.value)
    down = math.hypot(math.log(right.value / right.low), math.log(wrong.high / wrong.value))
    up = math.hypot(math.log(right.high / right.value), math.log(wrong.value / wrong.low))
    odds = math.log(share / (1 - share))
    low, high = probability([odds + centre - down, odds + centre + up]).tolist()
    return Interval(value, low, high)


def bayes(share: float, right: float, wrong: float) -> float:
    """Return the predictive value from `share`, and the two shares called, as above."""
    called = share * right + (1 - share) * wrong
    return share * right / called if called > 0 else math.nan


def rest(interval: Interval) -> Interval:
    """Return 1 less a share, with its interval."""
    return Interval(1 - interval.value, 1 - interval.high, 1 - interval.low)
