"""The table of a drawn set: what is random, what is fixed, and what may help whom."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from lentigo.datasets.synthetic import best_reachable_auc, draw_features
from lentigo.datasets.synthetic.cohort import NOTE
from lentigo.datasets.synthetic.model import (
    FEATURES,
    NUISANCES,
    Lesion,
    draw_visible,
    probability,
)
from lentigo.errors import ColumnError, ConfigError


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return draw_features(9_000, seed=5)


def test_the_same_seed_is_the_same_table_and_another_is_not() -> None:
    pd.testing.assert_frame_equal(draw_features(50, seed=3), draw_features(50, seed=3))
    assert not draw_features(50, seed=3)["lesion_seed"].equals(
        draw_features(50, seed=4)["lesion_seed"]
    )


def test_a_row_does_not_depend_on_how_many_follow() -> None:
    pd.testing.assert_frame_equal(
        draw_features(80, seed=3).head(30), draw_features(30, seed=3)
    )


def test_about_eight_in_a_hundred_are_melanomas(cohort: pd.DataFrame) -> None:
    assert cohort["melanoma"].mean() == pytest.approx(0.08, abs=0.01)
    # A label is a draw from the probability, so their means agree.
    assert cohort["true_probability"].mean() == pytest.approx(
        cohort["melanoma"].mean(), abs=0.008
    )


def test_labels_come_true_as_often_as_promised(cohort: pd.DataFrame) -> None:
    lesions = cohort.drop_duplicates("lesion_id")
    parts = pd.cut(lesions["true_probability"], [0, 0.02, 0.1, 0.3, 0.6, 1])
    for _, part in lesions.groupby(parts, observed=True):
        promised = part["true_probability"].mean()
        error = math.sqrt(promised * (1 - promised) / len(part))
        assert part["melanoma"].mean() == pytest.approx(promised, abs=3.5 * error)


def test_the_best_reachable_auc_is_high_but_not_perfect(cohort: pd.DataFrame) -> None:
    assert 0.92 <= best_reachable_auc(cohort) <= 0.955


def test_the_best_reachable_auc_is_that_of_scikit_learn(cohort: pd.DataFrame) -> None:
    some = cohort.head(3_000)  # repeated photographs are ties
    expected = roc_auc_score(some["melanoma"].astype(bool), some["true_probability"])
    assert best_reachable_auc(some) == pytest.approx(expected, abs=1e-12)


def test_the_best_reachable_auc_counts_pairs() -> None:
    table = pd.DataFrame(
        {
            "melanoma": pd.array([True, True, False, False, None], dtype="boolean"),
            "true_probability": [0.9, 0.4, 0.4, 0.1, 0.99],
        }
    )
    # 0.9 beats both, 0.4 beats one and ties with one; the unlabelled row is left out.
    assert best_reachable_auc(table) == (1 + 1 + 1 + 0.5) / 4
    assert math.isnan(best_reachable_auc(table.head(2)))


def test_another_table_has_no_best_reachable_auc() -> None:
    with pytest.raises(ColumnError, match="true_probability"):
        best_reachable_auc(pd.DataFrame({"melanoma": [True, False]}))


def test_age_sex_and_site_alone_say_a_little(cohort: pd.DataFrame) -> None:
    words = pd.get_dummies(cohort[["sex", "site"]].astype(object), dummy_na=True)
    age = cohort["age"].fillna(cohort["age"].median()) / 20
    known = np.column_stack([words.to_numpy(dtype=float), age, cohort["age"].isna()])
    chance = cross_val_predict(
        LogisticRegression(max_iter=500),
        known.astype(float),
        cohort["melanoma"].to_numpy(dtype=bool),
        groups=cohort["patient_id"],
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]
    assert 0.62 <= roc_auc_score(cohort["melanoma"].astype(bool), chance) <= 0.70


@pytest.mark.parametrize("name", [*NUISANCES, "skin_type", "pigment", "zoom"])
def test_nuisances_know_nothing_of_the_label(cohort: pd.DataFrame, name: str) -> None:
    auc = roc_auc_score(cohort["melanoma"].astype(bool), cohort[name].astype(float))
    # The standard error is 0.01 at 720 melanomas; patients' skin varies more slowly.
    assert auc == pytest.approx(0.5, abs=0.035)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_points_to_melanoma(cohort: pd.DataFrame, name: str) -> None:
    assert roc_auc_score(cohort["melanoma"].astype(bool), cohort[name]) > 0.75
    assert probability(_with(name, 0.9)) > probability(_with(name, 0.1))


def test_photographs_of_a_lesion_share_what_belongs_to_it(cohort: pd.DataFrame) -> None:
    of_lesion = ["patient_id", "site", "melanoma", "true_probability", *FEATURES]
    repeated = cohort[cohort["lesion_id"].duplicated(keep=False)]
    assert 0.2 < len(repeated) / len(cohort) < 0.5
    once = repeated[["lesion_id", *of_lesion]].drop_duplicates()
    assert len(once) == repeated["lesion_id"].nunique()
    assert not repeated.duplicated(["lesion_id", "rotation"]).any()


def test_a_patient_has_one_age_one_sex_one_skin(cohort: pd.DataFrame) -> None:
    of_patient = ["age", "sex", "skin_type", "skin_tone"]
    people = cohort[["patient_id", *of_patient]].drop_duplicates()
    assert len(people) == cohort["patient_id"].nunique()
    assert cohort.groupby("patient_id")["lesion_id"].nunique().max() > 3
    assert (cohort["age"].dropna() % 5 == 0).all()


def test_some_entries_are_missing_whatever_the_label(cohort: pd.DataFrame) -> None:
    for name in ("age", "sex", "site"):
        assert 0.01 < cohort[name].isna().mean() < 0.08
        by_label = cohort[name].isna().groupby(cohort["melanoma"]).mean()
        assert abs(by_label[True] - by_label[False]) < 0.025


def test_the_table_says_that_it_is_drawn() -> None:
    table = draw_features(3)
    assert "says nothing about real melanoma" in NOTE
    assert set(table["dataset"]) == {"synthetic"}
    assert set(table["modality"]) == {"dermoscopy"}


@pytest.mark.parametrize("wrong", [{"images": 0}, {"images": 3, "seed": -1}])
def test_senseless_counts_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="give"):
        draw_features(**wrong)


def _with(name: str, share: float) -> Lesion:
    value = 3 + 9 * share if name == "diameter_mm" else share
    return Lesion(**{name: value})  # type: ignore[arg-type]


def test_features_of_a_drawn_lesion_are_shares_that_rise_with_its_atypia() -> None:
    def drawn(atypia: float) -> list[float]:
        rng = np.random.default_rng(0)
        lesions = [draw_visible(atypia, 0.5, rng) for _ in range(200)]
        return [each.asymmetry for each in lesions]

    benign, atypical = drawn(0.1), drawn(0.8)
    assert np.mean(atypical) > np.mean(benign) + 0.5
    assert min(benign) == 0.0
    assert max(atypical) <= 1.0
    # So that the truth beside the images reads, and is the same on any machine.
    assert all(value == round(value, 4) for value in atypical)
