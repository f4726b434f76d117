"""A network that learns from all rows, as long as the folds say, and is judged by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lentigo
from lentigo.config import read_config
from lentigo.errors import ConfigError
from lentigo.inference.learnt import learnt_images
from lentigo.json_files import read_json
from lentigo.models.description import find_models, read_description
from lentigo.models.folder import write_weights
from lentigo.pipeline import finish
from lentigo.run_layout import FoldLayout, RunLayout
from lentigo.tables import read_any_table
from lentigo.training import refit
from lentigo.training.fold import Fold
from lentigo.training.loop import fit
from lentigo.training.refit import epochs_chosen
from lentigo.training.trainer import Trainer
from tests.cohorts import draw_cohort, tiny_config
from tests.training.test_trainer import examples, settings, trainer

MEMBERS: tuple[dict[str, Any], ...] = ({}, {"training.target": "diagnosis"})
CONFIG = tiny_config(members=MEMBERS, split__folds=4, refit=True)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=80)


@pytest.fixture(scope="module")
def run(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    out = tmp_path_factory.mktemp("run") / "run"
    trained = lentigo.train(cohort, CONFIG, folds=2, out=out)
    finish(trained)
    return trained


def test_all_rows_are_learnt_from(run: lentigo.Run, cohort: pd.DataFrame) -> None:
    known = read_description(run.layout.refit.model)
    assert known.training.images == len(cohort)
    roles = read_any_table(run.layout.refit.roles)
    assert set(roles["role"]) == {"train"}
    assert len(roles) == len(cohort)


def test_the_folds_choose_for_how_many_epochs(run: lentigo.Run) -> None:
    for place in range(len(MEMBERS)):
        best = [
            read_description(run.layout.fold(fold).member(place).model)
            .members[0]
            .best_epoch
            for fold in range(2)
        ]
        history = read_any_table(run.layout.refit.member(place).metrics)
        assert len(history) == max(each or 0 for each in best)  # of two, the later one
        assert history["validation_auc"].isna().all()
        assert history["best"].tolist()[-1]


def test_of_three_folds_the_one_in_the_middle_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Known:
        def __init__(self, folder: Path) -> None:
            self.best_epoch = int(folder.parent.name)
            self.members = [self]

    monkeypatch.setattr(refit, "read_description", Known)
    folds = [FoldLayout(tmp_path / name) for name in ("7", "2", "3")]
    assert epochs_chosen(folds) == 3


def test_calibration_and_thresholds_come_from_the_folds(run: lentigo.Run) -> None:
    known = read_description(run.layout.refit.model)
    held_out = read_any_table(run.layout.predictions)
    for member in known.members:
        assert member.calibration.fitted_on == "out-of-fold images"
        assert member.calibration.n_images == len(held_out)
    assert {point["chosen_on"] for point in known.operating_points} == {
        "out-of-fold images"
    }
    assert {point["n_images"] for point in known.operating_points} == {len(held_out)}
    assert all(point["held_out"] is None for point in known.operating_points)


def test_the_claims_are_those_of_the_folds(run: lentigo.Run) -> None:
    judged = read_json(run.layout.evaluation)
    truth = run.table.set_index("image_id")["melanoma"]
    predictions = run.predictions
    again = lentigo.evaluate(
        predictions,
        run.table[run.table["image_id"].isin(predictions["image_id"])],
        group="group_id", repeats=50,
    )  # fmt: skip
    assert judged["model"]["auc"]["value"] == pytest.approx(again["auc"].value)
    assert len(predictions) < len(truth)
    assert set(predictions["fold"]) == {0, 1}
    assert judged["refit"]["images"] == len(truth)
    report = run.layout.report.read_text(encoding="utf-8")
    assert "No number of this report judges that" in report


def test_the_model_of_the_run_is_the_refit_one(run: lentigo.Run) -> None:
    assert find_models(run.folder) == [run.layout.refit.model]
    paths = [Path(path) for path in run.table["path"].head(3)]
    whole, own = (
        lentigo.load(place).predict(paths)["logit"]
        for place in (run.folder, run.layout.refit.folder)
    )
    assert whole.tolist() == own.tolist()
    fold = lentigo.load(run.layout.fold(0).folder).predict(paths)["logit"]
    assert not np.allclose(whole, fold)


def test_every_image_of_the_run_counts_as_learnt(run: lentigo.Run) -> None:
    shown = run.table[["image_id", "path"]].assign(probability=0.5)
    assert len(learnt_images(run.folder, [shown])) == len(run.table)
    assert len(learnt_images(run.layout.refit.model, [shown])) == len(run.table)
    assert len(learnt_images(run.layout.fold(0).folder, [shown])) < len(run.table)


def test_a_stopped_refit_goes_on(run: lentigo.Run, cohort: pd.DataFrame) -> None:
    place = run.layout.refit
    before = (place.model / "model-1.safetensors").read_bytes()
    kept = (place.member(0).model / "model.json").stat().st_mtime_ns
    (place.model / "model.json").unlink()
    (place.member(1).model / "model.json").unlink()
    lentigo.train(cohort, CONFIG, folds=2, out=run.folder, resume=True)
    assert (place.model / "model-1.safetensors").read_bytes() == before
    assert (place.member(0).model / "model.json").stat().st_mtime_ns == kept


def test_a_finished_run_can_be_refitted_afterwards(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    plain = tiny_config(training__epochs=1)
    lentigo.train(cohort, plain, out=tmp_path / "run")
    assert not RunLayout(tmp_path / "run").refit.folder.exists()
    config = tiny_config(training__epochs=1, refit=True)
    again = lentigo.train(cohort, config, out=tmp_path / "run", resume=True)
    assert find_models(again.folder) == [again.layout.refit.model]
    assert read_config(again.layout.config).refit
    with pytest.raises(ConfigError, match="refit: True then, False now"):
        lentigo.train(cohort, plain, out=tmp_path / "run", resume=True)


def test_a_logistic_head_needs_validation_images(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(training__method="logistic", training__epochs=1, refit=True)
    with pytest.raises(ConfigError, match="leave out --refit"):
        lentigo.train(cohort, config, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_without_validation_images_the_last_epoch_is_kept(tmp_path: Path) -> None:
    """The learning rate runs as in a training of three epochs, of which two are taken."""
    config = settings(training__epochs=3)
    usual = trainer(tmp_path / "usual", config)
    whole = Fold(
        FoldLayout(tmp_path / "whole"), config, usual.fold.train,
        examples(0, 1), stop_after=2,
    )  # fmt: skip
    (tmp_path / "whole").mkdir()
    fold = Trainer(usual.fabric, usual.model, whole)
    fit(fold)
    assert fold.progress.best_epoch == fold.progress.epoch == 2
    assert fold.progress.history[-1]["learning_rate"] > 0
    write_weights(fold.judged, tmp_path / "last.safetensors")
    assert (tmp_path / "last.safetensors").read_bytes() == whole.layout.best.read_bytes()
