"""The effect of image disturbances on predictions: AUC, flipped calls, corruption error.

The error is that of Maron et al. 2021 ("A benchmark for neural network robustness in skin
cancer classification", doi:10.1016/j.ejca.2021.06.047), who follow Hendrycks & Dietterich
2019 (arXiv:1903.12261): the balanced error, averaged over strengths and then over
disturbances. Every interval takes groups, not images, as independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lentigo.evaluation.clustered import clustered_difference
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import IntArray, Interval, count_groups
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.registry import MANY
from lentigo.evaluation.shares import clustered_share, mean_of_shares, share_of
from lentigo.evaluation.telling import tells, told

PUBLISHED_FLIPS = (0.065, 0.22)
"""Lowest and highest share of lesions with a wrong call after simple transformations, over
the test sets of Young et al. 2021 (doi:10.1038/s41746-020-00380-6)."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The effect of one disturbance at one strength on predictions of the same images."""

    n_images: int
    auc: Interval
    auc_change: Interval
    """AUC of disturbed minus that of undisturbed images; without bounds where there are too
    few groups to tell a difference, as all changes of the answers are."""
    flipped: Interval
    """Share of images whose call (melanoma or not) changed."""
    to_melanoma: Interval
    """Share of images called melanoma when disturbed, of those not called undisturbed."""
    from_melanoma: Interval
    """Share of images not called melanoma when disturbed, of those called undisturbed."""
    shift: Interval
    """Mean change of the log-odds: disturbed minus undisturbed."""
    probability_change: Interval
    """Mean change of the probability: disturbed minus undisturbed."""
    balanced_error: Interval
    """Mean of the share of melanomas missed and the share of other images called melanoma,
    for disturbed images."""
    tells: bool = True
    """Whether melanomas, and other images, are of enough groups to tell one from the other;
    see `evaluation.telling`."""


@dataclass(frozen=True)
class Answered:
    """Answers for N undisturbed images, with labels and groups.

    Each is (N,); `threshold` is one number for all.
    """

    truth: BoolArray
    group: IntArray
    """Groups count from 0."""
    logit: FloatArray
    """Predicted log-odds of melanoma."""
    threshold: float
    """Log-odds from which melanoma is called."""

    @property
    def called(self) -> BoolArray:
        """Tell for each image whether it is called melanoma, (N,)."""
        return np.asarray(self.logit >= self.threshold)


def judge_disturbed(plain: Answered, logit: FloatArray, *, alpha: float = 0.05) -> Judged:
    """Compare predictions of disturbed images with those of the undisturbed ones, `plain`.

    `logit` are the log-odds of the disturbed images, (N,), in the same order.

    Images with a NaN in either prediction (such as of a lesion that was not found) are left
    out of both. Intervals have a confidence of 95 %, those of `shift` and
    `probability_change` of 1 − `alpha`. A metric of no image is NaN.
    """
    kept = np.isfinite(logit) & np.isfinite(plain.logit)
    truth, group = plain.truth[kept], _renumbered(plain.group[kept])
    before, after = plain.logit[kept], logit[kept]
    called, now = before >= plain.threshold, after >= plain.threshold
    enough = tells(truth, group)
    return Judged(
        n_images=int(kept.sum()),
        auc=auc_interval(truth, after, group) if len(group) else Interval(math.nan),
        auc_change=told(
            _bounded(clustered_difference(truth, after, before, group)), enough=enough
        )
        if len(group)
        else Interval(math.nan),
        flipped=_share(called != now, group, np.ones_like(called)),
        to_melanoma=_share(now, group, ~called),
        from_melanoma=_share(~now, group, called),
        shift=_moved(after - before, group, alpha=alpha),
        probability_change=_bounded(
            _moved(_expit(after) - _expit(before), group, alpha=alpha)
        ),
        balanced_error=corrupted_error((now != truth)[None], truth, group),
        tells=enough,
    )


def _moved(change: FloatArray, group: IntArray, *, alpha: float) -> Interval:
    """Return the mean change of all answers, whatever their class; (N,) each."""
    groups = count_groups(group) if len(group) else 0
    found = clustered_mean_difference(
        change, group, freedom=max(groups - 1, 1), confidence=1 - alpha
    )
    return told(found, enough=groups >= FEWEST)


def corrupted_error(wrong: BoolArray, truth: BoolArray, group: IntArray) -> Interval:
    """Return the mean balanced corruption error with its interval, unadjusted.

    `wrong` is (C, N): whether the call of each of N images was wrong in each of C
    conditions (a disturbance at a strength); all disturbances need the same number of
    strengths. The error of a class is the mean over its images of the share of conditions
    in which the call was wrong; the balanced error is the mean of both classes. The
    interval of a class is that of a share of the effective number of calls (`shares`), also
    where none of them, or each, was wrong. NaN where a class is absent; no bounds with one
    group.
    """
    if not truth.any() or truth.all():
        return Interval(math.nan)
    misses, alarms = (_errors(wrong[:, side], group[side]) for side in (truth, ~truth))
    found = mean_of_shares(misses, alarms)
    return (
        _marked(found, truth, group) if count_groups(group) > 1 else Interval(found.value)
    )


def _errors(wrong: BoolArray, group: IntArray) -> Interval:
    """Return the share of wrong calls of one class; `wrong` is (C, N), `group` (N,)."""
    calls = np.full(len(group), float(len(wrong)))
    return share_of(np.bincount(group, wrong.sum(axis=0)), np.bincount(group, calls))


def relative_error(
    wrong: BoolArray, plain: BoolArray, truth: BoolArray, group: IntArray
) -> Interval:
    """Return the balanced error of disturbed minus that of undisturbed images.

    This is the "relative" error of Hendrycks & Dietterich, unadjusted. `wrong`, (C, N), is
    as in `corrupted_error`; `plain`, (N,), is whether the call of the undisturbed image was
    wrong. The interval is Student's t over groups; the half widths of the two classes are
    combined as the root of the sum of squares. Where no group of a class differs from the
    others, as if no call changed, its half width is that of a share of none (`shares`). NaN
    where a class is absent.
    """
    if not truth.any() or truth.all():
        return Interval(math.nan)
    gap = wrong.mean(axis=0) - plain
    value = (float(gap[truth].mean()) + float(gap[~truth].mean())) / 2
    reach = math.hypot(*(_half(gap[side], group[side]) for side in (truth, ~truth))) / 2
    growth = _bounded(Interval(value, value - reach, value + reach))
    return told(_marked(growth, truth, group), enough=tells(truth, group))


def _marked(found: Interval, truth: BoolArray, group: IntArray) -> Interval:
    """Return the interval, rough where either class has few groups: it is then too wide."""
    fewest = min(count_groups(group[side]) for side in (truth, ~truth))
    return replace(found, rough=fewest < MANY)


def _half(gap: FloatArray, group: IntArray) -> float:
    """Return half the width of the interval of the mean change of one class, (N,)."""
    freedom = max(count_groups(group) - 1, 1)
    found = clustered_mean_difference(gap, group, freedom=freedom)
    if not math.isnan(found.low):
        return found.high - found.value
    return clustered_share(np.zeros(len(gap), bool), group).high


def adjusted_error(errors: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Return the mean corruption error relative to that of a reference network.

    `errors` and `reference` are balanced errors on the same images, (disturbances,
    strengths). For each disturbance the errors are summed over strengths and divided by the
    sum of the reference; the result is the mean of these ratios: 1 is as bad as the
    reference (AlexNet in Maron et al. and Hendrycks & Dietterich). NaN where the reference
    makes no error in some disturbance.
    """
    below = reference.sum(axis=1)
    if not (below > 0).all():
        return math.nan
    return float((errors.sum(axis=1) / below).mean())


def any_flip(plain: Answered, logits: FloatArray) -> Interval:
    """Return the share of images whose call changes in at least one of C conditions.

    `logits`, (C, N), are the log-odds of the disturbed images; an image with NaN in one of
    the conditions is left out.
    """
    known = ~np.isnan(logits).any(axis=0)
    changed = ((logits >= plain.threshold) != plain.called).any(axis=0)
    return clustered_share(changed[known], plain.group[known])


def tied_to(
    plain: Answered, values: FloatArray, *, alpha: float = 0.05
) -> dict[bool, Interval]:
    """Measure in each class whether predictions are associated with `values`, (N,).

    `values` are a property of the images, such as the size of the file; NaN is left out.
    The result for melanomas (True) and for other images (False) is an AUC: over pairs of an
    image with a value above the median of its class and one up to the median, the share in
    which the first has the higher prediction; if no value is above the median, images with
    the highest value are compared with the rest. 0.5 is no association. NaN where all
    values are equal or none is known. The confidence of the interval is 1 − `alpha`; it has
    no bounds where either part of a class is of too few groups.
    """
    found = {}
    for label in (True, False):
        part = (plain.truth == label) & np.isfinite(values) & np.isfinite(plain.logit)
        if not part.any():
            found[label] = Interval(math.nan)
            continue
        above = values[part] > np.median(values[part])
        if not above.any():  # more than half of the images have the highest value
            above = values[part] == values[part].max()
        if above.all() or not above.any():
            found[label] = Interval(math.nan)
            continue
        group = _renumbered(plain.group[part])
        found[label] = told(
            auc_interval(above, plain.logit[part], group, confidence=1 - alpha),
            enough=tells(above, group),
        )
    return found


def _share(hit: BoolArray, group: IntArray, of: BoolArray) -> Interval:
    if not of.any():
        return Interval(math.nan)
    return clustered_share(hit[of], _renumbered(group[of]))


def _renumbered(group: IntArray) -> IntArray:
    return np.asarray(np.unique(group, return_inverse=True)[1], np.intp)


def _bounded(found: Interval) -> Interval:
    low, high = np.clip([found.low, found.high], -1.0, 1.0).tolist()
    return replace(found, low=low, high=high)


def _expit(logit: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -700, 700))))
