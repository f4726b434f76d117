from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.baselines import metadata_baseline
from lentigo.curation import assign_folds, assign_groups
from lentigo.errors import ColumnError, DatasetError, LeakError
from lentigo.evaluation import evaluate
from lentigo.tables import check_predictions, check_table


def cohort(images: int = 400, *, seed: int = 0) -> pd.DataFrame:
    """Melanoma grows with age; some ages, sexes and sites are missing."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, size=images).astype(float)
    table = pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(images)],
            "group_id": [f"g{number // 2}" for number in range(images)],
            "melanoma": rng.random(images) < ((age - 20) / 90) ** 2,
            "age": np.where(rng.random(images) < 0.1, np.nan, age),
            "sex": rng.choice(np.array(["male", "female", None]), images),
            "site": rng.choice(np.array(["torso", "head/neck", None]), images),
            "diagnosis": "nevus",
            "fold": np.arange(images) // 2 % 4,
        }
    )
    return check_table(table, source="a cohort")


def test_siim_scores_between_066_and_068_by_patient(siim: pd.DataFrame) -> None:
    labelled = siim[siim["melanoma"].notna()].reset_index(drop=True)
    dealt = assign_folds(assign_groups(labelled), folds=5, seed=0)
    found = evaluate(metadata_baseline(dealt), dealt, repeats=100)
    assert found.n_images == 33_126
    assert found.n_groups == 2_056
    assert 0.66 <= found["auc"].value <= 0.68


@pytest.mark.parametrize("leak", ["diagnosis", "benign_malignant", "malignant", "melanoma"])
def test_a_feature_that_is_the_answer_is_refused(leak: str) -> None:
    with pytest.raises(LeakError, match=leak):
        metadata_baseline(cohort(), features=("age", leak))


def test_every_row_is_predicted_by_a_model_that_did_not_see_its_fold() -> None:
    table = cohort()
    whole = metadata_baseline(table)
    # What fold 0 is told about itself must not change what is predicted for it.
    lied = table.assign(melanoma=table["melanoma"] ^ (table["fold"] == 0))
    again = metadata_baseline(lied)
    own = (table["fold"] == 0).to_numpy()
    np.testing.assert_array_equal(
        whole.loc[own, "probability"], again.loc[own, "probability"]
    )
    assert (whole.loc[~own, "probability"] != again.loc[~own, "probability"]).all()


def test_the_result_is_a_prediction_table_in_the_order_of_the_rows() -> None:
    table = cohort()
    found = metadata_baseline(table)
    check_predictions(found, source="the baseline")
    assert list(found) == ["image_id", "group_id", "probability", "logit", "fold", "reason"]
    assert found["image_id"].tolist() == table["image_id"].tolist()
    assert evaluate(found, table, repeats=20)["auc"].value > 0.6


def test_roles_say_who_learns_and_who_is_judged() -> None:
    table = cohort()
    role = table["fold"].map({0: "test", 1: "validation", 2: "train", 3: "train"})
    found = metadata_baseline(table, role=role)
    assert found["image_id"].tolist() == table.loc[role == "test", "image_id"].tolist()
    out_of_fold = metadata_baseline(table).set_index("image_id").loc[found["image_id"]]
    np.testing.assert_allclose(found["probability"], out_of_fold["probability"])


def test_unlabelled_rows_are_predicted_but_teach_nothing() -> None:
    table = cohort()
    table.loc[table["fold"] == 1, "melanoma"] = pd.NA
    assert metadata_baseline(table)["probability"].notna().all()


def test_columns_that_are_all_missing_still_have_an_answer() -> None:
    bare = cohort().assign(
        age=np.nan, sex=pd.Series(pd.NA, index=range(400), dtype="string")
    )
    assert metadata_baseline(bare)["probability"].between(0, 1).all()


def test_a_site_that_was_never_learned_still_has_an_answer() -> None:
    table = cohort()
    table.loc[table["fold"] == 0, "site"] = "palms/soles"
    assert metadata_baseline(table)["probability"].between(0, 1).all()


def test_a_table_without_melanoma_is_refused() -> None:
    with pytest.raises(DatasetError, match="0 melanomas"):
        metadata_baseline(cohort().assign(melanoma=False))


def test_a_feature_that_is_not_there_is_named() -> None:
    with pytest.raises(ColumnError, match="weight"):
        metadata_baseline(cohort(), features=("age", "weight"))


def test_rows_without_a_fold_are_refused() -> None:
    table = cohort()
    table.loc[3, "fold"] = pd.NA
    with pytest.raises(ColumnError, match="fold"):
        metadata_baseline(table)


def in_detail(images: int = 600) -> pd.DataFrame:
    """Melanomas are on the back and not on the chest, and both are the torso."""
    rng = np.random.default_rng(2)
    table = cohort(images).assign(site="torso", age=50.0, sex="male")
    word = rng.choice(np.array(["back", "chest"], dtype=object), images)
    risk = np.where(word == "back", 0.6, 0.1)
    return table.assign(site_detail=word, melanoma=rng.random(images) < risk)


def test_the_archives_own_word_for_the_site_is_used_beside_it() -> None:
    table = in_detail()
    found = evaluate(metadata_baseline(table), table, repeats=20)["auc"].value
    # Told by the word alone: all pairs but those of one word, which count half.
    assert found == pytest.approx(
        roc_auc_score(table["melanoma"], word_only(table)), abs=0.03
    )
    assert found > 0.7
    coarse = metadata_baseline(table.drop(columns="site_detail"))
    assert coarse["probability"].std() < 0.02


def word_only(table: pd.DataFrame) -> pd.Series[bool]:
    return table["site_detail"] == "back"


def test_a_rare_or_missing_word_for_the_site_counts_as_the_site_alone() -> None:
    table = in_detail()
    rare = table.index[:8]
    table.loc[rare, "site_detail"] = [f"{place} of the back" for place in range(7)] + [None]
    table.loc[rare, "fold"] = 0
    of_rare = metadata_baseline(table)["probability"].iloc[:7]
    assert len(set(of_rare)) == 1
    known = metadata_baseline(table)["probability"].groupby(table["site_detail"]).mean()
    assert known["chest"] < of_rare.iloc[0] < known["back"]
    assert metadata_baseline(table, features=("age",))["probability"].notna().all()
