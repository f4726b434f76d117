"""One archive after another is held out, in one run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import lentigo
from lentigo.errors import ConfigError, DatasetError
from lentigo.json_files import read_json
from lentigo.pipeline import finish
from lentigo.pipeline import run as run_archive
from lentigo.tables import read_any_table
from tests.cohorts import draw_cohort, tiny_config

CONFIG = tiny_config(split__scheme="leave-one-source-out", training__epochs=1)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return lesions of two archives, 32 melanomas and others of each."""
    table = draw_cohort(tmp_path_factory.mktemp("discs"), images=128)
    here = ["here" if row < 64 else "there" for row in range(len(table))]
    return table.assign(dataset=pd.array(here, dtype="string"))


@pytest.fixture(scope="module")
def run(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    trained = lentigo.train(cohort, CONFIG, out=tmp_path_factory.mktemp("run") / "run")
    finish(trained)
    return trained


def test_each_archive_is_held_out_once_by_a_model_of_the_others(
    run: lentigo.Run, cohort: pd.DataFrame
) -> None:
    source = cohort.set_index("image_id")["dataset"]
    for fold, name in enumerate(["here", "there"]):
        layout = run.layout.fold(fold)
        judged = read_any_table(layout.predictions)["image_id"].map(source)
        chosen = read_any_table(layout.validation)["image_id"].map(source)
        assert set(judged) == {name}
        assert set(chosen) == {"here", "there"} - {name}
    assert len(run.predictions) == len(cohort)


def test_the_run_ends_in_the_matrix_of_archives(run: lentigo.Run) -> None:
    archives = read_json(run.layout.evaluation)["archives"]
    assert {model: list(row) for model, row in archives.items()} == {
        "there": ["here", "there"], "here": ["here", "there"],
    }  # fmt: skip
    by_archive = read_json(run.layout.evaluation)["model"]["by_dataset"]["parts"]
    held_out = {each["name"]: each["auc"]["value"] for each in by_archive}
    assert archives["there"]["here"]["value"] == pytest.approx(held_out["here"])
    assert archives["here"]["there"]["value"] == pytest.approx(held_out["there"])
    drawn = read_any_table(run.layout.figures / "archives.csv")
    assert drawn[["model", "archive"]].to_numpy().tolist() == [
        ["there", "here"], ["there", "there"], ["here", "here"], ["here", "there"],
    ]  # fmt: skip
    assert "AUC by what was learnt from" in run.layout.report.read_text(encoding="utf-8")


def test_one_archive_alone_is_refused(cohort: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="leaving it out leaves nothing"):
        lentigo.train(cohort.assign(dataset="here"), CONFIG, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()  # told before anything was decoded


def test_another_number_of_folds_is_refused(cohort: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="each of the 2 data sets is held out once"):
        lentigo.train(cohort, CONFIG, folds=5, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_folds_of_an_earlier_split_are_not_by_source(
    cohort: pd.DataFrame, run: lentigo.Run, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="has folds of its own"):
        lentigo.train(cohort, CONFIG, split=run.layout.split, out=tmp_path / "run")


def test_an_archive_without_a_readable_image_is_not_held_out(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    gone = cohort.tail(8).assign(
        image_id=[f"G{row}" for row in range(8)],
        patient_id=[f"G{row}" for row in range(8)],
        path=[str(tmp_path / f"G{row}.png") for row in range(8)],
        dataset="elsewhere",
    )
    table = pd.concat([cohort, gone], ignore_index=True)
    trained = lentigo.train(table, CONFIG, out=tmp_path / "run")
    assert [fold.number for fold in trained.layout.folds()] == [0, 1]


def test_a_process_beside_the_first_has_no_table_and_needs_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained: list[Path] = []
    monkeypatch.setattr("lentigo.training.run.is_first_process", lambda: False)
    monkeypatch.setattr("lentigo.pipeline.is_first_process", lambda: False)
    monkeypatch.setattr(
        "lentigo.training.run.train_prepared",
        lambda _config, out, folds: trained.append(out),
    )
    monkeypatch.setattr("lentigo.training.run.wait_for_first", lambda _out: None)
    for number, config in enumerate((CONFIG, tiny_config())):
        assert run_archive(tmp_path, config, out=tmp_path / f"run-{number}") is None
    assert trained == [tmp_path / "run-0", tmp_path / "run-1"]
