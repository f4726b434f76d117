"""Each epoch of `metrics.csv` is told to TensorBoard or MLflow, once, through kills."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.config import Config
from lentigo.errors import ConfigError
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table
from lentigo.training import watching
from lentigo.training.run import train
from tests.cohorts import draw_cohort, tiny_config

SMALL: dict[str, object] = {
    "model__backbone": "test_resnet", "training__index": "none", "training__epochs": 3,
    "training__average": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=60)


def killed_and_resumed(
    cohort: pd.DataFrame, config: Config, out: Path, patch: pytest.MonkeyPatch
) -> pd.DataFrame:
    """Train a fold that is killed when epoch 2 is saved and not told; its metrics."""
    real, calls = watching.numbers_of, []

    def killing(row: Any) -> dict[str, float]:
        calls.append(row["epoch"])
        if row["epoch"] == 2 and calls.count(2) == 1:
            raise SystemExit("killed")
        return real(row)

    patch.setattr(watching, "numbers_of", killing)
    with pytest.raises(SystemExit, match="killed"):
        train(cohort, config, out=out)
    train(cohort, config, out=out, resume=True)
    return read_any_table(RunLayout(out).fold(0).metrics)


def test_tensorboard_reads_what_metrics_say(
    cohort: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config, out = tiny_config(**SMALL, training__watch="tensorboard"), tmp_path / "out"
    metrics = killed_and_resumed(cohort, config, out, monkeypatch)
    (log,) = (out / "tensorboard").rglob("*tfevents*")
    assert log.parent.name == "fold-0"
    read = EventAccumulator(str(log.parent)).Reload()
    assert set(read.Tags()["scalars"]) == set(metrics.columns) - {"epoch", "best"}
    for name in read.Tags()["scalars"]:
        scalars = read.Scalars(name)
        assert [each.step for each in scalars] == [1, 2, 3]
        assert [each.value for each in scalars] == pytest.approx(
            metrics[name].astype(float).tolist()
        )
        assert [each.wall_time for each in scalars] == sorted(
            each.wall_time for each in scalars
        )


def test_half_a_record_of_a_kill_hides_nothing(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config, fold = tiny_config(training__watch="tensorboard"), RunLayout(tmp_path).fold(0)
    rows: list[Any] = [{"epoch": n, "loss": 1 / n, "seconds": 2.0} for n in (1, 2, 3)]
    first = watching.watcher(config, fold, tmp_path)
    assert first is not None
    first(rows[:2])
    (log,) = tmp_path.rglob("*tfevents*")
    log.write_bytes(log.read_bytes()[:-7])
    second = watching.watcher(config, fold, tmp_path)
    assert second is not None
    second(rows[:2])
    second(rows)
    second(rows)
    found = EventAccumulator(str(log.parent)).Reload().Scalars("loss")
    assert [(each.step, each.value) for each in found] == [
        (1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3)),
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_mlflow_reads_what_metrics_say(
    cohort: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    config, out = tiny_config(**SMALL, training__watch="mlflow"), tmp_path / "a b"
    metrics = killed_and_resumed(cohort, config, out, monkeypatch)
    client = MlflowClient(watching._address(out / "mlflow.db"))
    (experiment,) = (each for each in client.search_experiments() if each.name == "lentigo")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("fold-0", "FINISHED")
    assert run.data.params["model.backbone"] == "test_resnet"
    assert set(run.data.metrics) == set(metrics.columns) - {"epoch", "best"}
    for name in run.data.metrics:
        told = sorted(
            (each.step, each.value)
            for each in client.get_metric_history(run.info.run_id, name)
        )
        assert [step for step, _ in told] == [1, 2, 3]
        assert [value for _, value in told] == pytest.approx(
            metrics[name].astype(float).tolist()
        )
    assert {path.name for path in tmp_path.iterdir()} == {"a b"}  # no ./mlruns


def test_who_watches_may_change_when_a_run_goes_on(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    plain = tiny_config(**{**SMALL, "training__epochs": 1})
    train(cohort, plain, out=tmp_path / "out")
    other = tiny_config(**{**SMALL, "training__epochs": 1}, training__watch="tensorboard")
    train(cohort, other, out=tmp_path / "out", resume=True)
    with pytest.raises(ConfigError, match=r"training\.epochs: 1 then, 3 now"):
        train(cohort, tiny_config(**SMALL), out=tmp_path / "out", resume=True)


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_what_is_not_installed_is_told_in_a_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lentigo.extras.find_spec", lambda asked: asked != name or None)
    (tmp_path / "t.csv").write_text("no table")
    told = CliRunner().invoke(
        app, ["run", f"{tmp_path}/t.csv", "--watch", name, "--out", f"{tmp_path}/out"]
    )
    assert told.exit_code == 1
    assert f"pip install 'lentigo[{name}]'" in " ".join(told.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_training_that_nobody_watches_imports_neither() -> None:
    code = (
        "import sys; import lentigo.training.run, lentigo.training.watching\n"
        "print(*sorted({'tensorboard', 'mlflow', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
