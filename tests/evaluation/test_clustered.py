"""The AUC's interval without resampling, against DeLong, scikit-learn and resampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from lentigo.evaluation.clustered import (
    clustered_auc,
    estimated_difference,
    obuchowski_variance,
)
from lentigo.evaluation.discrimination import delong_variance, placements
from lentigo.evaluation.intervals import Interval, clustered_bootstrap, each_alone
from lentigo.evaluation.means import clustered_error
from lentigo.evaluation.ranking import worth
from lentigo.evaluation.sums import Ranking, Sample


def draw(
    groups: int, images: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, score and group: half of both belongs to the group, scores are rounded."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), images)
    truth = np.where(
        rng.random(len(group)) < 0.5,
        (rng.random(groups) < 0.3)[group],
        rng.random(len(group)) < 0.3,
    )
    noise = rng.normal(size=groups)[group] + rng.normal(size=len(group))
    return truth, np.round(noise + truth, 1), group


def variance_of(interval: Interval, fewest: int) -> float:
    """The variance that an interval on the logit scale with Student's t came from."""
    low, high = (math.log(end / (1 - end)) for end in (interval.low, interval.high))
    slope = interval.value * (1 - interval.value)
    return float(((high - low) / 2 / student.ppf(0.975, fewest - 1) * slope) ** 2)


def test_the_value_is_scikit_learns() -> None:
    truth, score, group = draw(50, 4)
    found = clustered_auc(truth, score, group)
    assert found.value == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert found.low < found.value < found.high


def test_images_of_their_own_have_the_variance_of_delong() -> None:
    truth, score, _ = draw(300, 1)
    found = clustered_auc(truth, score, np.arange(300))
    fewest = min(truth.sum(), (~truth).sum())
    # DeLong divides by n - 1 in each class, and has no covariance of the two.
    assert variance_of(found, fewest) == pytest.approx(delong_variance(truth, score))


def test_images_that_come_three_times_tell_no_more_than_once() -> None:
    truth, score, _ = draw(300, 1)
    once = clustered_auc(truth, score, np.arange(300))
    thrice = clustered_auc(*(np.repeat(each, 3) for each in (truth, score, np.arange(300))))
    assert thrice.low == pytest.approx(once.low)
    assert thrice.high == pytest.approx(once.high)


@pytest.mark.parametrize(("groups", "images"), [(200, 5), (1000, 2), (60, 20)])
def test_it_is_the_interval_that_resampling_whole_groups_gives(
    groups: int, images: int
) -> None:
    truth, score, group = draw(groups, images)
    found = clustered_auc(truth, score, group)
    sample = Ranking(Sample(truth, score, group, groups))
    drawn = clustered_bootstrap([sample], groups=groups, repeats=4000)["auc"]
    width = drawn.high - drawn.low
    assert found.low == pytest.approx(drawn.low, abs=0.1 * width)
    assert found.high == pytest.approx(drawn.high, abs=0.1 * width)


def test_a_score_that_is_nearly_always_0_has_the_interval_of_resampling() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(2000) < 0.2
    score = np.where(rng.random(2000) < np.where(truth, 0.01, 0.08), rng.random(2000), 0)
    group = np.arange(2000) // 2
    found = clustered_auc(truth, score, group)
    sample = Ranking(Sample(truth, score, group, 1000))
    drawn = clustered_bootstrap([sample], groups=1000, repeats=4000)["auc"]
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.003)


@pytest.mark.parametrize(
    ("truth", "score", "group", "value"),
    [
        ([1, 1, 1], [1, 2, 3], [0, 1, 2], math.nan),  # nothing to compare with
        ([1, 1, 0, 0], [3, 4, 1, 2], [0, 1, 2, 3], 1.0),  # no spread, and no certainty
        ([1, 1, 0, 0], [1, 4, 1, 2], [0, 0, 1, 2], (0.5 + 0 + 1 + 1) / 4),  # one group
        ([1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 2, 3], 0.5),  # all alike
    ],
)
def test_where_nothing_is_known_of_the_spread_there_are_no_bounds(
    truth: list[int], score: list[float], group: list[int], value: float
) -> None:
    found = clustered_auc(np.array(truth, bool), np.array(score, float), np.array(group))
    assert found.value == pytest.approx(value, nan_ok=True)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_two_groups_of_a_class_give_bounds_within_0_and_1() -> None:
    truth = np.array([1, 1, 0, 0, 0], bool)
    found = clustered_auc(truth, np.array([1.0, 9, 2, 8, 0]), np.array([0, 1, 2, 3, 4]))
    assert 0 <= found.low < found.value < found.high <= 1


def test_scores_of_one_ranking_are_not_worse_as_far_as_the_groups_can_tell() -> None:
    truth, score, _ = draw(30, 2)
    group = np.arange(len(truth))
    rarer = min(truth.sum(), (~truth).sum())
    same = estimated_difference(truth, score, 2 * score + 1, group)
    assert same.value == 0
    assert math.isnan(same.error)
    # Were a share of 0.1 ranked differently, no image would show it by this chance.
    assert same.chance_above(-0.1) == pytest.approx(0.9**rarer)
    assert math.isnan(same.chance_above(0))


def test_one_pair_that_is_ranked_differently_leaves_a_spread() -> None:
    truth = np.array([True, True, False, False, False])
    score = np.array([0.9, 0.4, 0.3, 0.2, 0.1])
    other = np.array([0.9, 0.25, 0.3, 0.2, 0.1])
    changed = estimated_difference(truth, score, other, np.arange(5))
    assert changed.value == pytest.approx(1 / 6)
    assert changed.unchanged == 0


def test_single_images_have_one_variance_whatever_their_order() -> None:
    truth, score, _ = draw(300, 1)
    above, below = placements(truth, score)
    rising, turned = np.arange(300), np.arange(300)[::-1].copy()
    assert each_alone(rising)
    assert not each_alone(turned)
    assert not each_alone(np.array([0, 0, 2, 3]))  # as wide as it is long
    found = [obuchowski_variance(truth, g, above, below) for g in (rising, turned)]
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    errors = [clustered_error(score, group) for group in (rising, turned)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-12)
    assert worth(above, rising[truth]) == worth(above, turned[truth]) == truth.sum()
