"""Networks in 8 bits beside exact ones: what they may lose, and what they may not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ModelError
from lentigo.evaluation.intervals import Interval
from lentigo.export.agreement import _calls, _check_refused, _judged, _refused

COUNT = 400
TRUTH = pd.DataFrame(
    {
        "image_id": [f"i{k}" for k in range(COUNT)],
        "melanoma": [k % 2 == 0 for k in range(COUNT)],
        "group_id": [f"g{k}" for k in range(COUNT)],
    }
)


def predicted(probability: Any) -> pd.DataFrame:
    return TRUTH[["image_id", "group_id"]].assign(probability=probability)


def points(*thresholds: float | None) -> Any:
    return [SimpleNamespace(name="p", threshold=each) for each in thresholds]


EXACT = np.where(TRUTH["melanoma"], 0.8, 0.2)


def test_melanomas_found_at_a_threshold_are_counted_where_both_have_an_answer() -> None:
    small, exact = EXACT.copy(), EXACT.copy()
    small[0] = np.nan
    exact[2] = np.nan
    (found,) = _calls("e", predicted(small), predicted(exact), TRUTH, points(0.8, None))
    assert (found.melanomas, found.found, found.found_exact) == (198, 198, 198)


@pytest.mark.parametrize(("lost", "refused"), [(2, False), (3, True)])
def test_one_melanoma_in_a_hundred_may_be_lost(lost: int, refused: bool) -> None:
    small = EXACT.copy()
    small[: 2 * lost : 2] = 0.79
    if not refused:
        (found,) = _calls("e", predicted(small), predicted(EXACT), TRUTH, points(0.8))
        assert (found.found, found.found_exact) == (200 - lost, 200)
        return
    with pytest.raises(ModelError, match="finds 197 of 200 held-out melanomas"):
        _calls("e", predicted(small), predicted(EXACT), TRUTH, points(0.8))


def test_of_few_melanomas_one_may_be_lost() -> None:
    few = TRUTH.iloc[:20]
    small, exact = predicted(EXACT).iloc[:20].copy(), predicted(EXACT).iloc[:20]
    small.loc[0, "probability"] = 0.1
    (found,) = _calls("e", small, exact, few, points(0.8))
    assert (found.melanomas, found.found) == (10, 9)
    small.loc[2, "probability"] = 0.1
    with pytest.raises(ModelError, match="finds 8 of 10"):
        _calls("e", small, exact, few, points(0.8))


def test_another_ranking_is_refused_and_the_same_is_told() -> None:
    rng = np.random.default_rng(0)
    noisy = 0.2 + 0.2 * EXACT + rng.uniform(0, 0.5, COUNT)
    alike = _judged("e", predicted(noisy + 1e-6), predicted(noisy), TRUTH, ())
    assert (alike.images, alike.melanomas, alike.difference) == (400, 200, 0)
    assert alike.largest == pytest.approx(1e-6)
    assert alike.refused is None
    with pytest.raises(ModelError, match=r"AUC of the 8-bit network \(e\) differs"):
        _judged("e", predicted(1 - noisy), predicted(noisy), TRUTH, ())


def test_refusals_are_a_share_of_those_that_are_known() -> None:
    table = predicted(EXACT)
    assert _refused(table) is None
    assert _refused(table.assign(abstain="")) is None
    said = table.assign(abstain=["yes"] * 30 + ["no"] * 70 + [""] * 300)
    found = _refused(said)
    assert found is not None
    assert found.value == 30 / 100


def test_five_per_cent_more_refusals_are_too_many() -> None:
    exact = Interval(0.1)
    _check_refused("e", Interval(0.149), exact, images=9)
    with pytest.raises(ModelError, match="5% more are allowed"):
        _check_refused("e", Interval(0.151), exact, images=9)
    with pytest.raises(ModelError, match=r"refuses 90.0% of 9 held-out images"):
        _check_refused("e", Interval(0.9), exact, images=9)
