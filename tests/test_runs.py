"""Run folders side by side, written by hand: finished, in the middle, diverged, broken."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.config import Config
from lentigo.errors import DatasetNotFoundError
from lentigo.runs import differences, find_runs, runs_table, runs_text, spread_of_seeds
from tests.cohorts import tiny_config

TWO = [{}, {"training.epochs": 3}]


def write_run(
    folder: Path, config: Config, *, started: str, epochs: tuple[float, ...] = ()
) -> Path:
    """A run of two folds, with the validation AUC of each epoch of the first."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(config.to_yaml())
    (folder / "table.parquet").write_bytes(b"")  # looked for, not read
    known = {"started": started, "folds": 2, "minutes": 1.5, "data_digest": "ab" * 32}
    (folder / "environment.json").write_text(json.dumps(known))
    if epochs:
        write_epochs(folder / "fold-0", epochs)
    return folder


def write_epochs(place: Path, epochs: tuple[float, ...]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    rows = [{"epoch": n + 1, "validation_auc": auc} for n, auc in enumerate(epochs)]
    pd.DataFrame(rows).to_csv(place / "metrics.csv", index=False)


def finish(folder: Path, auc: float) -> None:
    (folder / "predictions.csv").write_text("image_id,probability\n")
    model = {
        "auc": {"value": auc, "low": auc - 0.1, "high": auc + 0.1},
        "n_images": 200,
        "n_melanomas": 1,
    }
    (folder / "evaluation.json").write_text(json.dumps({"model": model}))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    first = write_run(
        tmp_path / "b", tiny_config(), started="2026-01-01T00:00:00", epochs=(0.7, 0.9, 0.8)
    )
    finish(first, 0.8)
    second = write_run(
        tmp_path / "deep" / "a",
        tiny_config(training__epochs=7, seed=4),
        started="2026-01-02T00:00:00",
        epochs=(0.6, 0.65),
    )
    finish(second, 0.75)
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_finished_runs_stand_in_the_order_in_which_they_began(place: Path) -> None:
    first, second = find_runs([place])
    assert (first.folder.name, second.folder.name) == ("b", "a")
    assert first.state == "finished"
    assert [first.auc, first.low, first.high] == pytest.approx([0.8, 0.7, 0.9])
    assert (first.epochs, first.validation_auc, first.minutes) == (3, 0.9, 1.5)


def test_what_differs_is_said_and_what_is_alike_is_not(place: Path) -> None:
    runs = find_runs([place])
    assert differences(runs) == ["seed", "training.epochs"]
    table = runs_table(runs)
    assert table["training.epochs"].tolist() == [2, 7]
    assert "training.batch_size" not in table
    assert "training.epochs: 2, 7" in runs_text(runs)
    assert "finished, 2 minutes" in runs_text(runs)
    assert "finished, 1 minute\n" in runs_text([replace(runs[0], minutes=1.2)])


def test_runs_that_held_out_the_same_images_can_be_compared(place: Path) -> None:
    said = runs_text(find_runs([place]))
    predictions = [str(place / "b" / "predictions.csv"), "a/predictions.csv"]
    assert all(each in said.splitlines()[-1] for each in ["lentigo compare", *predictions])
    environment = place / "b" / "environment.json"
    known = json.loads(environment.read_text()) | {"data_digest": "cd" * 32}
    environment.write_text(json.dumps(known))
    assert "compare" not in runs_text(find_runs([place]))


def test_seeds_of_the_same_settings_have_a_spread(place: Path) -> None:
    """AUCs 0.8, 0.7 and 0.6: mean 0.7, deviation 0.1; the run of 7 epochs is another."""
    for seed, auc in ((1, 0.7), (2, 0.6)):
        run = write_run(place / f"s{seed}", tiny_config(seed=seed), started="2026-02")
        finish(run, auc)
    (found,) = spread_of_seeds(find_runs([place]))
    assert (found.seeds, found.same_images) == ((0, 1, 2), True)
    assert [found.mean, found.deviation] == pytest.approx([0.7, 0.1])
    said = (
        "Seeds 0, 1 and 2 and else the same settings: AUC 0.700, standard deviation 0.100"
    )
    assert said in runs_text(find_runs([place]))


def test_one_picture_and_one_melanoma_are_said_in_the_singular(place: Path) -> None:
    assert "200 held-out images, 1 melanoma" in runs_text(find_runs([place]))


STATES: list[tuple[dict[str, Any], str]] = [
    ({}, "prepared"),
    ({"fold-0": (0.5,)}, "fold 1 of 2: fold-0, epoch 1 of 2"),
    ({"fold-0/member-0": (0.5, 0.6)}, "fold 1 of 2: fold-0 member-0, epoch 2 of 2"),
    (
        {"fold-0/member-0": (0.5, 0.6), "fold-0/member-1": (0.5,)},
        "fold 1 of 2: fold-0 member-1, epoch 1 of 3",
    ),
]


@pytest.mark.parametrize(("epochs", "state"), STATES)
def test_how_far_a_run_is(epochs: dict[str, Any], state: str, tmp_path: Path) -> None:
    members = any("member" in name for name in epochs)
    config = tiny_config(members=TWO) if members else tiny_config()
    run = write_run(tmp_path / "r", config, started="2026")
    for name, each in epochs.items():
        write_epochs(run / name, each)
    (found,) = find_runs([run])
    assert found.state == state
    assert math.isnan(found.auc)
    (run / "fold-0").mkdir(exist_ok=True)
    (run / "fold-0" / "predictions.csv").write_text("image_id\n")
    assert find_runs([run])[0].state == "1 fold of 2 trained"
    (run / "fold-0" / "diverged.json").write_text("{}")
    if not members:
        assert find_runs([run])[0].state == "fold-0 diverged"


def test_a_run_before_its_table_is_preparing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", tiny_config(), started="2026")
    (run / "table.parquet").unlink()
    (run / "environment.json").unlink()
    (found,) = find_runs([tmp_path])
    assert (found.state, found.started) == ("preparing", "")
    assert math.isnan(found.minutes)


def test_a_broken_folder_is_left_out_and_named(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (place / "b" / "config.yaml").write_text("training: 3")
    with caplog.at_level("WARNING", logger="lentigo"):
        assert [each.folder.name for each in find_runs([place])] == ["a"]
    assert f"{place / 'b'} is left out" in caplog.text


@pytest.mark.parametrize("name", ["notes", "nowhere"])
def test_without_a_run_it_says_so(name: str, place: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=name):
        find_runs([place / name])


def test_a_run_that_is_named_twice_stands_once(place: Path) -> None:
    assert len(find_runs([place, place / "b"])) == 2


def test_the_command_prints_and_writes_the_same(place: Path) -> None:
    done = CliRunner().invoke(app, ["runs", str(place), "--csv", str(place / "all.csv")])
    assert done.exit_code == 0, done.output
    assert "AUC 0.800 (95 % interval 0.700–0.900)" in done.output
    table = pd.read_csv(place / "all.csv")
    assert table["auc"].tolist() == [0.8, 0.75]
    again = CliRunner().invoke(app, ["runs", str(place), "--csv", str(place / "all.csv")])
    assert again.exit_code == 1
    told = CliRunner().invoke(app, ["runs", str(place), "--json"])
    assert json.loads(told.stdout)["differ_in"] == ["seed", "training.epochs"]
