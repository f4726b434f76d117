"""Networks that no label can calibrate count alike in their mean."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.evaluation.discrimination import auc
from lentigo.training.spread import of_one_distribution, of_one_spread

TRUTH = np.array([True, True, False, False])
LOUD = np.array([-8.0, 8.0, 8.0, -8.0])  # knows nothing: spread 8
QUIET = np.array([1.0, 1.0, -1.0, -1.0])  # knows all: spread 1


def test_the_loudest_network_does_not_rule_the_mean() -> None:
    assert auc(TRUTH, np.mean([LOUD, QUIET], axis=0)) == 3 / 4
    lines = of_one_spread([LOUD, QUIET])
    loud, quiet = (line.apply(own) for line, own in zip(lines, (LOUD, QUIET), strict=True))
    assert loud == pytest.approx(np.sqrt(8) * np.array([-1, 1, 1, -1]))
    assert quiet == pytest.approx(np.sqrt(8) * np.array([1, 1, -1, -1]))
    # Both zeros are a tie: one pair of four counts half.
    assert auc(TRUTH, np.mean([loud, quiet], axis=0)) == 3.5 / 4


def test_the_mean_of_each_network_stays_where_it_is() -> None:
    lines = of_one_spread([LOUD - 5, QUIET - 2])
    means = [
        line.apply(own).mean()
        for line, own in zip(lines, (LOUD - 5, QUIET - 2), strict=True)
    ]
    assert means == pytest.approx([-5, -2])


def test_networks_of_one_spread_stay_as_they_are() -> None:
    for line, own in zip(of_one_spread([QUIET, -QUIET]), (QUIET, -QUIET), strict=True):
        assert line.apply(own) == pytest.approx(own)


@pytest.mark.parametrize(
    "silent", [np.full(4, 2.0), np.full(4, -1e5) + 1e-9 * QUIET], ids=["same", "nearly"]
)
def test_a_network_that_answers_the_same_of_all_has_no_spread(silent: np.ndarray) -> None:
    assert of_one_spread([LOUD, silent]) == []


def test_one_image_has_no_spread() -> None:
    assert of_one_spread([LOUD[:1], QUIET[:1]]) == []


def test_ranks_of_two_images_are_enough_and_of_one_or_of_equals_are_none() -> None:
    far, near = np.array([-4.0, 4.0]), np.array([-1.0, 1.0])
    maps = of_one_distribution([far, near])
    assert len(maps) == 2
    # Each lower logit becomes the mean of both lower ones, each higher that of the higher.
    for own, found in zip((far, near), maps, strict=True):
        assert found.apply(own) == pytest.approx([-2.5, 2.5])
    assert of_one_distribution([far[:1], near[:1]]) == []
    assert of_one_distribution([far, np.zeros(2)]) == []
