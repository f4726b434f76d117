"""A whole training on discs: it learns, keeps patients apart, resumes, refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

import lentigo
from lentigo.config import read_config, with_settings
from lentigo.errors import ConfigError, DatasetError, LentigoError, RunError
from lentigo.json_files import read_json
from lentigo.tables import read_table_file, write_table
from tests.cohorts import draw_cohort, tiny_config


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=120)


@pytest.fixture(scope="module")
def trained(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    config = tiny_config(training__epochs=8, training__frozen_epochs=1)
    return lentigo.train(cohort, config, out=tmp_path_factory.mktemp("run") / "run")


def test_dark_discs_are_told_from_light_ones(trained: lentigo.Run) -> None:
    truth = trained.table.set_index("image_id")["melanoma"]
    predictions = trained.predictions
    melanoma = predictions["image_id"].map(truth).astype(bool)
    assert roc_auc_score(melanoma, predictions["probability"]) > 0.95
    history = pd.read_csv(trained.layout.fold(0).metrics)
    assert history["auc"].iloc[-1] == 1
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 2


def test_the_run_folder_holds_what_it_should(trained: lentigo.Run) -> None:
    names = {path.name for path in trained.folder.iterdir()}
    assert names >= {
        "config.yaml", "command.txt", "environment.json", "arithmetic.json", "split.csv",
        "table.parquet", "duplicates.csv", "failures.csv", "fold-0", "predictions.csv",
        "pixels",
    }  # fmt: skip
    history = pd.read_csv(trained.folder / "fold-0" / "metrics.csv")
    assert history["epoch"].tolist() == list(range(1, 9))
    assert history["frozen"].tolist() == [True] + [False] * 7
    assert history["best"].sum() == 1
    assert (
        history.loc[history["best"], "validation_auc"].item()
        == history["validation_auc"].max()
    )
    assert history[["loss", "auc", "validation_loss", "seconds"]].notna().all(axis=None)
    assert read_config(trained.folder / "config.yaml").training.epochs == 8


def test_the_validation_predictions_are_kept_beside_the_held_out_ones(
    trained: lentigo.Run,
) -> None:
    fold = trained.folder / "fold-0"
    kept, held_out = (
        pd.read_csv(fold / name) for name in ("validation.csv", "predictions.csv")
    )
    assert list(kept) == list(held_out)
    roles = pd.read_csv(fold / "roles.csv")
    validation = roles.loc[roles["role"] == "validation", "image_id"]
    assert sorted(kept["image_id"]) == sorted(validation)
    paths = trained.table.set_index("image_id")["path"]
    again = trained.load().predict([Path(paths[name]) for name in kept["image_id"]])
    assert np.allclose(again["logit"], kept["logit"], atol=1e-4)
    assert "operating_points" in read_json(fold / "model" / "model.json")


def test_what_could_not_be_learnt_from_is_counted(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no image")
    table = cohort.head(60).copy()
    table.loc[[0, 1, 2], "melanoma"] = pd.NA
    table.loc[[3, 4], "path"] = pd.NA
    table.loc[5, "path"] = str(broken)
    run = lentigo.train(table, tiny_config(training__epochs=1), out=tmp_path / "run")
    assert read_json(run.folder / "environment.json")["given"] == {
        "images": 60,
        "melanomas": int(table["melanoma"].sum()),
        "left_out": {
            "without a label": 3,
            "without a file": 2,
            "that cannot be decoded": 1,
        },
        "melanomas_left_out": int(table["melanoma"][3:6].sum()),
    }


def test_no_patient_is_on_two_sides(trained: lentigo.Run) -> None:
    roles = pd.read_csv(trained.folder / "fold-0" / "roles.csv").set_index("image_id")[
        "role"
    ]
    table = trained.table
    sides = table["image_id"].map(roles).groupby(table["patient_id"]).nunique()
    assert set(sides) == {1}
    assert set(roles) == {"train", "validation", "test"}


def test_the_loaded_model_repeats_the_held_out_predictions(trained: lentigo.Run) -> None:
    paths = trained.table.set_index("image_id")["path"]
    predictions = trained.predictions.head(9)
    again = trained.load().predict([Path(paths[name]) for name in predictions["image_id"]])
    assert again["image_id"].tolist() == predictions["image_id"].tolist()
    assert np.allclose(again["logit"], predictions["logit"], atol=1e-4)


def test_folds_judge_every_image_once_by_a_model_that_never_saw_it(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(split__folds=3, training__epochs=1)
    run = lentigo.train(cohort, config, out=tmp_path / "run", folds=3)
    predictions = run.predictions
    assert sorted(predictions["image_id"]) == sorted(cohort["image_id"])
    for fold, part in predictions.groupby("fold"):
        roles = pd.read_csv(run.folder / f"fold-{fold}" / "roles.csv")
        test = roles.loc[roles["role"] == "test", "image_id"]
        assert sorted(part["image_id"]) == sorted(test)
    assert len(run.load().members) == 3


def test_the_split_of_one_run_serves_another(
    trained: lentigo.Run, cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(training__epochs=1, seed=99)
    shuffled = cohort.sample(frac=1, random_state=1)
    split = trained.folder / "split.csv"
    run = lentigo.train(shuffled, config, out=tmp_path / "run", split=split)
    before = trained.table.set_index("image_id")[["fold", "group_id"]]
    after = run.table.set_index("image_id")[["fold", "group_id"]]
    assert before.loc[after.index].equals(after)


def test_a_split_that_is_none_is_refused_before_anything_is_decoded(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "other.csv").write_text("image_id,age\na,50\n")
    for name, said in (("pipe", "no ordinary file"), ("other", "is no split")):
        split = tmp_path / f"{name}.csv"
        with pytest.raises(LentigoError, match=said):
            lentigo.train(cohort, tiny_config(), out=tmp_path / "run", split=split)
    assert not (tmp_path / "run").exists()


def test_class_weights_still_mean_probabilities(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(training__epochs=6, training__imbalance="class_weights")
    run = lentigo.train(cohort, config, out=tmp_path / "run")
    table = read_table_file(run.folder / "table.parquet")
    share = float(table["melanoma"].mean())
    assert run.predictions["probability"].mean() == pytest.approx(share, abs=0.15)


def test_a_logistic_head_leaves_the_backbone_alone(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    import torch

    from lentigo.models.network import build_model
    from lentigo.models.torch_engine import load_network

    config = tiny_config(
        training__method="logistic", training__epochs=1, training__frozen_epochs=1
    )
    run = lentigo.train(cohort, config, out=tmp_path / "run")
    torch.manual_seed(config.seed)
    untouched = build_model(config.model).backbone.state_dict()
    learnt = load_network(run.folder / "fold-0" / "model").network.backbone.state_dict()
    assert all(torch.equal(untouched[name], learnt[name]) for name in untouched)


def test_early_stopping_stops(cohort: pd.DataFrame, tmp_path: Path) -> None:
    config = tiny_config(
        training__epochs=30, training__patience=2, training__learning_rate=1e-9
    )
    run = lentigo.train(cohort, config, out=tmp_path / "run")
    history = pd.read_csv(run.folder / "fold-0" / "metrics.csv")
    best = int(history.loc[history["best"], "epoch"].item())
    assert len(history) == best + 2 < 30


def test_a_run_is_never_overwritten(trained: lentigo.Run, cohort: pd.DataFrame) -> None:
    with pytest.raises(RunError, match="never overwritten"):
        lentigo.train(cohort, tiny_config(), out=trained.folder)


def test_a_folder_with_other_things_is_left_alone(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "thesis.doc").write_text("four years of work")
    with pytest.raises(RunError, match="not empty"):
        lentigo.train(cohort, tiny_config(), out=tmp_path)


def test_resuming_with_other_settings_is_refused(
    trained: lentigo.Run, cohort: pd.DataFrame
) -> None:
    config = tiny_config(
        training__epochs=8, training__frozen_epochs=1, training__learning_rate=0.5
    )
    with pytest.raises(ConfigError, match=r"training.learning_rate: 0\.002 then, 0\.5 now"):
        lentigo.train(cohort, config, out=trained.folder, resume=True)


def test_resuming_on_other_labels_is_refused(
    trained: lentigo.Run, cohort: pd.DataFrame
) -> None:
    config = tiny_config(training__epochs=8, training__frozen_epochs=1)
    flipped = cohort.assign(melanoma=~cohort["melanoma"])
    with pytest.raises(RunError, match="started on another table"):
        lentigo.train(flipped, config, out=trained.folder, resume=True)


def test_resuming_fewer_folds_is_refused(cohort: pd.DataFrame, tmp_path: Path) -> None:
    config = tiny_config(training__epochs=1)
    lentigo.train(cohort, config, out=tmp_path / "run", folds=2)
    with pytest.raises(ConfigError, match="--folds 2"):
        lentigo.train(cohort, config, out=tmp_path / "run", folds=1, resume=True)


def test_a_first_try_that_failed_does_not_occupy_the_folder(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(training__epochs=1)
    with pytest.raises(DatasetError, match="nothing to tell apart"):
        lentigo.train(cohort.assign(melanoma=False), config, out=tmp_path / "run")
    assert lentigo.train(cohort, config, out=tmp_path / "run").predictions.shape[0] == 24


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"melanoma": pd.NA}, "No image has a label"),
        ({"melanoma": False}, "melanoma"),
        ({"melanoma": True}, "melanoma"),
        ({"path": pd.NA}, "None of the 120 labelled images can be decoded"),
    ],
)
def test_a_table_nothing_can_be_learnt_from_is_refused(
    cohort: pd.DataFrame, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(DatasetError, match=says):
        lentigo.train(cohort.assign(**change), tiny_config(), out=tmp_path / "run")


def test_more_folds_than_parts_are_refused(cohort: pd.DataFrame, tmp_path: Path) -> None:
    config = tiny_config(split__folds=5)
    with pytest.raises(ConfigError, match="5 parts"):
        lentigo.train(cohort, config, out=tmp_path / "run", folds=6)
    assert not (tmp_path / "run").exists()


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.is_file() else 0


_KILLED = """
import sys
from pathlib import Path
from typing import Any
import lentigo
from lentigo.config import read_config, with_settings
from lentigo.tables import read_table_file
folder = Path(sys.argv[1])
lentigo.train(
    read_table_file(folder / "cohort.parquet"),
    read_config(folder / "wanted.yaml"),
    out=folder / "run",
    resume=True,
)
"""


@pytest.mark.slow  # tests/training/test_kills.py kills one at a write in every suite
def test_a_killed_run_ends_like_one_that_was_not(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(
        training__epochs=5, model__dropout=0.3, training__average=0.9, augment__blur=1.0
    )
    write_table(cohort, tmp_path / "cohort.parquet")
    (tmp_path / "wanted.yaml").write_text(config.to_yaml())
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _KILLED, str(tmp_path)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    history = tmp_path / "run" / "fold-0" / "metrics.csv"
    while process.poll() is None and lines(history) < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the training ended before it could be killed"

    torch.set_num_threads(1)
    lentigo.train(cohort, config, out=tmp_path / "run", resume=True)
    whole = lentigo.train(cohort, config, out=tmp_path / "whole")
    timeless = pd.read_csv(history).drop(columns="seconds")
    expected = pd.read_csv(whole.folder / "fold-0" / "metrics.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(timeless, expected, check_exact=True)
    resumed = pd.read_csv(tmp_path / "run" / "predictions.csv")
    uninterrupted = pd.read_csv(whole.folder / "predictions.csv")
    pd.testing.assert_frame_equal(resumed, uninterrupted, check_exact=True)


def test_two_devices_learn_what_one_learns(cohort: pd.DataFrame, tmp_path: Path) -> None:
    """Two CPU processes through Fabric (gloo on the loopback) against one."""
    settings: dict[str, Any] = {
        "training__accelerator": "cpu", "training__epochs": 1, "augment__rotate": 0.0,
    }  # fmt: skip
    few = cohort.head(80).reset_index(drop=True)
    one = lentigo.train(few, tiny_config(**settings), out=tmp_path / "one")
    script = tmp_path / "train.py"
    script.write_text(_KILLED)
    write_table(few, tmp_path / "cohort.parquet")
    both = tiny_config(training__devices=2, **settings)
    (tmp_path / "wanted.yaml").write_text(both.to_yaml())
    subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"},
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    losses = [
        pd.read_csv(folder / "fold-0" / "metrics.csv")["loss"][0]
        for folder in (one.folder, tmp_path / "run")
    ]
    judged = pd.read_csv(tmp_path / "run" / "predictions.csv")
    assert sorted(judged["image_id"]) == sorted(one.predictions["image_id"])
    # Further epochs would drift apart: batch statistics are those of half a batch each.
    assert losses[0] == pytest.approx(losses[1], rel=0.1)


def test_two_processes_do_not_work_on_one_run(
    cohort: pd.DataFrame, trained: lentigo.Run
) -> None:
    code = (
        "import sys, time, pathlib; from lentigo.output import alone\n"
        "with alone(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(trained.folder)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    config = read_config(trained.folder / "config.yaml")
    files = [path for path in trained.folder.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    other_config = with_settings(config, {"evaluation.threshold": 0.9})
    try:
        for settings in (config, other_config):
            with pytest.raises(RunError, match="Another process is working in"):
                lentigo.train(cohort, settings, out=trained.folder, resume=True)
        assert {path: path.read_bytes() for path in files} == before
    finally:
        other.kill()
        other.communicate()
    again = lentigo.train(cohort, config, out=trained.folder, resume=True)
    assert again.predictions.equals(trained.predictions)
