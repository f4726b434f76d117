"""Processes of torchrun: the others wait for the first, and end where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch.distributed as dist
from torch.distributed import HashStore  # type: ignore[attr-defined]

import lentigo
from lentigo.errors import ConfigError, RunError
from lentigo.tables import write_table
from lentigo.training import together
from lentigo.training.together import Store, check_started, preparing, wait_for_first
from tests.cohorts import draw_cohort, tiny_config


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """One store for the first process and another one, both of which are this process."""
    shared: Store = HashStore()
    monkeypatch.setattr(together, "_store", lambda: shared)
    monkeypatch.setattr(together, "_key", lambda: "lentigo/prepared/0")
    return shared


def test_another_process_goes_on_when_the_first_is_ready(
    store: Store, tmp_path: Path
) -> None:
    told: list[str] = []

    def wait() -> None:
        wait_for_first(tmp_path)
        told.append("goes on")

    other = threading.Thread(target=wait)
    with preparing() as ready:
        other.start()
        other.join(timeout=0.4)
        told.append("prepared")
        ready()
        other.join(timeout=10)
    assert told == ["prepared", "goes on"]


def test_another_process_ends_where_the_first_fails_or_takes_for_ever(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"did not prepare .* within 0 s"):
        wait_for_first(tmp_path, longest=0)
    with pytest.raises(ValueError, match="no image"), preparing():
        raise ValueError("no image")
    with pytest.raises(RunError, match="first process could not prepare"):
        wait_for_first(tmp_path)


def test_another_process_ends_where_the_first_was_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Gone:
        def check(self, _keys: list[str]) -> bool:
            raise dist.DistNetworkError("Connection reset by peer")

    monkeypatch.setattr(together, "_store", Gone)
    with pytest.raises(RunError, match="first process has ended before"):
        wait_for_first(tmp_path)


def test_each_training_of_a_process_is_waited_for_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "_turns", count())
    assert [together._key(), together._key()] == [
        "lentigo/prepared/0",
        "lentigo/prepared/1",
    ]


def test_a_process_that_torchrun_did_not_start_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(RunError, match=r"by torchrun, and let them share this folder\."):
        lentigo.train(pd.DataFrame(), tiny_config(), out=tmp_path / "run")
    assert f"Process 1: {tmp_path / 'run'} is not prepared" in caplog.text
    assert not (tmp_path / "run").exists()


def test_as_many_processes_as_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_started(devices=1)  # another program's variable: torchrun did not start us
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    check_started(devices=2)
    with pytest.raises(ConfigError, match="started 2 processes, and the settings name 1"):
        check_started(devices=1)


@pytest.mark.slow
def test_torchrun_trains_a_new_run_and_goes_on_with_it(tmp_path: Path) -> None:
    """Two real processes on the CPU; the second start resumes what the first left."""
    settings: dict[str, Any] = {
        "training__accelerator": "cpu", "training__devices": 2, "training__epochs": 1,
        "training__workers": 0,
    }  # fmt: skip
    write_table(draw_cohort(tmp_path / "images"), tmp_path / "cohort.parquet")
    (tmp_path / "wanted.yaml").write_text(tiny_config(**settings).to_yaml())
    run = tmp_path / "run"
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc-per-node", "2", "--no-python",
        str(Path(sys.executable).parent / "lentigo"),
        "train", str(tmp_path / "cohort.parquet"),
        "--config", str(tmp_path / "wanted.yaml"), "--out", str(run),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert first.returncode == 0, first.stderr
    predictions = (run / "predictions.csv").read_bytes()
    (run / "predictions.csv").unlink()
    taken = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert taken.returncode != 0
    assert taken.stderr.count("--resume") >= 1
    again = subprocess.run(
        [*command, "--resume"], env=environment, check=True, capture_output=True,
        timeout=400,
    )  # fmt: skip
    assert again.returncode == 0
    assert (run / "predictions.csv").read_bytes() == predictions
