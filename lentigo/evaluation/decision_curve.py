"""The decision curve: what a model is worth at each share of risk that asks for excision.

Net benefit is the share of melanomas found, less that of false alarms weighed by the odds
of the threshold (Vickers & Elkin 2006, doi:10.1177/0272989X06295361): who excises from a
risk of 3 % upwards takes 32 needless excisions for one melanoma.
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
"""The risk from which suspected cancer is to be referred: NICE guideline NG12 (2015) asks
for it from 3 % upwards."""
_STEPS = 60


def shown_thresholds(prevalence: float, *, steps: int = _STEPS) -> FloatArray:
    """Return the thresholds of a decision curve, `REFERRAL` among them, from 0 upwards.

    They reach to three times the share of melanoma, to 15 % at least and 90 % at most:
    further on little is called.
    """
    top = min(max(3 * prevalence, 0.15), 0.9)
    return np.unique(np.append(np.linspace(0, top, steps + 1), REFERRAL))


def decision_curve(sample: Sample, thresholds: FloatArray) -> pd.DataFrame:
    """Return the net benefit at each threshold with its 95 % interval, and of excising all.

    The columns are `threshold`, `called` (share of the images), `net_benefit`, `low`,
    `high`, `excise_all`. The interval is that of a mean over groups, threshold by threshold
    and not for the whole curve; NaN where there is but one group. Thresholds lie in 0–1, 1
    left out. Empty for no image.
    """
    rows = []
    share = float(sample.truth.mean()) if len(sample.truth) else 0.0
    freedom = min(sides(sample)) - 1
    for at in thresholds if len(sample.truth) else ():
        called = sample.score >= at
        values = net_benefit_of_each(sample.truth, called, float(at))
        found = clustered_mean_difference(values, sample.group, freedom=freedom)
        of_all = share - (1 - share) * odds(float(at))
        rows.append((at, float(called.mean()), found.value, found.low, found.high, of_all))
    names = ["threshold", "called", "net_benefit", "low", "high", "excise_all"]
    return pd.DataFrame(rows, columns=names)
