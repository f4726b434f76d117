"""The decision curve: a model's net benefit at each threshold risk for an excision.

Net benefit is (true positives − odds of the threshold × false positives) / number of images
(Vickers & Elkin 2006, doi:10.1177/0272989X06295361): who excises from a risk of 3 % upwards
accepts 32 needless excisions for one melanoma.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lentigo.evaluation.consequences import net_benefit_of_each, odds
from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.sums import Sample

REFERRAL = 0.03
"""The risk of cancer from which NICE guideline NG12 (2015) asks for a referral: 3 %."""
_STEPS = 60


def shown_thresholds(prevalence: float, *, steps: int = _STEPS) -> FloatArray:
    """Return the thresholds of a decision curve, ascending from 0, `REFERRAL` among them.

    The highest is three times the share of melanoma, `prevalence`, but at least 15 % and at
    most 90 %: above it few images are called melanoma. The others divide the range into
    `steps` equal steps.
    """
    top = min(max(3 * prevalence, 0.15), 0.9)
    return np.unique(np.append(np.linspace(0, top, steps + 1), REFERRAL))


def decision_curve(sample: Sample, thresholds: FloatArray) -> pd.DataFrame:
    """Return the net benefit at each threshold with its 95 % interval, and of excising all.

    The columns are `threshold`, `called` (share of images called melanoma), `net_benefit`,
    `low`, `high` and `excise_all` (net benefit of excising every lesion). The interval
    takes groups as independent and holds for each threshold by itself, not for the whole
    curve; NaN with only one group. Thresholds are from 0 to below 1. Empty without images.
    """
    rows = []
    share = float(sample.truth.mean()) if len(sample.truth) else 0.0
    freedom = min(sides(sample)) - 1
    for at in thresholds if len(sample.truth) else ():
        called = sample.score >= at
        values = net_benefit_of_each(sample.truth, called, float(at))
        within = -odds(float(at)), 1.0
        found = clustered_mean_difference(
            values, sample.group, freedom=freedom, within=within
        )
        of_all = share - (1 - share) * odds(float(at))
        rows.append((at, float(called.mean()), found.value, found.low, found.high, of_all))
    names = ["threshold", "called", "net_benefit", "low", "high", "excise_all"]
    return pd.DataFrame(rows, columns=names)
