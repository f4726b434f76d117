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


def test_one_group_has_no_width() -> None:
    found = risk_coverage(TRUTH, RIGHT * 0.5, np.arange(20.0), ["a"] * 20)
    assert found.low == pytest.approx(found.high)


def test_without_the_refused_the_order_is_right() -> None:
    score = RIGHT.copy()
    score[:2] = [0.0, 1.0]
    refused = np.arange(20) < 2
    found = kept(TRUTH, score, refused, NAMES)
    assert found.refused[0] == 2 / 20
    assert found.auc_answered == 1
    assert found.gain[0] == pytest.approx(1 - found.auc_all)


def test_what_was_not_answered_has_no_risk() -> None:
    with pytest.raises(DatasetError, match="--no-abstain"):
        risk_coverage(TRUTH, np.full(20, np.nan), np.arange(20.0), NAMES)


@pytest.mark.parametrize(
    ("truth", "refused"), [(TRUTH, np.ones(20, bool)), (np.ones(20, bool), TRUTH)]
)
def test_what_is_undefined_is_not_a_number(truth: np.ndarray, refused: np.ndarray) -> None:
    found = kept(truth, RIGHT, refused, NAMES)
    assert np.isnan(found.gain).all()
    assert not np.isnan(found.refused).any()
