"""Risk falls where the strange images are the wrong ones; intervals take whole groups."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.errors import DatasetError
from lentigo.evaluation.abstention import kept, risk_coverage

TRUTH = np.array([True, False] * 10)
RIGHT = np.where(TRUTH, 1.0, 0.0)
NAMES = [str(number) for number in range(20)]


def test_risk_is_the_brier_score_of_those_answered() -> None:
    wrong = RIGHT.copy()
    wrong[-5:] = 1 - wrong[-5:]  # the five strangest are wrong
    found = risk_coverage(TRUTH, wrong, np.arange(20.0), NAMES)
    assert found.risk[:15] == pytest.approx(0)
    assert found.risk[-1] == pytest.approx(5 / 20)
    assert found.risk[15] == pytest.approx(1 / 16)
    assert (found.low <= found.risk).all()
    assert (found.risk <= found.high).all()


@pytest.mark.parametrize("groups", [1, 4])
def test_too_few_groups_have_no_bounds(groups: int) -> None:
    names = [str(number % groups) for number in range(20)]
    found = risk_coverage(TRUTH, RIGHT * 0.5, np.arange(20.0), names)
    assert found.risk[-1] == pytest.approx(0.125)
    assert np.isnan([*found.low, *found.high, *found.area[1:]]).all()


def test_images_of_one_strangeness_are_answered_together() -> None:
    """Only the last five are wrong: none of them is stranger than the others."""
    wrong = RIGHT.copy()
    wrong[-5:] = 1 - wrong[-5:]
    for turn in (1, -1):
        found = risk_coverage(TRUTH[::turn], wrong[::turn], np.zeros(20), NAMES)
        assert found.risk == pytest.approx(5 / 20)
        assert found.area[0] == pytest.approx(5 / 20)


def test_the_interval_of_the_gain_is_as_far_to_either_side_and_rough() -> None:
    rng = np.random.default_rng(0)
    truth, refused = np.arange(120) < 20, rng.random(120) < 0.2
    score = rng.random(120) + 0.3 * truth
    found = kept(truth, score, refused, [str(number) for number in range(120)]).gain
    assert found.rough
    assert found.high - found.value == pytest.approx(found.value - found.low)


def test_without_the_refused_the_order_is_right() -> None:
    score = RIGHT.copy()
    score[:2] = [0.0, 1.0]
    refused = np.arange(20) < 2
    found = kept(TRUTH, score, refused, NAMES)
    assert found.refused.value == 2 / 20
    assert found.auc_answered == 1
    assert found.gain.value == pytest.approx(1 - found.auc_all)


def test_what_was_not_answered_has_no_risk() -> None:
    with pytest.raises(DatasetError, match="--no-abstain"):
        risk_coverage(TRUTH, np.full(20, np.nan), np.arange(20.0), NAMES)


@pytest.mark.parametrize(
    ("truth", "refused"), [(TRUTH, np.ones(20, bool)), (np.ones(20, bool), TRUTH)]
)
def test_what_is_undefined_is_not_a_number(truth: np.ndarray, refused: np.ndarray) -> None:
    found = kept(truth, RIGHT, refused, NAMES)
    assert np.isnan([found.gain.value, found.gain.low, found.gain.high]).all()
    assert not np.isnan(found.refused.value)
