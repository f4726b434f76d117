from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ConfigError
from lentigo.evaluation import METRICS, compare, evaluate
from lentigo.json_files import read_json, to_json

_MORE = {"diagnoses", "large groups"}


def tables(images: int = 200, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    ids = [f"ISIC_{number:04}" for number in range(images)]
    melanoma = rng.random(images) < 0.25
    probability = 1 / (1 + np.exp(-(rng.normal(size=images) + 1.5 * melanoma - 1)))
    group = [f"P{number}" for number in rng.integers(images // 4, size=images)]
    predictions = {"image_id": ids, "group_id": group, "probability": probability}
    return pd.DataFrame(predictions), pd.DataFrame({"image_name": ids, "target": melanoma})


def test_every_registered_metric_has_a_value_within_its_interval() -> None:
    predictions, truth = tables()
    found = evaluate(predictions, truth, repeats=200)
    wanted = [m.name for m in METRICS.values() if m.needs not in _MORE]
    assert list(found.metrics) == wanted
    for name, interval in found.metrics.items():
        assert interval.low <= interval.value <= interval.high, name


def test_the_same_seed_gives_the_same_numbers_whatever_the_order_of_the_rows() -> None:
    predictions, truth = tables()
    once = evaluate(predictions, truth, repeats=100)
    again = evaluate(predictions.sample(frac=1, random_state=1), truth, repeats=100)
    assert again.metrics == once.metrics
    assert evaluate(predictions, truth, repeats=100, seed=1).metrics != once.metrics


def test_the_json_has_metrics_and_counts_at_the_top() -> None:
    predictions, truth = tables()
    found = evaluate(predictions, truth, threshold=0.3, repeats=50)
    read = json.loads(to_json(found.as_dict()))
    assert set(read["auc"]) == {"value", "low", "high", "undefined", "rough"}
    assert read["n_images"] == 200
    assert read["n_melanomas"] == truth["target"].sum()
    assert read["n_groups"] == predictions["group_id"].nunique()
    assert read["threshold"] == 0.3
    assert read["repeats"] == 50
    assert sum(read["confusion"].values()) == 200
    assert any("whole groups, by group_id" in note for note in read["notes"])


def test_the_text_shows_value_interval_notes_and_what_it_is_not() -> None:
    predictions, truth = tables()
    found = evaluate(predictions, truth, repeats=50)
    text = found.as_text()
    assert f"{found['auc'].value:.4f}" in text
    assert f"{found['brier'].low:.4f}–{found['brier'].high:.4f}" in text
    assert all(note in text for note in found.notes)
    assert "not a medical device" in text


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_only_is_told_and_undefined(label: int) -> None:
    predictions, truth = tables(30)
    found = evaluate(predictions, truth.assign(target=label), repeats=20)
    assert math.isnan(found["auc"].value)
    assert math.isnan(found["auc_delong"].value)
    assert not math.isnan(found["brier"].value)
    assert any("All images (30) are" in note for note in found.notes)
    assert "undefined" in found.as_text()
    assert json.loads(to_json(found.as_dict()))["auc"]["value"] is None


def test_one_image_is_no_crash() -> None:
    predictions, truth = tables(30)
    found = evaluate(predictions.head(1), truth.head(1), repeats=20)
    assert found.n_images == 1


def test_few_groups_are_told() -> None:
    predictions, truth = tables(60)
    found = evaluate(predictions, truth, repeats=50)
    assert any("rest on these are rough" in note for note in found.notes)


def test_certain_probabilities_are_told() -> None:
    predictions, truth = tables()
    certain = predictions.assign(probability=predictions["probability"].round())
    found = evaluate(certain, truth, repeats=20)
    assert 0 < found["calibration_slope"].value < 1
    assert any("exactly 0 or 1" in note and "0.001 away" in note for note in found.notes)


def test_rough_intervals_are_marked_beside_the_number() -> None:
    predictions, truth = tables(60)
    few = evaluate(predictions, truth, repeats=50)
    assert few["auc"].rough
    line = next(line for line in few.as_text().splitlines() if line.startswith("auc "))
    assert ", rough" in line
    assert few.as_dict()["auc"]["rough"] is True
    assert not evaluate(*tables(2000), repeats=50)["auc"].rough


def test_figures_at_95_percent_sensitivity_are_named_as_chosen_on_the_same_images() -> None:
    found = evaluate(*tables(400), repeats=50)
    assert any("chosen on these images" in note for note in found.notes)
    for name in ("threshold", "specificity", "ppv", "npv"):
        assert "chosen on the same images" in METRICS[f"{name}_at_sensitivity_95"].summary


@pytest.mark.parametrize("right", [True, False])
def test_one_melanoma_and_shares_of_0_and_1_have_intervals(right: bool) -> None:
    predictions, truth = tables(100)
    truth["target"] = np.arange(100) == 7
    certain = np.where(truth["target"] == right, 0.9, 0.1)
    found = evaluate(predictions.assign(probability=certain), truth, repeats=20)
    assert found["sensitivity"].value == float(right)
    for name in ("auc", "sensitivity", "specificity", "ppv", "npv"):
        interval = found[name]
        assert interval.low <= interval.value <= interval.high, name
        assert interval.high - interval.low > 0.01, name


@pytest.mark.parametrize(("threshold", "repeats"), [(-0.1, 100), (1.5, 100), (0.5, 3)])
def test_senseless_settings_are_refused(threshold: float, repeats: int) -> None:
    predictions, truth = tables(30)
    with pytest.raises(ConfigError):
        evaluate(predictions, truth, threshold=threshold, repeats=repeats)


def test_the_challenge_network_scores_as_published(shared: Path) -> None:
    data = shared / "data"
    found = evaluate(
        data / "predictions/isic2019_test/deit3.csv",
        data / "isic2019/ISIC_2019_Test_GroundTruth.csv",
        repeats=100,
    )
    expected = {
        "auc": 0.9254413717654882,
        "auc_delong": 0.9254413717654882,
        "average_precision": 0.7424491721806327,
        "brier": 0.07943094820846462,
        "multiclass_balanced_accuracy": 0.5163083732966471,
        "sensitivity": 0.6940467219,
        "specificity": 0.9334394443,
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-6), name
        assert found[name].low < value < found[name].high, name


@pytest.mark.parametrize("name", ["isic2017_dev", "ham10000_dev"])
def test_the_colour_model_scores_as_scikit_learn_says(shared: Path, name: str) -> None:
    folder = shared / "data" / "predictions" / "out_of_fold"
    expected = read_json(folder / "metrics_sklearn.json")[name]
    path = folder / f"{name}.csv"
    found = evaluate(path, path, repeats=100)
    assert (found.n_images, found.n_melanomas) == (expected["n"], expected["positives"])
    for metric in ("auc", "average_precision", "brier", "log_loss"):
        assert found[metric].value == pytest.approx(expected[metric], abs=1e-6), metric


def test_a_model_compared_with_itself_differs_by_nothing() -> None:
    predictions, truth = tables()
    found = compare(predictions, predictions, truth, repeats=50)
    assert {interval.value for interval in found.metrics.values()} == {0.0}


def test_a_paired_difference_is_narrower_than_the_models_apart() -> None:
    predictions, truth = tables(600)
    rng = np.random.default_rng(5)
    blurred = predictions["probability"] * 0.8 + 0.2 * rng.random(600)
    worse = predictions.assign(probability=blurred)
    found = compare(predictions, worse, truth, repeats=300)
    alone = [evaluate(table, truth, repeats=300)["auc"] for table in (predictions, worse)]
    assert found["auc"].value == pytest.approx(alone[0].value - alone[1].value)
    width = found["auc"].high - found["auc"].low
    assert width < min(interval.high - interval.low for interval in alone)
    formula = found["auc_delong"]
    assert width == pytest.approx(formula.high - formula.low, rel=0.35)
    assert "not a medical device" in found.as_text()


def test_only_images_that_both_predict_are_compared_and_the_rest_is_told() -> None:
    predictions, truth = tables(100)
    found = compare(predictions, predictions.iloc[10:], truth, repeats=20)
    assert found.n_images == 90
    assert any("10 images only in the first table left out" in note for note in found.notes)
    assert found.as_dict()["auc"]["value"] == 0
