"""Several networks a fold: each by itself, and their mean as the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lentigo
from lentigo.config import with_settings
from lentigo.errors import ModelError
from lentigo.evaluation.discrimination import auc
from lentigo.export import export
from lentigo.export.images import images_by_role
from lentigo.models.calibration import (
    Calibration,
    Compared,
    NoCalibration,
    Platt,
    Temperature,
)
from lentigo.models.description import read_description
from lentigo.models.facts import Measured
from lentigo.recipes import recipe
from lentigo.run_layout import RunLayout, fold_of
from lentigo.tables import read_any_table
from lentigo.training.ensemble import mean_of, with_line
from lentigo.training.run import settled
from tests.cohorts import draw_cohort, tiny_config

MEMBERS: tuple[dict[str, Any], ...] = (
    {},
    {"training.target": "diagnosis", "training.image_size": 40, "imaging.view": ["hsv"]},
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=80)


@pytest.fixture(scope="module")
def trained(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    config = tiny_config(members=MEMBERS, split__folds=5)
    return lentigo.train(
        cohort, config, folds=2, out=tmp_path_factory.mktemp("run") / "run"
    )


def test_each_member_is_a_model_of_its_own(trained: lentigo.Run) -> None:
    fold = trained.layout.fold(0)
    assert [each.name for each in fold.members()] == [
        f"fold-0 member-{k}" for k in range(2)
    ]
    for member in fold.members():
        own = lentigo.load(member.folder)
        assert len(own.members) == 1
        assert read_any_table(member.metrics)["epoch"].tolist() == [1, 2]


def test_members_are_judged_and_chosen_on_the_same_images(trained: lentigo.Run) -> None:
    for fold in trained.layout.folds():
        for table in ("predictions", "validation"):
            whole = read_any_table(getattr(fold, table))
            for member in fold.members():
                own = read_any_table(getattr(member, table))
                assert own["image_id"].tolist() == whole["image_id"].tolist()


def test_the_answer_is_the_mean_of_the_members(trained: lentigo.Run) -> None:
    for fold in trained.layout.folds():
        own = [read_any_table(each.predictions) for each in fold.members()]
        known = read_description(fold.model)
        logits = [
            member.calibration.apply(table["raw_logit"])
            for member, table in zip(known.members, own, strict=True)
        ]
        found = read_any_table(fold.predictions)
        assert np.allclose(found["logit"], np.mean(logits, axis=0), atol=1e-9)
        assert known.calibration.method == "none"


def test_members_without_a_calibration_count_alike_in_the_mean(
    trained: lentigo.Run,
) -> None:
    """Ten melanomas are too few to calibrate on, so they get one spread."""
    for fold in trained.layout.folds():
        known = read_description(fold.model)
        assert [each.calibration.method for each in known.members] == ["spread"] * 2
        own = [read_any_table(each.validation)["raw_logit"] for each in fold.members()]
        moved = [
            each.calibration.apply(raw)
            for each, raw in zip(known.members, own, strict=True)
        ]
        assert np.std(moved[0]) == pytest.approx(np.std(moved[1]))
        card = (fold.model / "card.md").read_text(encoding="utf-8")
        assert "not calibrated, but brought to the spread" in card


def test_diagnoses_are_those_of_the_members_that_tell_them(trained: lentigo.Run) -> None:
    fold = trained.layout.fold(0)
    mean, own = (read_any_table(place.predictions) for place in (fold, fold.member(1)))
    names = [name for name in own if str(name).startswith("probability_")]
    assert set(names) > {"probability_melanoma"}
    assert mean[names].sum(axis=1).to_numpy() == pytest.approx(1.0)
    rest = [name for name in names if name != "probability_melanoma"]
    shares = [each[rest].div(each[rest].sum(axis=1), axis=0) for each in (mean, own)]
    assert np.allclose(shares[0].to_numpy(), shares[1].to_numpy(), atol=1e-6)


def test_the_loaded_model_repeats_the_held_out_predictions(trained: lentigo.Run) -> None:
    paths = trained.table.set_index("image_id")["path"]
    for fold in trained.layout.folds():
        kept = read_any_table(fold.predictions)
        model = lentigo.load(fold.folder)
        assert len(model.members) == 2
        again = model.predict([Path(paths[name]) for name in kept["image_id"]])
        assert np.allclose(again["logit"], kept["logit"], atol=1e-4)
        names = [name for name in kept if str(name).startswith("probability_")]
        assert np.allclose(again[names], kept[names], atol=1e-4)
        assert [point.name for point in model.operating_points]


def test_the_members_are_exported_as_one_folder(
    trained: lentigo.Run, tmp_path: Path
) -> None:
    exported = export(trained.layout.fold(0).folder, tmp_path / "model")
    assert len(exported.description.members) == 2
    some = [Path(path) for path in trained.table["path"].head(4)]
    torch, onnx = (
        lentigo.load(place, engine=engine).predict(some)["probability"]
        for place, engine in (
            (trained.layout.fold(0).folder, "torch"), (tmp_path / "model", "onnx"),
        )
    )  # fmt: skip
    assert np.allclose(torch, onnx, atol=1e-4)


def test_each_member_finds_the_images_of_its_fold(trained: lentigo.Run) -> None:
    """Eight-bit networks are made and judged with them."""
    member = trained.layout.fold(1).member(1)
    (own,) = read_description(member.model).members
    seen = images_by_role(member.folder)[fold_of(own.name)]
    judged = read_any_table(member.predictions)["image_id"]
    assert sorted(seen.held_out["image_id"]) == sorted(judged)


def test_a_stopped_run_goes_on_with_the_member_that_was_not_done(
    trained: lentigo.Run, cohort: pd.DataFrame
) -> None:
    fold = trained.layout.fold(1)
    before = fold.predictions.read_bytes(), trained.layout.predictions.read_bytes()
    kept = fold.member(0).predictions
    written = kept.stat().st_mtime_ns
    for path in (
        fold.member(1).predictions, fold.predictions, trained.layout.predictions
    ):  # fmt: skip
        path.unlink()
    config = tiny_config(members=MEMBERS, split__folds=5)
    again = lentigo.train(cohort, config, folds=2, out=trained.folder, resume=True)
    assert kept.stat().st_mtime_ns == written
    assert (fold.predictions.read_bytes(), again.layout.predictions.read_bytes()) == before


def test_a_backbone_after_the_name_of_a_file_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "resnet10t.safetensors"
    path.touch()
    config = with_settings(recipe("quick"), {"model.weights": str(path)})
    with caplog.at_level("INFO", "lentigo"):
        found = settled(settled(config, backbone_given=False))
    assert [each.model.backbone for each in found.of_members()] == ["resnet10t"] * 2
    assert caplog.text.count("The backbone is resnet10t") == 1


def test_a_backbone_of_one_member_is_told_with_the_member(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "resnet10t.safetensors"
    path.touch()
    members: tuple[dict[str, str], ...] = ({}, {"model.weights": str(path)})
    config = with_settings(recipe("quick"), {"members": members})
    with caplog.at_level("INFO", "lentigo"):
        settled(config, backbone_given=False)
    assert "The backbone of member-1 is resnet10t, after the name" in caplog.text


def test_a_member_that_cannot_be_built_is_refused_before_anything_is_decoded(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(members=({}, {"training.frozen_stages": 40}))
    with pytest.raises(ModelError, match="frozen_stages 40"):
        lentigo.train(cohort, config, out=tmp_path / "run")
    assert not RunLayout(tmp_path / "run").folder.exists()


def test_means_are_taken_over_calibrated_and_over_raw_logits() -> None:
    first = pd.DataFrame(
        {"image_id": ["a", "b"], "raw_logit": [0.0, 4.0], "logit": [1.0, 3]}
    )
    second = first.assign(raw_logit=[2.0, -2.0], logit=[3.0, -3.0])
    found = mean_of([first, second])
    assert found["raw_logit"].tolist() == [1.0, 1.0]
    assert found["logit"].tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    "line",
    [NoCalibration(), Temperature(temperature=4.0), Platt(slope=0.5, intercept=-2.0)],
)
def test_the_line_of_a_mean_is_the_mean_of_the_lines(
    line: NoCalibration | Temperature | Platt,
) -> None:
    own = (Calibration(map=Temperature(temperature=2.0)), Calibration())
    logits = np.array([[3.0, -1.0], [5.0, 0.0]])
    mean = Calibration(map=line)
    whole = mean.apply(np.mean([a.apply(x) for a, x in zip(own, logits, strict=True)], 0))
    parts = [with_line(a, mean).apply(x) for a, x in zip(own, logits, strict=True)]
    assert np.mean(parts, axis=0) == pytest.approx(whole)


def test_the_line_of_a_mean_brings_its_own_list_of_compared_methods() -> None:
    def compared(method: str) -> tuple[Compared, ...]:
        return (Compared(method=method, log_loss=Measured(value=0.3)),)

    own = Calibration(map=Temperature(temperature=2.0), compared=compared("temperature"))
    mean = Calibration(map=Platt(slope=0.5, intercept=0), compared=compared("platt"))
    found = with_line(own, mean)
    assert found.compared == compared("temperature")
    assert found.compared_for_mean == compared("platt")


def test_the_mean_ranks_at_least_as_well_as_the_worst_member(trained: lentigo.Run) -> None:
    truth = trained.table.set_index("image_id")["melanoma"]
    fold = trained.layout.fold(0)
    tables = [read_any_table(each.predictions) for each in (fold, *fold.members())]
    mean, *own = (
        float(auc(table["image_id"].map(truth).to_numpy(bool), table["logit"].to_numpy()))
        for table in tables
    )
    assert mean >= min(own)
