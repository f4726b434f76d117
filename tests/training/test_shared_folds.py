"""Folds that a Ray cluster trains: the same networks as alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

import lentigo
from lentigo.errors import ConfigError, LentigoError
from lentigo.run_layout import RunLayout
from lentigo.training import shared_folds
from lentigo.training.shared_folds import Cluster, FoldTask, cluster_of, train_shared
from tests.cohorts import draw_cohort, tiny_config

CONFIG = tiny_config(training__epochs=1, split__folds=4)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=60)


@pytest.fixture(scope="module")
def alone(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    return lentigo.train(
        cohort, CONFIG, folds=2, out=tmp_path_factory.mktemp("alone") / "run"
    )


def same(run: lentigo.Run, other: lentigo.Run) -> bool:
    """Tell whether the predictions and the weights of two runs are equal to the bit."""
    return run.predictions.equals(other.predictions) and all(
        each.best.read_bytes() == beside.best.read_bytes()
        for each, beside in zip(run.layout.folds(), other.layout.folds(), strict=True)
    )


def test_a_task_trains_what_a_run_alone_trains(
    cohort: pd.DataFrame,
    alone: lentigo.Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tasks are run here, one after the other, as a worker of the cluster runs them."""
    asked: list[FoldTask] = []

    def on_ray(function, tasks, *, address, threads, gpus):  # type: ignore[no-untyped-def]
        assert (address, gpus) == ("10.0.0.1:1", 0)
        for task in tasks:
            asked.append(task)
            yield function(task)

    monkeypatch.setattr(shared_folds, "on_ray", on_ray)
    monkeypatch.setattr(shared_folds, "check_place", lambda on, address: None)
    shared = lentigo.train(
        cohort, CONFIG, folds=2, out=tmp_path / "run", on="ray", ray_address="10.0.0.1:1"
    )
    assert [(task.repeat, task.number) for task in asked] == [(0, 0), (0, 1)]
    assert same(shared, alone)
    # What is trained is not asked for again.
    train_shared(Cluster("10.0.0.1:1"), CONFIG, shared.folder, folds=2)
    assert len(asked) == 2


def test_only_missing_folds_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = RunLayout(tmp_path)
    layout.fold(1).folder.mkdir()
    layout.fold(1).predictions.write_text("done\n")
    (tmp_path / "arithmetic.json").write_text(
        '{"precision": "16-mixed", "channels_last": true, "device": "cuda"}'
    )
    asked: list[tuple[int, int]] = []

    def on_ray(function, tasks, *, address, threads, gpus):  # type: ignore[no-untyped-def]
        asked.extend((task.number, gpus) for task in tasks)
        yield from ()

    monkeypatch.setattr(shared_folds, "on_ray", on_ray)
    train_shared(Cluster(), CONFIG, tmp_path, folds=3)
    assert asked == [(0, 1), (2, 1)]  # each with a GPU of its own


def test_a_fold_has_one_device() -> None:
    assert cluster_of("here", None, CONFIG) is None
    with pytest.raises(LentigoError, match="no place of work called 'moon'"):
        cluster_of("moon", None, CONFIG)
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed (pip install 'lentigo[ray]')")
    with pytest.raises(ConfigError, match="leave --devices and --nodes out"):
        cluster_of("ray", None, tiny_config(training__devices=2))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_cluster_of_this_machine_trains_both_folds(
    cohort: pd.DataFrame, alone: lentigo.Run, tmp_path: Path
) -> None:
    shared = lentigo.train(cohort, CONFIG, folds=2, out=tmp_path / "run", on="ray")
    assert same(shared, alone)
