"""Predictions evaluated for a clinic's own share of melanoma, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lentigo
from lentigo.errors import ConfigError
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.predictive_values import predictive
from lentigo.evaluation.prevalence import Asked, equal_threshold, moved

NAMES = [f"I{number}" for number in range(100)]
TRUTH = pd.DataFrame({"image_id": NAMES, "melanoma": [n < 50 for n in range(100)]})
SCORE = [0.9] * 40 + [0.1] * 10 + [0.9] * 5 + [0.1] * 45
"""40 of 50 melanomas score 0.9, and 5 of 50 others."""
GIVEN = pd.DataFrame({"image_id": NAMES, "probability": SCORE})


def test_ppv_is_that_of_the_clinic() -> None:
    found = lentigo.evaluate(GIVEN, TRUTH, prevalence=0.02, threshold=0.1, repeats=10)
    # From 50 % to 2 % the odds fall by 49: 1/9 there are 49/9 here, 49/58.
    assert any("from 0.1 there is one from 0.845 of" in note for note in found.notes)
    # The odds 9:1 are meant for a half; where 2 of 100 are melanomas they are 9:49.
    assert found["sensitivity"].value == 0.8
    assert found["specificity"].value == 0.9
    # Of 10,000 patients 200 have a melanoma: 160 are found, and 980 others are called.
    assert found["ppv"].value == pytest.approx(160 / 1140)
    assert found["npv"].value == pytest.approx(8820 / 8860)
    assert found["ppv"].low < 160 / 1140 < found["ppv"].high
    assert found.as_dict()["prevalence"] == {
        "asked_for": 0.02, "meant_for": 0.5, "judged": 0.5, "said": False,
    }  # fmt: skip
    assert "Calls, PPV and NPV are for 2 % melanomas" in found.as_text()


def test_the_share_that_predictions_say_they_are_for_is_believed() -> None:
    said = GIVEN.assign(prevalence=0.1)
    found = lentigo.evaluate(said, TRUTH, prevalence=0.1, threshold=0.5, repeats=10)
    assert found.prevalence is not None
    assert (found.prevalence.meant_for, found.prevalence.said) == (0.1, True)
    assert found["sensitivity"].value == 0.8  # nothing was moved
    assert found["ppv"].value == pytest.approx(0.08 / (0.08 + 0.09))


def test_without_a_share_nothing_changes() -> None:
    found = lentigo.evaluate(GIVEN.assign(prevalence=0.1), TRUTH, repeats=10)
    assert found.prevalence is None
    assert found["ppv"].value == 40 / 45


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 7.0])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="prevalence"):
        lentigo.evaluate(GIVEN, TRUTH, prevalence=share, repeats=10)


def test_one_class_alone_does_not_say_what_the_predictions_are_for() -> None:
    with pytest.raises(ConfigError, match="one class"):
        lentigo.evaluate(GIVEN[:50], TRUTH[:50], prevalence=0.1, repeats=10)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([0.0] * 50, "meant for a share of melanoma of 0, by their column prevalence"),
        ([0.1] * 49 + [0.2], "have several or missing values in their column prevalence"),
    ],
)
def test_a_column_that_tells_no_share_is_named(column: list[float], said: str) -> None:
    given = GIVEN[:50].assign(prevalence=column)
    with pytest.raises(ConfigError, match=said):
        lentigo.evaluate(given, TRUTH[:50], prevalence=0.1, repeats=10)


def test_a_share_that_is_never_wrong_has_a_lower_bound() -> None:
    found = predictive(0.1, Interval(0.5, 0.3, 0.7), Interval(0.0, 0.0, 0.1))
    assert found.value == 1
    assert found.low == pytest.approx(0.03 / (0.03 + 0.09))
    assert found.high == 1


TENTHS = np.round(np.arange(100) // 5 * 0.05, 2)
"""0, 0.05, … 0.95: all of them are probabilities, and thresholds."""


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("threshold", [0.15, 0.6, 0.9, 0.95])
def test_the_share_that_was_judged_changes_no_call(share: float, threshold: float) -> None:
    same = Asked(asked_for=share, meant_for=share, judged=share, said=True)
    assert moved(TENTHS, same).tolist() == TENTHS.tolist()
    assert equal_threshold(threshold, same) == threshold


@pytest.mark.parametrize("meant", [0.1, 0.2, 0.3, 0.45])
def test_a_score_on_the_threshold_is_called_whatever_rounding_does(meant: float) -> None:
    """At a share of a half, the probability that equals the share meant is a half."""
    there = Asked(asked_for=0.5, meant_for=meant, judged=meant, said=True)
    at = equal_threshold(0.5, there, TENTHS)
    assert at == meant
    assert (moved(TENTHS, there, [0.5]) >= 0.5).tolist() == (meant <= TENTHS).tolist()


def test_a_diagnosis_is_judged_at_the_threshold_of_all() -> None:
    words = ["melanoma"] * 50 + ["nevus"] * 25 + ["keratosis"] * 25
    truth = TRUTH.assign(diagnosis=words)
    given = GIVEN.assign(probability=np.where(GIVEN["probability"] > 0.5, 0.6, 0.1))
    found = lentigo.evaluate(given, truth, prevalence=0.02, threshold=0.5, repeats=10)
    assert found.difficulty is not None
    rows = {each.name: each.specificity.value for each in found.difficulty.diagnoses}
    assert found["specificity"].value == rows["nevus"] == rows["keratosis"] == 1


def test_predictive_values_of_a_clinic_are_as_rough_in_every_table() -> None:
    """50 groups of either class: below 60 both are rough at another share."""
    found = lentigo.evaluate(GIVEN, TRUTH, prevalence=0.02, threshold=0.1, repeats=10)
    other = next(each for each in found.consequences if not each.judged)
    for name in ("ppv", "npv", "sensitivity", "specificity"):
        assert found[name].rough is other.figures[name].rough is True
    nobody = lentigo.evaluate(GIVEN, TRUTH, prevalence=0.02, threshold=1, repeats=10)
    assert np.isnan(nobody["ppv"].value)
    assert not nobody["ppv"].rough


def test_nested_calls_are_at_the_share_that_was_asked_for() -> None:
    """At 2 % a score of 0.9, meant for a half, is below 0.5: every melanoma is missed."""
    fold = np.arange(100) % 5
    nested = pd.concat(
        GIVEN.assign(outer_fold=outer, inner_fold=np.where(fold == outer, np.nan, fold))
        for outer in range(5)
    )
    for asked, wrong in ((None, 0.15), (0.02, 0.5)):
        found = lentigo.evaluate(nested, TRUTH, prevalence=asked, repeats=10)
        assert found.nested is not None
        rates = {each.name: each.plain.value for each in found.nested.losses}
        assert rates["error_rate"] == pytest.approx(wrong)


def test_ppv_at_the_chosen_threshold_is_for_the_asked_share_too() -> None:
    rng = np.random.default_rng(5)
    truth = np.arange(400) < 80
    score = 1 / (1 + np.exp(-(rng.normal(size=400) + 2 * truth - 1)))
    guesses = pd.DataFrame(
        {"image_id": [f"i{n}" for n in range(400)], "probability": score}
    )
    labels = pd.DataFrame({"image_id": guesses["image_id"], "melanoma": truth.astype(int)})
    found = lentigo.evaluate(guesses, labels, prevalence=0.02, repeats=20)
    here = lentigo.evaluate(guesses, labels, repeats=20)
    called = score >= here["threshold_at_sensitivity_95"].value
    right, wrong = called[truth].mean(), called[~truth].mean()
    ppv = 0.02 * right / (0.02 * right + 0.98 * wrong)
    npv = 0.98 * (1 - wrong) / (0.98 * (1 - wrong) + 0.02 * (1 - right))
    for name, value in (("ppv", ppv), ("npv", npv)):
        interval = found[f"{name}_at_sensitivity_95"]
        assert interval.value == pytest.approx(value, abs=1e-12)
        assert interval.low < value < interval.high
        assert interval.rough
    same = lentigo.evaluate(guesses, labels, prevalence=0.2, repeats=20)[
        "ppv_at_sensitivity_95"
    ]
    assert same.value == pytest.approx(here["ppv_at_sensitivity_95"].value)
    for name in ("threshold", "specificity"):
        chosen = f"{name}_at_sensitivity_95"
        assert found[chosen] == here[chosen]
