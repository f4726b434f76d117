"""A run of two folds, dealt twice: names, leaks, the same bits after a stop, the report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import lentigo
from lentigo.cli.options import with_asked
from lentigo.config import Config, with_settings
from lentigo.errors import ConfigError
from lentigo.inference.predict import load
from lentigo.json_files import read_json
from lentigo.models.description import models_of, read_description
from lentigo.pipeline import finish
from lentigo.run_layout import RunLayout
from lentigo.runs import find_runs, runs_text
from tests.cohorts import draw_cohort, tiny_config

CONFIG = {"training__epochs": 1, "split__folds": 2, "split__repeats": 2}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=64)


@pytest.fixture(scope="module")
def run(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    place = tmp_path_factory.mktemp("run") / "run"
    return lentigo.train(cohort, tiny_config(**CONFIG), out=place, folds=2)


def test_each_image_is_held_out_once_a_repeat_by_folds_dealt_anew(
    run: lentigo.Run, cohort: pd.DataFrame
) -> None:
    names = ["fold-0", "fold-1", "repeat-1-fold-0", "repeat-1-fold-1"]
    assert [fold.name for fold in run.layout.folds()] == names
    told = pd.read_csv(run.layout.repeated)
    for _, rows in told.groupby("repeat"):
        assert sorted(rows["image_id"]) == sorted(cohort["image_id"])
    first, second = (
        rows.set_index("image_id")["fold"] for _, rows in told.groupby("repeat")
    )
    moved = (first != second.loc[first.index]).mean()
    assert 0.1 < moved < 0.9
    own = told[told["repeat"] == 0].drop(columns="repeat").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, pd.read_csv(run.layout.predictions))


def test_no_patient_is_on_two_sides_in_any_repeat(run: lentigo.Run) -> None:
    patients = run.table.set_index("image_id")["patient_id"]
    for fold in run.layout.folds():
        roles = pd.read_csv(fold.roles).set_index("image_id")["role"]
        assert set(roles) == {"train", "validation", "test"}
        assert roles.groupby(patients.loc[roles.index].to_numpy()).nunique().max() == 1


def test_the_first_repeat_is_the_run_without_repeats(
    run: lentigo.Run, cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(**{**CONFIG, "split__repeats": 1})
    once = lentigo.train(cohort, config, out=tmp_path / "once", folds=2)
    assert once.layout.predictions.read_bytes() == run.layout.predictions.read_bytes()
    assert not once.layout.repeats.exists()
    assert not once.layout.repeated.exists()


def test_a_run_stopped_in_the_second_repeat_ends_in_the_same_bits(
    run: lentigo.Run, cohort: pd.DataFrame, tmp_path: Path
) -> None:
    layout = RunLayout(shutil.copytree(run.folder, tmp_path / "stopped"))
    shutil.rmtree(layout.fold(1, 1).folder)
    layout.predictions.unlink()
    layout.repeated.unlink()
    (found,) = find_runs([layout.folder])
    assert found.state == "3 folds of 4 trained"
    lentigo.train(cohort, tiny_config(**CONFIG), out=layout.folder, folds=2, resume=True)
    for name in ("repeated", "predictions"):
        assert getattr(layout, name).read_bytes() == getattr(run.layout, name).read_bytes()


def test_the_model_is_the_mean_of_the_networks_of_all_repeats(run: lentigo.Run) -> None:
    assert len(load(run.folder).members) == 4
    folders = models_of(run.layout)  # what `export` writes as one folder
    assert folders == [fold.model for fold in run.layout.folds()]
    seeds = [read_description(each).training.seed for each in folders]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]


def test_report_and_list_tell_the_mean_over_all_folds(
    run: lentigo.Run, tmp_path: Path
) -> None:
    copy = lentigo.Run(shutil.copytree(run.folder, tmp_path / "judged"))
    finish(copy)
    found = read_json(copy.layout.evaluation)["model"]["by_repeat"]
    assert [len(each["folds"]) for each in found["repeats"]] == [2, 2]
    assert found["difference"]["value"] is not None
    page = copy.layout.report.read_text(encoding="utf-8")
    assert "Over 4 folds of 2 repeats the mean AUC is" in page
    assert "By repeat" in page
    assert (copy.layout.figures / "repeats.svg").is_file()
    assert "Over 4 folds of 2 repeats" in runs_text(find_runs([copy.folder]))
    assert len(pd.read_csv(copy.layout.baseline)) == len(copy.table)


def test_what_cannot_be_dealt_anew_is_refused(
    run: lentigo.Run, cohort: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="dealt anew"):
        lentigo.train(
            cohort, tiny_config(**CONFIG), out=tmp_path / "a", folds=2,
            split=run.layout.split,
        )  # fmt: skip
    with pytest.raises(ConfigError, match="one way to divide"):
        tiny_config(split__repeats=2, split__scheme="leave-one-source-out")
    assert not (tmp_path / "a").exists()


def test_settings_written_before_there_were_repeats_are_read() -> None:
    old = tiny_config().model_dump()
    del old["split"]["repeats"]
    assert Config.model_validate(old).split.repeats == 1
    asked = with_asked(["training.epochs=3"], refit=False, repeats=4, nested=False)
    assert asked == ["training.epochs=3", "split.repeats=4"]
    assert with_settings(tiny_config(), {"split.repeats": 4}).of_repeat(2).seed > 0
