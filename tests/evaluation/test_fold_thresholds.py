"""Thresholds of several folds are judged together, each on its own held-out images."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import DatasetError
from lentigo.evaluation import evaluate
from lentigo.evaluation.fold_thresholds import absent_points, judge_points
from lentigo.inference import learnt
from lentigo.models.operating_point import OperatingPoint


def scored(scores: list[float], melanomas: int, *, fold: int) -> pd.DataFrame:
    """Images of one patient each; the first `melanomas` of them are melanomas."""
    names = [f"{fold}-{number}" for number in range(len(scores))]
    return pd.DataFrame(
        {
            "melanoma": [number < melanomas for number in range(len(scores))],
            "probability": scores,
            "group": names,
            "fold": fold,
        }
    )


def point(threshold: float | None, name: str = "mean_sensitivity_95") -> OperatingPoint:
    return OperatingPoint(
        name=name,
        kind="mean_sensitivity",
        sensitivity=0.95,
        threshold=threshold,
        absent="" if threshold is not None else "It takes 19.",
        chosen_on="validation images",
        n_melanomas=20,
    )


def test_each_fold_is_judged_at_its_own_threshold() -> None:
    held_out = pd.concat(
        [
            scored([0.6, 0.4, 0.55, 0.3], 2, fold=0),  # 1 of 2 found, 1 false alarm
            scored([0.8, 0.75, 0.65, 0.3], 2, fold=1),  # 2 of 2 found, none
        ]
    )
    (found,) = judge_points(held_out, {0: [point(0.5)], 1: [point(0.7)]})
    assert (found.found, found.n_melanomas, found.false_alarms) == (3, 4, 1)
    assert found.figures["sensitivity"].value == 3 / 4
    assert found.figures["specificity"].value == 3 / 4
    assert found.figures["sensitivity"].low < 3 / 4 < found.figures["sensitivity"].high
    assert "finds 3 of 4 judged melanomas" in found.as_line()
    assert "to find 95 % of melanomas on average" in found.as_line()
    assert found.as_dict()["thresholds"] == {"0": 0.5, "1": 0.7}


def test_points_of_several_names_are_judged_one_by_one() -> None:
    held_out = scored([0.6, 0.4, 0.55, 0.3], 2, fold=0)
    both = [point(0.5), point(0.35, "youden")]
    assert [each.found for each in judge_points(held_out, {0: both})] == [1, 2]


def test_a_fold_without_a_threshold_is_left_out_and_says_why() -> None:
    held_out = pd.concat(
        [scored([0.6, 0.4], 1, fold=0), scored([0.8, 0.75, 0.65], 2, fold=1)]
    )
    (found,) = judge_points(held_out, {0: [point(0.5)], 1: [point(None)]})
    assert (found.n_images, found.n_melanomas) == (2, 1)
    assert judge_points(held_out, {0: [], 1: [point(None)]}) == []
    assert absent_points({0: [point(None)]}) == [
        "No threshold to find 95 % of melanomas on average. It takes 19."
    ]
    assert absent_points({0: [], 3: [point(None)]})[0].startswith("Fold 3: no threshold")


def judged() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and truth of four melanomas and four other images."""
    names = [f"i{number}" for number in range(8)]
    scores = [0.9, 0.8, 0.6, 0.2, 0.7, 0.3, 0.2, 0.1]
    truth = pd.DataFrame({"image_id": names, "melanoma": [1] * 4 + [0] * 4})
    return pd.DataFrame({"image_id": names, "probability": scores}), truth


def test_the_thresholds_of_a_model_are_judged_and_not_chosen() -> None:
    predictions, truth = judged()
    points = [point(0.5), point(None, "sensitivity_95")]
    found = evaluate(predictions, truth, points=points, repeats=20)
    (one,) = found.thresholds
    assert (one.found, one.n_melanomas, one.false_alarms) == (3, 4, 1)
    assert one.figures["sensitivity"].value == 0.75
    assert "finds 3 of 4 judged melanomas" in found.as_text()
    assert "It takes 19." in found.as_text()
    assert found.as_dict()["operating_points"][0]["thresholds"] == {"0": 0.5}
    assert "operating_points" not in evaluate(predictions, truth, repeats=20).as_dict()


def test_thresholds_are_not_judged_on_moved_probabilities() -> None:
    predictions, truth = judged()
    moved = predictions.assign(meant_for=0.1, prevalence=0.02)
    with pytest.raises(DatasetError, match="8 images are for another share"):
        evaluate(moved, truth, points=[point(0.5)], repeats=20)
    evaluate(moved.assign(prevalence=0.1), truth, points=[point(0.5)], repeats=20)


def test_the_command_takes_the_thresholds_of_a_model_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.cohorts import tiny_config
    from tests.inference.test_predict import save

    predictions, truth = judged()
    predictions.to_csv(tmp_path / "p.csv", index=False)
    truth.to_csv(tmp_path / "t.csv", index=False)
    config = tiny_config(model__backbone="test_resnet")
    for fold in range(2):
        model = tmp_path / "run" / f"fold-{fold}" / "model"
        save(model, config=config)
        known = json.loads((model / "model.json").read_text())
        known["operating_points"] = [point(0.5).model_dump(mode="json")]
        (model / "model.json").write_text(json.dumps(known))
    words = ["evaluate", str(tmp_path / "p.csv"), "--truth", str(tmp_path / "t.csv")]
    done = CliRunner().invoke(app, [*words, "--model", str(model)])
    assert done.exit_code == 0, done.output
    assert "finds 3 of 4 judged melanomas" in done.output
    assert "learnt from some of these images cannot be told" in done.output
    names = predictions["image_id"].tolist()[:2]
    monkeypatch.setattr(learnt, "learnt_images", lambda model, parts: names)
    known = CliRunner().invoke(app, [*words, "--model", str(model)])
    said = " ".join(known.output.split())
    assert f"learnt from 2 images of those that judge it ({names[0]}, {names[1]})" in said
    several = CliRunner().invoke(app, [*words, "--model", str(tmp_path / "run")])
    assert several.exit_code == 1
    assert "name the one that predicted" in several.output


def test_thresholds_of_a_model_that_learnt_from_the_judged_images_say_so(
    tmp_path: Path,
) -> None:
    from tests.inference.test_learnt import indexed

    predictions, truth = judged()
    ids = ["a", "c", *(f"n{number}" for number in range(len(truth) - 2))]
    predictions.assign(image_id=ids).to_csv(tmp_path / "p.csv", index=False)
    truth.assign(image_id=ids).to_csv(tmp_path / "t.csv", index=False)
    model = indexed(tmp_path / "model")
    known = json.loads((model / "model.json").read_text())
    known["operating_points"] = [point(0.5).model_dump(mode="json")]
    (model / "model.json").write_text(json.dumps(known))
    words = ["evaluate", str(tmp_path / "p.csv"), "--truth", str(tmp_path / "t.csv")]
    done = CliRunner().invoke(app, [*words, "--model", str(model)])
    assert done.exit_code == 0, done.output
    assert "learnt from 2 images of those that judge it (a, c)" in done.output
    assert "chosen on validation images (2 of the judged images were learnt from)" in (
        done.output
    )
