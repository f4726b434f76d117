"""The same numbers as libraries that others wrote: statsmodels, MAPIE, netcal and more.

They stand in one file, so that one test process imports them. Where our interval has
Student's t and theirs the normal distribution, theirs is asked for the confidence that
makes the quantiles equal. Other libraries (scikit-learn, SciPy, isic-challenge-scoring)
are in the test of the part that they check.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import confidenceinterval
import numpy as np
import pytest
import statsmodels.api as sm
from mapie.classification import SplitConformalClassifier
from mapie.risk_control import (
    BinaryClassificationController,
    MultiLabelClassificationController,
)
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.base import BaseEstimator, ClassifierMixin
from statsmodels.genmod.cov_struct import Independence
from statsmodels.stats.inter_rater import fleiss_kappa as their_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from lentigo.evaluation.calibration import (
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
)
from lentigo.evaluation.clustered import clustered_auc
from lentigo.evaluation.clustered_logistic import fit_logistic
from lentigo.evaluation.conformal import fit_conformal
from lentigo.evaluation.consequences import difference
from lentigo.evaluation.discrimination import delong_variance
from lentigo.evaluation.guarantee import guaranteed_threshold, mean_threshold
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.means import clustered_error, clustered_mean_difference
from lentigo.evaluation.operating_points import at_threshold, wilson_interval
from lentigo.evaluation.permutation import holm
from lentigo.evaluation.readers.agreement import fleiss_kappa
from lentigo.evaluation.shares import share_of

CLOSE = 1e-9
IMAGES, GROUPS = 400, 150


def images(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, probability and group of images that resemble each other in groups."""
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(GROUPS), rng.integers(GROUPS, size=IMAGES - GROUPS)])
    truth = rng.random(IMAGES) < expit(rng.normal(size=GROUPS)[group] - 1)
    return truth, expit(rng.normal(size=IMAGES) + 1.3 * truth - 1.5), group


def ends(interval: Interval) -> Any:
    return pytest.approx((interval.low, interval.high), abs=CLOSE)


@pytest.mark.parametrize(("hits", "of"), [(1, 8), (37, 140), (139, 140)])
def test_a_share_has_the_interval_of_wilson(hits: int, of: int) -> None:
    assert proportion_confint(hits, of, method="wilson") == ends(wilson_interval(hits, of))
    alpha = 2 * norm.sf(student.ppf(0.975, of - 1))
    found = share_of((np.arange(of) < hits).astype(np.float64), np.ones(of))
    assert proportion_confint(hits, of, alpha=alpha, method="wilson") == ends(found)


@pytest.mark.parametrize(("hits", "of"), [(0, 8), (140, 140)])
def test_a_share_of_none_or_all_has_that_of_clopper_and_pearson(hits: int, of: int) -> None:
    found = share_of((np.arange(of) < hits).astype(np.float64), np.ones(of))
    assert proportion_confint(hits, of, method="beta") == ends(found)


def test_a_difference_of_shares_has_the_interval_of_newcombe() -> None:
    found = difference(wilson_interval(56, 70), wilson_interval(48, 80))
    their = confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    assert their == ends(found)


def test_the_other_figures_at_a_threshold() -> None:
    truth, score, _ = images()
    found = at_threshold(truth, score, np.arange(IMAGES), threshold=0.3)
    for name, their, of in (
        ("sensitivity", confidenceinterval.tpr_score, truth.sum()),
        ("specificity", confidenceinterval.tnr_score, (~truth).sum()),
        ("ppv", confidenceinterval.ppv_score, (score >= 0.3).sum()),
        ("npv", confidenceinterval.npv_score, (score < 0.3).sum()),
    ):
        level = 1 - 2 * norm.sf(student.ppf(0.975, of - 1))
        value, bounds = their(
            truth.astype(int).tolist(), (score >= 0.3).astype(int).tolist(),
            confidence_level=level, method="wilson",
        )  # fmt: skip
        assert value == pytest.approx(found[name].value, abs=CLOSE)
        assert bounds == ends(found[name])


def test_the_auc_and_its_interval() -> None:
    """Theirs ranks in single precision, so seven digits are all that can agree."""
    truth, score, _ = images()
    score = score.round(2)  # with ties
    value, (low, high) = confidenceinterval.roc_auc_score(truth.astype(int), score)
    error = (high - low) / 2 / norm.ppf(0.975)
    assert error**2 == pytest.approx(delong_variance(truth, score), rel=1e-5)
    found = clustered_auc(truth, score, np.arange(IMAGES))
    assert value == pytest.approx(found.value, abs=1e-6)
    times = student.ppf(0.975, fewest(truth, np.arange(IMAGES)) - 1)
    half, centre = times * error / (value * (1 - value)), math.log(value / (1 - value))
    their = expit([centre - half, centre + half])
    assert (found.low, found.high) == pytest.approx(tuple(their), abs=1e-6)


def test_holm() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.5, 0.04])
    _, their, _, _ = multipletests(p, method="holm")
    assert holm(p) == pytest.approx(their, abs=CLOSE)


def test_the_kappa_of_fleiss() -> None:
    counts = np.random.default_rng(0).multinomial(7, [0.5, 0.3, 0.2], size=40)
    found = fleiss_kappa(counts.astype(float), np.arange(40))
    assert found.value == pytest.approx(their_kappa(counts), abs=CLOSE)


def test_a_mean_is_a_regression_on_nothing_with_clustered_errors() -> None:
    truth, score, group = images()
    values = (score - truth) ** 2 - (score**2 - truth) ** 2
    fitted = sm.OLS(values, np.ones(IMAGES)).fit(
        cov_type="cluster", cov_kwds={"groups": group}, use_t=True
    )
    assert fitted.bse[0] == pytest.approx(clustered_error(values, group), abs=CLOSE)
    found = clustered_mean_difference(values, group, freedom=GROUPS - 1)
    assert fitted.params[0] == pytest.approx(found.value, abs=CLOSE)
    assert tuple(fitted.conf_int()[0]) == ends(found)


def test_the_calibration_slope_and_its_clustered_variance() -> None:
    truth, score, group = images()
    logits = np.log(score / (1 - score))
    fitted = sm.GEE(
        truth.astype(float), sm.add_constant(logits), groups=group,
        family=sm.families.Binomial(), cov_struct=Independence(),
    ).fit(ctol=1e-12)  # fmt: skip
    found = calibration_slope(truth, score, group)
    assert found.value == pytest.approx(fitted.params[1], abs=CLOSE)
    # Theirs lacks the factor for a finite number of groups.
    times = student.ppf(0.975, fewest(truth, group) - 1) * math.sqrt(GROUPS / (GROUPS - 1))
    half = times * fitted.standard_errors(cov_type="robust")[1]
    assert (found.value - half, found.value + half) == ends(found)


def test_the_calibration_intercept_and_its_clustered_variance() -> None:
    truth, score, group = images()
    model = sm.GLM(
        truth.astype(float), np.ones(IMAGES),
        family=sm.families.Binomial(), offset=np.log(score / (1 - score)),
    )  # fmt: skip
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": group}, tol=1e-13)
    found = calibration_intercept(truth, score, group)
    assert found.value == pytest.approx(fitted.params[0], abs=CLOSE)
    half = student.ppf(0.975, fewest(truth, group) - 1) * fitted.bse[0]
    assert (found.value - half, found.value + half) == ends(found)


def test_a_logistic_regression_of_independent_images() -> None:
    truth, score, _ = images()
    design = np.stack([np.ones(IMAGES), score, score**2], axis=1)
    fitted = sm.GLM(truth.astype(float), design, family=sm.families.Binomial()).fit(
        cov_type="HC0", tol=1e-13
    )
    found = fit_logistic(design, truth, np.arange(IMAGES))
    assert found is not None
    assert found.covariance is not None
    assert found.weights == pytest.approx(fitted.params, abs=CLOSE)
    few = IMAGES / (IMAGES - 1)
    assert found.covariance == pytest.approx(fitted.cov_params() * few, rel=CLOSE)


def fewest(truth: np.ndarray, group: np.ndarray) -> int:
    return min(len(np.unique(group[side])) for side in (truth, ~truth))


def test_the_calibration_error_before_its_correction() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # its docstrings have "\m"
        from netcal.metrics import ECE
    truth, score, _ = images()
    their = ECE(bins=10, equal_intervals=False).measure(score, truth.astype(int))
    assert expected_calibration_error(truth, score) == pytest.approx(their, abs=CLOSE)


class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A model whose probabilities are what it is given, as MAPIE takes no numbers alone."""

    def __init__(self, classes: int = 2) -> None:
        self.classes_ = np.arange(classes)
        self.n_features_in_ = classes

    def fit(self, x: np.ndarray, y: np.ndarray) -> Given:
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x.argmax(axis=1))

    def __sklearn_is_fitted__(self) -> bool:
        return True


@pytest.mark.parametrize("missed", [0.05, 0.1, 0.31])
def test_conformal_sets(missed: float) -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([3.0, 2.0, 1.0], size=230)
    truth = np.array([rng.choice(3, p=row) for row in probabilities])
    new = rng.dirichlet([3.0, 2.0, 1.0], size=500)
    theirs = SplitConformalClassifier(Given(3), confidence_level=1 - missed)
    _, sets = theirs.conformalize(probabilities, truth).predict_set(new)
    names = [str(place) for place in range(230)]
    ours = fit_conformal(probabilities, truth, names, missed=missed, by_class=False)
    assert np.array_equal(ours.sets(new), sets[:, :, 0])


@pytest.mark.parametrize("sensitivity", [0.8, 0.9])
def test_a_threshold_with_a_guaranteed_sensitivity(sensitivity: float) -> None:
    truth, score, _ = images()
    steps = np.unique(score[truth])
    theirs = BinaryClassificationController(
        lambda x: np.column_stack([1 - x, x]), "recall", sensitivity,
        confidence_level=0.95, list_predict_params=steps, fwer_method="fixed_sequence",
    ).calibrate(score, truth.astype(int))  # fmt: skip
    ours = guaranteed_threshold(
        score[truth], np.arange(truth.sum()), sensitivity=sensitivity
    )
    assert ours == max(theirs.valid_predict_params)


def test_a_threshold_with_a_sensitivity_on_average() -> None:
    """Theirs steps through thresholds and calls what is above; one image, one label."""
    truth, score, _ = images()
    steps = np.unique(score[truth])
    theirs = MultiLabelClassificationController(
        np.asarray, "recall", "crc", 0.9, predict_params=steps - 1e-9
    ).calibrate(score[truth][:, np.newaxis], np.ones((truth.sum(), 1), int))
    ours = mean_threshold(score[truth], np.arange(truth.sum()), sensitivity=0.9)
    assert ours == pytest.approx(theirs.best_predict_param[0], abs=2e-9)
