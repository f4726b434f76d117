"""Without images of a class, or with one group only, an answer is NaN and never 0."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lentigo.curation.splits.balance import unevenness
from lentigo.errors import ConfigError, DatasetError
from lentigo.evaluation.calibration import expected_calibration_error
from lentigo.evaluation.clustered import estimated_difference, estimated_mean_difference
from lentigo.evaluation.clustered_logistic import LogisticFit
from lentigo.evaluation.conformal import coverage, fit_conformal
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.multiclass import balanced_accuracy
from lentigo.evaluation.official import _auc_above
from lentigo.evaluation.readers.covariance import aucs_together, shares_together
from lentigo.evaluation.set_coverage import in_per_cent, set_coverage
from lentigo.evaluation.stress import relative_error
from lentigo.evaluation.subgroup_difference import Difference, less

NO_TRUTH, NO_SCORE = np.zeros(0, bool), np.zeros(0)
NO_GROUP = np.zeros(0, np.intp)
TRUTH = np.array([True, True, False, False])
SCORE = np.array([0.9, 0.4, 0.6, 0.1])
ONE_GROUP = np.zeros(4, np.intp)


def test_no_image_has_no_calibration_error() -> None:
    assert math.isnan(expected_calibration_error(NO_TRUTH, NO_SCORE))


def test_no_image_has_no_balanced_accuracy_and_an_absent_class_does_not_count() -> None:
    assert math.isnan(balanced_accuracy(NO_GROUP, NO_GROUP))
    assert balanced_accuracy(np.array([0, 0, 2]), np.array([0, 1, 2])) == (1 / 2 + 1) / 2


@pytest.mark.parametrize("truth", [np.ones(4, bool), np.zeros(4, bool)])
def test_one_class_alone_has_no_area_above_a_sensitivity(truth: np.ndarray) -> None:
    assert math.isnan(_auc_above(truth, SCORE, 0.8))


def test_no_image_has_no_difference_and_one_group_no_spread() -> None:
    empty = estimated_mean_difference(NO_TRUTH, [(NO_SCORE, NO_SCORE)], NO_GROUP)
    assert math.isnan(empty.value)
    alone = estimated_difference(TRUTH, SCORE, 1 - SCORE, ONE_GROUP)
    assert alone.value == 3 / 4 - 1 / 4
    assert math.isnan(alone.error)


def test_readers_of_one_patient_have_shares_and_no_covariance() -> None:
    called = np.array([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    shares, covariance = shares_together(TRUTH, called, ONE_GROUP, of=True)
    assert shares.tolist() == [1 / 2, 2 / 2]
    assert covariance.shape == (2, 2)
    assert np.isnan(covariance).all()
    shares, _ = shares_together(TRUTH, called, ONE_GROUP, of=False)
    assert shares.tolist() == [1 / 2, 0 / 2]
    areas, covariance = aucs_together(TRUTH, np.stack([SCORE, 1 - SCORE]), ONE_GROUP)
    assert areas.tolist() == [3 / 4, 1 / 4]
    assert np.isnan(covariance).all()


def test_a_regression_on_one_group_has_coefficients_without_bounds() -> None:
    fit = LogisticFit(weights=np.array([0.5, -2.0]), covariance=None, times=1.96)
    assert fit.interval(1).value == -2.0
    assert math.isnan(fit.interval(1).low)
    middle, low, high = fit.band(np.array([[1.0, 1.0]]))
    assert middle.tolist() == [-1.5]
    assert np.isnan([*low, *high]).all()


def test_sets_of_diagnoses_need_an_image() -> None:
    with pytest.raises(DatasetError, match="no image to set the sets"):
        fit_conformal(np.zeros((0, 2)), NO_GROUP, [])
    with pytest.raises(ConfigError, match="missed is 1"):
        fit_conformal(np.full((1, 2), 0.5), np.array([0]), ["a"], missed=1)
    assert np.isnan(coverage(np.zeros((0, 2), bool), NO_GROUP, [])).all()


def test_classes_share_one_threshold_where_they_are_not_told_apart() -> None:
    right = np.linspace(0.05, 0.95, 19)
    probabilities = np.stack([right, 1 - right], axis=1)
    truth = np.zeros(19, np.intp)
    names = [str(row) for row in range(19)]
    both = fit_conformal(probabilities, truth, names, missed=0.1, by_class=False)
    own = fit_conformal(probabilities, truth, names, missed=0.1)
    # One of 20 groups, the future one counted, may lie below: the second lowest is kept.
    assert both.least.tolist() == pytest.approx([0.1, 0.1])
    assert own.least.tolist() == pytest.approx([0.1, 0.0])


def test_no_set_is_judged_where_there_is_none() -> None:
    assert in_per_cent(Interval(math.nan)) == "none"
    assert in_per_cent(Interval(0.895, 0.84, 0.932)) == "89.5 % (84.0–93.2)"
    table = pd.DataFrame({"melanoma": [True], "group": ["a"]})
    assert set_coverage(table) is None
    assert set_coverage(table.assign(could_be="perhaps")) is None
    judged = set_coverage(table.assign(could_be="melanoma"))
    assert judged is not None
    found, none = judged.rows
    assert (found.n_images, found.held.value) == (1, 1.0)
    assert none.n_images == 0
    assert math.isnan(none.held.value)


def test_a_disturbance_is_not_judged_where_a_class_is_absent() -> None:
    wrong = np.array([[True, False, True, False]])
    assert math.isnan(relative_error(wrong, wrong[0], np.ones(4, bool), ONE_GROUP).value)


def test_a_subgroup_whose_bounds_are_not_known_has_no_p() -> None:
    bare = less(Interval(0.8), Interval(0.7, 0.6, 0.8))
    assert bare.interval.value == pytest.approx(0.1)
    assert math.isnan(bare.p)
    assert "p" not in bare.in_words
    told = less(Interval(0.8, 0.7, 0.9), Interval(0.7, 0.6, 0.8))
    # Both half widths are 0.1; the difference is 0.1 of a half width of sqrt(2) · 0.1.
    assert told.p == pytest.approx(math.erfc(1.959964 / math.sqrt(2) / math.sqrt(2)))
    assert told.in_words.endswith(f", p {told.p:.3f}")
    assert Difference(told.interval, p=0.0009).in_words.endswith("p < 0.001")
    assert Difference(told.interval, p=0.001).in_words.endswith("p 0.001")


def test_no_labelled_image_is_dealt_unevenly_by_nothing() -> None:
    table = pd.DataFrame({"melanoma": pd.array([None, None], dtype="boolean")})
    assert math.isnan(unevenness(table, pd.Series([0, 1]), "melanoma"))
