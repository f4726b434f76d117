from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from lentigo.evaluation import intervals
from lentigo.evaluation.discrimination import FloatArray, delong_interval
from lentigo.evaluation.intervals import (
    Interval,
    Statistic,
    clustered_bootstrap,
    draws,
    percentile_interval,
    point,
    resample,
    share_like_interval,
)
from lentigo.evaluation.operating_points import confusion, threshold_at_sensitivity
from lentigo.evaluation.sums import Calls, Errors, Precision, Ranking, Sample


def draw_sample(
    seed: int, *, images: int = 60, groups: int = 20, levels: int = 12
) -> Sample:
    """Images with tied scores, in groups of unequal size, some groups empty of melanoma."""
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(groups), rng.integers(groups, size=images - groups)])
    truth = rng.random(images) < 0.3
    score = np.clip(
        np.round((rng.random(images) + 0.4 * truth) * levels / 1.4) / levels, 0, 1
    )
    return Sample(truth, score, group.astype(np.intp), groups)


def all_statistics(sample: Sample) -> list[Statistic]:
    return [Ranking(sample), Calls(sample, 0.5), Errors(sample)]


def naive(sample: Sample, counts: FloatArray) -> dict[str, float]:
    """Every metric on the images that were really drawn, one by one, by other libraries."""
    rows = np.repeat(np.arange(len(sample.truth)), counts[sample.group].astype(int))
    truth, score = sample.truth[rows], sample.score[rows]
    if truth.all() or not truth.any():
        return {}
    fixed = confusion(truth, score, threshold=0.5)
    threshold = threshold_at_sensitivity(truth, score)
    sensitive = confusion(truth, score, threshold=threshold)
    return {
        "auc": roc_auc_score(truth, score),
        "average_precision": average_precision_score(truth, score),
        "brier": brier_score_loss(truth, score),
        "log_loss": log_loss(truth, score),
        "sensitivity": fixed.sensitivity,
        "specificity": fixed.specificity,
        "ppv": fixed.ppv,
        "npv": fixed.npv,
        "balanced_accuracy": fixed.balanced_accuracy,
        "threshold_at_sensitivity_95": threshold,
        "specificity_at_sensitivity_95": sensitive.specificity,
        "ppv_at_sensitivity_95": sensitive.ppv,
        "npv_at_sensitivity_95": sensitive.npv,
    }


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_the_fast_way_equals_drawing_the_images_one_by_one(seed: int) -> None:
    sample = draw_sample(seed)
    fast = resample(all_statistics(sample), groups=sample.groups, repeats=8, seed=seed)
    for place, counts in enumerate(draws(sample.groups, repeats=8, seed=seed)):
        for name, value in naive(sample, counts).items():
            assert fast[name][place] == pytest.approx(value, abs=1e-12, nan_ok=True), name


def test_the_point_is_the_metric_of_the_sample() -> None:
    sample = draw_sample(3)
    values = point(all_statistics(sample))
    assert values == pytest.approx(naive(sample, np.ones(sample.groups)), abs=1e-12)


def test_the_size_of_the_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = draw_sample(4)
    whole = resample(all_statistics(sample), groups=sample.groups, repeats=50, seed=0)
    monkeypatch.setattr(intervals, "_CHUNK_NUMBERS", 150)
    pieces = resample(all_statistics(sample), groups=sample.groups, repeats=50, seed=0)
    for name, values in whole.items():
        np.testing.assert_allclose(pieces[name], values, rtol=1e-12)


def test_each_resample_draws_as_many_groups_as_there_are() -> None:
    counts = np.stack(list(draws(7, repeats=3000, seed=0)))
    assert (counts.sum(axis=1) == 7).all()
    # Multinomial: mean 1, variance 1 - 1/7.
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.08)
    assert counts.var(axis=0) == pytest.approx(6 / 7, abs=0.1)


def test_single_images_give_about_the_width_of_delong() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(1500) < 0.2
    score = 1 / (1 + np.exp(-(rng.normal(size=1500) + truth)))
    sample = Sample(truth, score, np.arange(1500), 1500)
    found = clustered_bootstrap([Ranking(sample)], groups=1500, repeats=2000)["auc"]
    formula = delong_interval(truth, score)
    assert found.value == pytest.approx(formula.value)
    assert found.high - found.low == pytest.approx(formula.high - formula.low, rel=0.06)


def test_copies_of_an_image_within_a_group_do_not_narrow_the_interval() -> None:
    sample = draw_sample(5, images=200, groups=200)
    truth, score, group = (
        np.tile(a, 4) for a in (sample.truth, sample.score, sample.group)
    )
    copies = Sample(truth.astype(bool), score.astype(float), group.astype(np.intp), 200)
    once = clustered_bootstrap(all_statistics(sample), groups=200, repeats=200)
    four = clustered_bootstrap(all_statistics(copies), groups=200, repeats=200)
    for name, interval in once.items():
        assert four[name].as_dict() == pytest.approx(interval.as_dict(), nan_ok=True), name


def test_the_interval_covers_with_patients_where_single_images_do_not() -> None:
    # Ten images of each of 50 patients, all with the patient's own shift.
    rng = np.random.default_rng(2)
    patients, each, rounds = 50, 10, 60
    alone = np.arange(patients * each)
    group = alone // each
    true_auc = 0.5 * (1 + math.erf(1.0 / 2 / math.sqrt(2)))
    covered = {"patient": 0, "image": 0}
    for _ in range(rounds):
        truth = (np.arange(patients) % 2 == 0)[group]
        score = truth + rng.normal(size=patients)[group] + rng.normal(size=len(group))
        for name, by in (("patient", group), ("image", alone)):
            count = int(by.max()) + 1
            statistic = Ranking(Sample(truth, score, by, count))
            found = clustered_bootstrap([statistic], groups=count, repeats=200)["auc"]
            covered[name] += found.low <= true_auc <= found.high
    assert covered["patient"] >= 0.85 * rounds
    assert covered["image"] <= 0.7 * rounds


def test_resamples_without_an_answer_are_counted() -> None:
    # One melanoma in three groups: (2/3)^3 of the resamples miss it.
    sample = Sample(np.array([1, 0, 0], bool), np.array([0.9, 0.2, 0.1]), np.arange(3), 3)
    found = clustered_bootstrap([Ranking(sample)], groups=3, repeats=3000)["auc"]
    assert found.value == 1
    # Nor is there an AUC where all three are the melanoma: (1/3)^3.
    assert found.undefined / 3000 == pytest.approx(8 / 27 + 1 / 27, abs=0.03)


def test_one_group_has_no_interval() -> None:
    sample = Sample(np.array([1, 0], bool), np.array([0.9, 0.2]), np.zeros(2, np.intp), 1)
    found = clustered_bootstrap([Ranking(sample)], groups=1)["auc"]
    assert found.value == 1
    assert math.isnan(found.low)


@pytest.mark.parametrize("truth", [False, True])
def test_one_class_only_leaves_nan_and_no_crash(truth: bool) -> None:
    sample = Sample(np.full(4, truth), np.arange(4) / 4, np.arange(4), 4)
    found = clustered_bootstrap(all_statistics(sample), groups=4, repeats=20)
    assert math.isnan(found["auc"].value)
    assert found["auc"].undefined == 20
    assert math.isnan(found["specificity" if truth else "sensitivity"].value)
    assert not math.isnan(found["brier"].low)


def test_an_interval_is_the_middle_95_percent() -> None:
    interval = percentile_interval(50, np.append(np.arange(101.0), math.nan))
    assert (interval.low, interval.high, interval.undefined) == (2.5, 97.5, 1)


@pytest.mark.parametrize(("value", "low", "high"), [(1.0, 0.6915, 1.0), (0.0, 0.0, 0.3085)])
def test_a_value_of_0_or_1_has_the_exact_bound_of_as_many_groups(
    value: float, low: float, high: float
) -> None:
    found = share_like_interval(value, np.full(100, value), freedom=9)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)  # 10 of 10


def test_many_single_images_are_drawn_by_kind_with_the_same_spread() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(6000) < 60
    score: FloatArray = np.round(rng.normal(size=6000) + 1.5 * truth, 2).astype(np.float64)
    sample = Sample(truth, score, np.arange(6000), 6000)
    by_kind, one_by_one = (
        resample([Precision(sample)], groups=6000, repeats=600, seed=0, by_kind=kind)[
            "average_precision"
        ]
        for kind in (True, False)
    )
    assert not np.array_equal(by_kind, one_by_one)
    assert by_kind.mean() == pytest.approx(one_by_one.mean(), abs=0.01)
    assert by_kind.std() == pytest.approx(one_by_one.std(), rel=0.12)


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (Interval(math.nan), "undefined"),
        (Interval(0.5), "0.500"),
        (Interval(0.873, 0.861, 0.885), "0.873 (0.861–0.885)"),
        (Interval(-0.1, -0.2, 0.05, rough=True), "-0.100 (-0.200 to 0.050, rough)"),
    ],
)
def test_a_number_is_written_with_its_interval(interval: Interval, said: str) -> None:
    assert interval.in_words == said
