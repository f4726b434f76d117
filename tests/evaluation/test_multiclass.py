from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from lentigo.evaluation.intervals import clustered_bootstrap
from lentigo.evaluation.joining import match
from lentigo.evaluation.multiclass import Classes, balanced_accuracy, find_diagnoses

TRUTH = pd.DataFrame(
    {"image": list("abcd"), "MEL": [1, 0, 0, 0], "NV": [0, 1, 1, 0], "BCC": [0, 0, 0, 1]}
)
PREDICTED = pd.DataFrame(
    {
        "image_id": list("abcd"),
        "p_bcc": [0.1, 0.2, 0.6, 0.1],
        "p_mel": [0.8, 0.1, 0.1, 0.5],
        "p_nv": [0.1, 0.7, 0.3, 0.4],
    }
)


def test_classes_are_matched_by_name_in_whatever_order() -> None:
    found, notes = find_diagnoses(match(PREDICTED, TRUTH).table)
    assert found is not None
    assert found.names == ("MEL", "NV", "BCC")
    assert found.truth.tolist() == [0, 1, 1, 2]
    assert found.called.tolist() == [0, 1, 2, 0]
    assert "MEL, NV, BCC" in notes[0]
    # Recall of melanoma 1/1, of nevus 1/2, of basal cell carcinoma 0/1.
    assert balanced_accuracy(found.truth, found.called) == pytest.approx(
        (1 + 1 / 2 + 0) / 3
    )


def test_two_classes_are_too_few() -> None:
    assert find_diagnoses(match(PREDICTED, TRUTH.drop(columns="BCC")).table) == (None, [])


def test_an_image_of_no_class_is_told_not_counted_as_the_first() -> None:
    found, notes = find_diagnoses(match(PREDICTED, TRUTH.assign(BCC=0)).table)
    assert found is None
    assert "1 image of none or several of these" in notes[0]
    assert notes[0].endswith("d.")


def test_resampled_balanced_accuracy_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=200)
    called = np.where(rng.random(200) < 0.6, truth, rng.integers(4, size=200))
    diagnoses = find_diagnoses(_one_hot(truth, called))[0]
    assert diagnoses is not None
    group = np.arange(200)
    found = clustered_bootstrap([Classes(diagnoses, group, 200)], groups=200, repeats=200)
    interval = found["multiclass_balanced_accuracy"]
    assert interval.value == pytest.approx(balanced_accuracy_score(truth, called))
    assert interval.low < interval.value < interval.high


def _one_hot(truth: np.ndarray, called: np.ndarray) -> pd.DataFrame:
    names = ["mel", "nv", "bcc", "df"]
    ids = [f"i{number:03}" for number in range(len(truth))]
    hot = pd.DataFrame(np.eye(4)[truth], columns=names).assign(image_id=ids)
    score = pd.DataFrame(np.eye(4)[called], columns=names).assign(image_id=ids)
    return match(score, hot).table


@pytest.mark.parametrize("order", [["MEL", "NV", "BCC"], ["BCC", "NV", "MEL"]])
def test_of_tied_diagnoses_none_is_called_whatever_the_order(order: list[str]) -> None:
    """Image a ties between melanoma and nevus, and is of melanoma: a wrong answer."""
    tied = PREDICTED.copy()
    tied.loc[tied["image_id"] == "a", ["p_mel", "p_nv"]] = 0.4
    tied.loc[tied["image_id"] == "a", "p_bcc"] = 0.2
    columns = ["p_" + name.lower() for name in order]
    others = [name for name in tied if name not in columns]
    found, notes = find_diagnoses(match(tied[[*others, *columns]], TRUTH).table)
    assert found is not None
    assert found.called.tolist()[0] == -1
    assert balanced_accuracy(found.truth, found.called) == pytest.approx((0 + 1 / 2) / 3)
    assert "1 image of 4 has several diagnoses of the highest probability" in notes[1]
