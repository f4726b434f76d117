"""Operating points of images that can be counted by eye."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.evaluation.choosing import (
    Answers,
    Costs,
    choose_points,
    judged_on,
    most_gained,
)
from lentigo.models.operating_point import OperatingPoint

COSTS = Costs(miss=19, excision=1)
TRUTH = np.array([0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1], dtype=bool)
SCORE = np.array([0.1, 0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


def answers(truth: np.ndarray = TRUTH, score: np.ndarray = SCORE) -> Answers:
    return Answers(truth, score, np.arange(len(truth)))


def points(of: Answers) -> dict[str, OperatingPoint]:
    found = choose_points(of, costs=COSTS, chosen_on="validation images")
    return {point.name: point for point in found}


def test_youden_takes_the_threshold_that_parts_the_classes_best() -> None:
    # From 0.4: 5 of 5 melanomas and 1 of 6 others; from 0.6: 4 of 5 and none.
    point = points(answers())["youden"]
    assert point.threshold == 0.4
    assert point.reached["sensitivity"].value == 1
    assert point.reached["specificity"].value == pytest.approx(5 / 6)


def test_costs_say_from_which_probability_an_excision_is_cheaper() -> None:
    # One melanoma in 20 missed costs 19; excising the other 19 costs as much.
    point = points(answers())["cost"]
    assert point.threshold == pytest.approx(1 / 20)
    assert "a miss that costs 19" in point.aim


def test_the_decision_curve_is_the_best_of_all_thresholds_tried() -> None:
    rng = np.random.default_rng(3)
    score = rng.random(60)
    truth = rng.random(60) < score
    chosen = most_gained(Answers(truth, score, np.arange(60)))

    def gain(at: float) -> float:
        odds, called = at / (1 - at), score >= at
        benefit = (called & truth).sum() - (called & ~truth).sum() * odds
        return float(benefit - max(truth.sum() - (~truth).sum() * odds, 0))

    tried = [gain(at) for at in np.linspace(0.001, 0.999, 4000)]
    assert gain(chosen) >= max(tried) - 1e-9


def test_too_few_melanomas_leave_a_sentence_instead_of_a_threshold() -> None:
    found = points(answers())
    sure = found["sensitivity_95"]
    assert sure.threshold is None
    assert sure.absent == (
        "The validation images hold 5 melanomas: a sensitivity of 95 % that is guaranteed "
        "with 95 % confidence takes 59 independent ones."
    )
    assert "takes those of 19 groups" in found["mean_sensitivity_95"].absent
    one_class = points(answers(truth=np.zeros(11, dtype=bool)))
    assert all(point.threshold is None for point in one_class.values())


def test_which_bound_a_guarantee_rests_on_is_said() -> None:
    score, truth = np.linspace(0.2, 0.8, 400), np.arange(400) % 2 == 0
    single = points(answers(truth, score))["sensitivity_95"]
    paired = choose_points(
        Answers(truth, score, np.arange(400) // 4), costs=COSTS, chosen_on="x"
    )[0]
    assert "exact binomial bound" in single.method
    assert "over groups" in paired.method
    assert paired.threshold is not None
    assert single.threshold is not None
    assert paired.threshold < single.threshold


def test_a_point_is_judged_on_other_images_and_not_moved() -> None:
    point = points(answers())["youden"]
    judged = judged_on(point, answers(TRUTH[::-1], SCORE))
    assert judged.threshold == point.threshold
    assert judged.held_out is not None
    assert judged.held_out.figures["sensitivity"].value == pytest.approx(1 / 5)
    assert judged.held_out.n_melanomas == 5


def test_a_sensitivity_holds_with_and_without_metadata() -> None:
    """200 melanomas; each is rated 0.1 lower either with or without age, sex and site."""
    truth = np.arange(400) % 2 == 1
    score = np.linspace(0.2, 0.9, 400)
    lower = np.arange(400) % 4 == 1
    told, untold = np.where(lower, score - 0.1, score), np.where(lower, score, score - 0.1)
    group = np.arange(400)
    both = points(Answers(truth, told, group, untold))
    for name, wished in (("sensitivity_95", 0.95), ("mean_sensitivity_90", 0.9)):
        point = both[name]
        assert point.without_metadata
        assert point.threshold is not None
        # A melanoma may be told of or not, whichever is worse: it is found all the same.
        assert (np.minimum(told, untold)[truth] >= point.threshold).mean() >= wished
        alone = points(Answers(truth, told, group))[name]
        assert alone.threshold is not None
        assert alone.threshold > point.threshold
        assert not alone.without_metadata
        found = (told[truth] >= point.threshold).mean()
        assert point.reached["sensitivity"].value == pytest.approx(found)
    assert "whether age, sex and site are told or not" in both["sensitivity_95"].aim
    assert "told" not in points(Answers(truth, told, group))["sensitivity_95"].aim
    assert not both["youden"].without_metadata
