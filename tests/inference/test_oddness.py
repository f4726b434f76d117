"""Planted odd lesions are found far more often than by chance; few are not judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lentigo.cli.duckling import _share
from lentigo.evaluation.shares import clustered_share
from lentigo.inference.duckling import COLUMNS, _ranked
from lentigo.inference.oddness import oddness


def drawn(
    patients: int, lesions: int, *, odd: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lesions of patients with a look of their own; the first of each is odd by `odd`."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(0, 4, (patients, 8)), lesions, axis=0)
    features = own + rng.normal(0, 1, own.shape)
    first = np.arange(patients * lesions) % lesions == 0
    away = rng.normal(0, 1, (patients, 8))
    away *= odd / np.linalg.norm(away, axis=1, keepdims=True)
    features[first] += away
    return features, np.repeat(np.arange(patients), lesions), first


@pytest.mark.parametrize(("lesions", "least"), [(3, 0.7), (6, 0.9), (20, 0.9)])
def test_planted_odd_lesions_are_found(lesions: int, least: float) -> None:
    features, patient, _ = drawn(60, lesions, odd=8.0)
    found = oddness(features, patient).reshape(60, lesions)
    share = clustered_share(found.argmax(axis=1) == 0, np.arange(60))
    assert share.value >= least
    assert share.low > 1 / lesions


def test_without_an_odd_lesion_the_first_is_no_more_often_the_odd_one() -> None:
    features, patient, _ = drawn(300, 5, odd=0.0)
    found = oddness(features, patient).reshape(300, 5)
    share = clustered_share(found.argmax(axis=1) == 0, np.arange(300))
    assert share.low < 1 / 5 < share.high
    assert 0.7 < np.median(found) < 1.4  # about 1 is usual


def test_a_patient_is_judged_by_own_lesions_and_not_by_those_of_others() -> None:
    # All lesions of the first patient look strange to the rest, and alike among each other.
    features, patient, _ = drawn(30, 5, odd=0.0)
    moved = features + np.where(patient[:, None] == 0, 500.0, 0.0)
    assert oddness(moved, patient) == pytest.approx(oddness(features, patient), rel=0.05)


def test_scale_and_order_do_not_matter() -> None:
    features, patient, _ = drawn(20, 4, odd=6.0)
    found = oddness(features, patient)
    assert oddness(1000 * features + 7, patient) == pytest.approx(found, rel=1e-6)
    order = np.random.default_rng(1).permutation(len(found))
    assert oddness(features[order], patient[order]) == pytest.approx(found[order], rel=1e-6)


def test_of_two_lesions_neither_is_odd() -> None:
    features, patient, _ = drawn(4, 2, odd=5.0)
    assert np.isnan(oddness(features, patient)).all()
    three = np.concatenate([patient, [0]])
    found = oddness(np.concatenate([features, features[:1]]), three)
    assert np.isfinite(found[three == 0]).all()
    assert np.isnan(found[three != 0]).all()
    assert len(oddness(np.zeros((0, 3)), np.zeros(0, dtype=np.intp))) == 0


def test_lesions_that_are_all_alike_are_not_odd() -> None:
    found = oddness(np.ones((6, 4)), np.zeros(6, dtype=np.intp))
    assert (np.nan_to_num(found) < 1e-3).all()


def test_one_patient_alone_gets_a_number_of_the_same_size_as_among_others() -> None:
    features, patient, _ = drawn(30, 5, odd=8.0)
    among = oddness(features, patient)[:5]
    alone = oddness(features[:5], patient[:5])
    assert alone.argmax() == among.argmax() == 0
    assert 0.5 < alone[0] / among[0] < 3


def test_lesions_that_are_all_the_same_but_one_have_the_largest_number() -> None:
    features = np.zeros((5, 4))
    features[2] = 1
    found = oddness(features, np.zeros(5, np.intp))
    assert found[2] == 100
    assert (np.delete(found, 2) <= 1).all()


def test_features_that_are_nearly_always_zero_make_no_lesion_infinitely_odd() -> None:
    # As behind a ReLU: most are zero but for the rounding of 16 bits, some are not.
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (100, 40))
    rare = np.maximum(features[:, 20:] - 1.5, 0)
    features[:, 20:] = rare + rng.uniform(0, 1e-6, rare.shape)
    found = oddness(features, np.repeat(np.arange(5), 20))
    assert found.max() < 10
    assert 0.5 < np.median(found) < 1.5


def test_only_the_oddest_lesion_is_odder_than_all_others() -> None:
    count = 3 * 1000
    rows = pd.DataFrame(
        {
            "person": np.arange(count) // 3,
            "read": True,
            "oddness": np.arange(count, dtype=float),
            "melanoma": pd.array([pd.NA] * count, dtype="boolean"),
            "reason": "",
        }
    )
    for name in COLUMNS:
        if name not in rows:
            rows[name] = "1"
    share = _ranked(rows).table.sort_values("oddness")["odder_than"].to_numpy()
    assert share[-1] == 1
    assert share[-2] == 0.999  # 2,998 of 2,999, which is no whole
    assert (_share(1.0), _share(0.996), _share(0.29)) == ("100 %", "99 %", "29 %")
