"""Which calibration is fitted, and which of them is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from lentigo.inference.calibrate import (
    FITS,
    Labelled,
    cross_validated,
    fit_calibration,
    grouped_folds,
    loss_of,
)
from lentigo.models.calibration import Beta, Isotonic, Platt, Temperature, probability


def drawn(number: int = 2000, *, slope: float = 1.0, offset: float = 0.0) -> Labelled:
    """Images whose labels follow `slope` times the logit and `offset`."""
    rng = np.random.default_rng(number)
    logits = rng.normal(-1.5, 2.0, number)
    truth = rng.random(number) < expit(slope * logits + offset)
    return Labelled(truth, logits, np.arange(number))


@pytest.mark.parametrize(
    ("slope", "offset", "method"),
    [(1.0, 0.0, "none"), (0.4, 0.0, "temperature"), (0.6, -1.5, "platt")],
)
def test_the_simplest_method_that_does_as_well_is_kept(
    slope: float, offset: float, method: str
) -> None:
    found = fit_calibration(
        drawn(slope=slope, offset=offset), fitted_on="validation images"
    )
    assert found.method == method
    assert [each.method for each in found.compared] == list(FITS)


def test_ends_that_are_wrong_in_two_ways_take_beta() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 3, 20_000)
    right = 0.3 * -np.logaddexp(0, -logits) + 1.5 * np.logaddexp(0, logits)
    images = Labelled(rng.random(20_000) < expit(right), logits, np.arange(20_000))
    found = fit_calibration(images, fitted_on="x")
    assert isinstance(found.map, Beta)
    assert (found.map.a, found.map.b) == pytest.approx((0.3, 1.5), abs=0.1)


def test_temperature_and_platt_find_what_was_drawn() -> None:
    images = drawn(20_000, slope=0.5, offset=1.0)
    platt = FITS["platt"](images)
    assert isinstance(platt, Platt)
    assert (platt.slope, platt.intercept) == pytest.approx((0.5, 1.0), abs=0.06)
    temperature = FITS["temperature"](drawn(20_000, slope=0.5))
    assert isinstance(temperature, Temperature)
    assert temperature.temperature == pytest.approx(2.0, abs=0.1)


def test_platt_agrees_with_logistic_regression() -> None:
    images = drawn(3000, slope=0.7, offset=-0.5)
    ours = FITS["platt"](images)
    theirs = LogisticRegression(C=1e9).fit(images.logits[:, np.newaxis], images.truth)
    assert isinstance(ours, Platt)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], rel=0.02)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=0.02)


def test_isotonic_agrees_with_scikit_learn_at_its_steps() -> None:
    images = drawn(500)
    ours = FITS["isotonic"](images)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(images.logits, images.truth)
    assert isinstance(ours, Isotonic)
    expected = np.clip(theirs.predict(np.array(ours.knots)), 1 / 502, 501 / 502)
    assert probability(ours.values) == pytest.approx(expected)


def test_classes_that_do_not_overlap_stay_finite() -> None:
    logits = np.concatenate([np.linspace(-9, -1, 40), np.linspace(1, 9, 40)])
    images = Labelled(logits > 0, logits, np.arange(80))
    for fit in FITS.values():
        found = fit(images).apply(logits)
        assert np.isfinite(found).all()
        assert np.abs(found).max() < 60


def test_with_few_groups_nothing_is_changed() -> None:
    images = drawn(60, slope=0.2)
    few = Labelled(images.truth, images.logits, np.arange(60) // 8)
    found = fit_calibration(few, fitted_on="x")
    assert (found.method, found.compared, found.prevalence) == ("none", (), None)


def test_a_group_stands_on_one_side_of_a_fold() -> None:
    images = drawn(300)
    images = Labelled(images.truth, images.logits, np.arange(300) // 3)
    seen = []
    for rest, left_out in grouped_folds(images):
        assert not set(images.group[rest]) & set(images.group[left_out])
        seen += left_out.tolist()
    assert sorted(seen) == list(range(300))


def test_the_order_of_the_images_changes_nothing() -> None:
    images = drawn(800, slope=0.4)
    order = np.random.default_rng(1).permutation(800)
    first = fit_calibration(images, fitted_on="x")
    second = fit_calibration(images.part(order), fitted_on="x")
    assert second.method == first.method
    assert second.apply([-3.0, 2.0]) == pytest.approx(first.apply([-3.0, 2.0]), rel=1e-5)


def test_the_loss_is_that_of_left_out_images() -> None:
    images = drawn(500)
    losses = cross_validated(images)
    assert losses["none"] == pytest.approx(loss_of(images.truth, images.logits))
    certain = np.where(images.truth, -logit(1e-3), logit(1e-3))
    assert loss_of(images.truth, certain) == pytest.approx(np.full(500, -np.log1p(-1e-3)))


@settings(max_examples=25)
@given(
    logits=st.lists(st.floats(-1e5, 1e5), min_size=2, max_size=40),
    labels=st.integers(0, 2**40 - 1),
)
def test_every_fit_keeps_the_order_and_is_finite(logits: list[float], labels: int) -> None:
    truth = np.array([bool(labels >> place & 1) for place in range(len(logits))])
    images = Labelled(truth, np.array(logits), np.arange(len(logits)))
    for fit in FITS.values():
        found = fit(images).apply(np.sort(logits))
        assert np.isfinite(found).all()
        assert (np.diff(found) >= 0).all()
