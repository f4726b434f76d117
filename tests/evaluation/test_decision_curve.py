"""The decision curve on images that are counted by eye, and at its ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.decision_curve import REFERRAL, decision_curve, shown_thresholds
from lentigo.evaluation.sums import Sample

TRUTH = np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
SCORE = np.array([0.6, 0.2, 0.5, 0.3, 0.1, 0.1, 0.02, 0.02])
SAMPLE = Sample(TRUTH, SCORE, np.arange(8), 8)


def test_net_benefit_is_counted_by_eye() -> None:
    found = decision_curve(SAMPLE, np.array([0.0, 0.2, 0.5]))
    # From 20 %: both melanomas, two false alarms at a quarter; from 50 %: one and one.
    assert found["net_benefit"].tolist() == pytest.approx([2 / 8, 1.5 / 8, 0.0])
    assert found["excise_all"].tolist() == pytest.approx([2 / 8, (2 - 6 / 4) / 8, -4 / 8])
    assert found["called"].tolist() == [1, 4 / 8, 2 / 8]


def test_it_is_the_formula_of_vickers_and_elkin() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.2
    score = np.clip(rng.random(500) * 0.5 + 0.3 * truth, 0, 1)
    sample = Sample(truth, score, np.arange(500), 500)
    found = decision_curve(sample, np.linspace(0.01, 0.6, 20))
    for at, benefit in zip(found["threshold"], found["net_benefit"], strict=True):
        hit = score >= at
        tp, fp = np.count_nonzero(hit & truth), np.count_nonzero(hit & ~truth)
        assert benefit == pytest.approx(tp / 500 - fp / 500 * at / (1 - at), abs=1e-12)


def test_the_band_takes_groups_as_the_unit() -> None:
    doubled = Sample(
        np.repeat(TRUTH, 2), np.repeat(SCORE, 2), np.repeat(np.arange(8), 2), 8
    )
    single = Sample(np.repeat(TRUTH, 2), np.repeat(SCORE, 2), np.arange(16), 16)
    at = np.array([0.2])
    wide, narrow = decision_curve(doubled, at).loc[0], decision_curve(single, at).loc[0]
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]
    assert wide["low"] < wide["net_benefit"] < wide["high"]
    one = Sample(TRUTH, SCORE, np.zeros(8, dtype=np.intp), 1)
    assert math.isnan(decision_curve(one, at)["low"][0])


def test_the_thresholds_hold_the_risk_of_referral_and_end_where_little_is_called() -> None:
    for prevalence, top in ((0.001, 0.15), (0.1, 0.3), (0.9, 0.9)):
        shown = shown_thresholds(prevalence)
        assert REFERRAL in shown
        assert shown[0] == 0
        assert shown[-1] == pytest.approx(top)


def test_no_image_has_no_curve() -> None:
    nobody = Sample(TRUTH[:0], SCORE[:0], np.arange(0), 0)
    assert decision_curve(nobody, shown_thresholds(0.0)).empty
