"""Switches are compared on the same images, and what is trained is not trained again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.ablation import (
    BASE,
    Ablation,
    _trained,
    ablate,
    variants_of,
    with_seeds,
)
from lentigo.cli.app import app
from lentigo.config import Config
from lentigo.errors import ConfigError, DatasetError, ModelError, RunError
from lentigo.evaluation.clustered import Estimate, estimated_mean_difference
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table
from lentigo.training.run import train
from tests.cohorts import draw_cohort, tiny_config

CONFIG = tiny_config(training__epochs=1)
SWITCH = "training.imbalance=oversample"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=80)


@pytest.fixture(scope="module")
def trained(
    cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ablation, Path, list[str]]:
    """Return an ablation that was stopped before its third training, and went on."""
    out = tmp_path_factory.mktemp("ablation") / "out"
    told: list[str] = []

    def counted(*given: Any, **named: Any) -> Any:
        if len(told) == 2:
            told.append("stopped")
            raise KeyboardInterrupt
        told.append(Path(named["out"]).name)
        return train(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lentigo.training.run.train", counted)
        with pytest.raises(KeyboardInterrupt):
            ablate(cohort, CONFIG, switches=[SWITCH], out=out, seeds=2)
        assert not (out / "ablation.json").exists()
        found = ablate(cohort, CONFIG, switches=[SWITCH], out=out, seeds=2, resume=True)
    return found, out, told


def test_a_stopped_ablation_trains_only_what_is_missing(
    trained: tuple[Ablation, Path, list[str]],
) -> None:
    assert trained[2] == [
        "switch-0-seed-0", "switch-1-seed-0", "stopped",
        "switch-0-seed-1", "switch-1-seed-1",
    ]  # fmt: skip


def test_all_are_judged_on_the_same_held_out_images(
    trained: tuple[Ablation, Path, list[str]],
) -> None:
    _, out, told = trained
    held_out = [
        sorted(read_any_table(RunLayout(out / name).predictions)["image_id"])
        for name in told
        if name != "stopped"
    ]
    assert all(each == held_out[0] for each in held_out)
    assert not list(out.glob("switch-*/pixels"))  # decoded once, beside them


def test_the_effect_is_the_mean_of_paired_differences(
    trained: tuple[Ablation, Path, list[str]],
) -> None:
    found, out, _ = trained
    base, switch = found.effects
    assert (base.switch, switch.switch) == (BASE, SWITCH)
    assert base.difference.value == 0
    assert np.isnan(base.difference.low)
    assert switch.difference.value == pytest.approx(np.mean(switch.of_seeds))
    assert switch.difference.value == pytest.approx(switch.auc - base.auc)
    table = read_any_table(out / "ablation.csv")
    assert table["switch"].tolist() == [BASE, SWITCH]
    assert table["difference"][1] == pytest.approx(switch.difference.value)
    told = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    assert told["effects"][1]["of_seeds"] == list(switch.of_seeds)
    assert (out / "figures" / "ablation.svg").is_file()


def test_another_ablation_is_not_gone_on_with(
    trained: tuple[Ablation, Path, list[str]], cohort: pd.DataFrame
) -> None:
    out = trained[1]
    with pytest.raises(RunError, match=r"holds an ablation\. Go on with --resume"):
        ablate(cohort, CONFIG, switches=[SWITCH], out=out, seeds=2)
    with pytest.raises(ConfigError, match="other settings, switches, seeds or folds"):
        ablate(cohort, CONFIG, switches=[SWITCH], out=out, seeds=3, resume=True)
    with pytest.raises(RunError, match="is not empty"):
        ablate(cohort, CONFIG, switches=[SWITCH], out=out.parent, seeds=2)
    twice = tiny_config(split__repeats=2)
    with pytest.raises(ConfigError, match="not dealt anew"):
        ablate(cohort, twice, switches=[SWITCH], out=out.parent / "twice")
    nested = tiny_config(split__nested=True)
    with pytest.raises(ConfigError, match=r"leave split\.nested out"):
        ablate(cohort, nested, switches=[SWITCH], out=out.parent / "nested")


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        ([], "No switch was given"),
        (["training.views=2", "training.views=2"], "trains what another one does"),
        (["training.epochs=1"], "trains what another one does"),
        (["seed=4"], "changes seed"),
        (["split.validation=0.2"], "changes split.validation"),
        (["training.epoch=1"], "no setting called 'training.epoch'"),
        (["views"], "has no '='"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(switches: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        variants_of(CONFIG, switches)


@pytest.mark.parametrize(
    ("switch", "error", "said"),
    [
        ("training.frozen_stages=9", ModelError, "stages behind its stem"),
        ("model.metadata=late", DatasetError, "has an age, a sex or a site"),
        ("training.margin=0.5", ConfigError, "nothing changes by it"),
        ("recipe=strong", ConfigError, "choose a recipe with --recipe"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_first_training(
    cohort: pd.DataFrame, tmp_path: Path, switch: str, error: type[Exception], said: str
) -> None:
    """The recipe was trained to its end first, and the folder could not be used again."""
    out = tmp_path / "out"
    unknown = cohort.drop(columns=["age", "sex", "site"], errors="ignore")
    with pytest.raises(error, match=said) as told:
        ablate(unknown, CONFIG, switches=[SWITCH, switch], out=out, seeds=1)
    assert switch in str(told.value) or switch.startswith("recipe")
    assert not list(out.glob("*"))


def test_a_switch_that_diverges_is_told_and_the_others_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended the whole ablation, and each --resume ended at the same training."""
    asked: list[str] = []

    def fake(_: Any, config: Config, *, out: Path, **more: Any) -> None:
        asked.append(out.name)
        fold = RunLayout(out).fold(0)
        fold.folder.mkdir(parents=True, exist_ok=True)
        if config.training.learning_rate == 9 and config.seed == 1:
            fold.diverged.write_text("{}")
            raise RunError("fold-0 diverged: from epoch 1 on")
        if config.training.learning_rate == 8:
            raise RunError("The disk is full.")
        RunLayout(out).predictions.write_text("")

    monkeypatch.setattr("lentigo.training.run.train", fake)
    variants = variants_of(CONFIG, ["training.learning_rate=9", "training.mixup=1"])
    table: Any = None
    for resumed in (False, True):
        runs, lost = _trained(table, variants, tmp_path, seeds=3, folds=1)
        assert lost == {"training.learning_rate=9": "fold-0 diverged: from epoch 1 on"}
        assert {name: len(own) for name, own in runs.items()} == {
            BASE: 3, "training.mixup=1": 3
        }  # fmt: skip
        tried = [name for name in asked if name.startswith("switch-1")]
        assert (
            tried
            == ["switch-1-seed-0", "switch-1-seed-1", "switch-1-seed-1"][: 2 + resumed]
        )
    found = Ablation(
        recipe="demo", effects=(), seeds=(0, 1, 2), n_images=1, n_melanomas=1, n_groups=1,
        diverged=lost,
    )  # fmt: skip
    assert "not judged  training.learning_rate=9: fold-0 diverged" in found.as_text()
    assert found.as_dict()["diverged"] == lost
    full = variants_of(CONFIG, ["training.learning_rate=8"])
    with pytest.raises(RunError, match="The disk is full"):
        _trained(table, full, tmp_path / "full", seeds=1, folds=1)
    wild = {BASE: variants["training.learning_rate=9"]}
    with pytest.raises(RunError, match="diverged"):
        _trained(table, wild, tmp_path / "wild", seeds=2, folds=1)


def test_a_switch_may_change_several_settings() -> None:
    found = variants_of(CONFIG, ["training.epochs=3  training.average=0"])
    own = found["training.epochs=3 training.average=0"].training
    assert (own.epochs, own.average) == (3, 0)


def test_the_difference_of_two_seeds_is_the_mean_of_theirs() -> None:
    """Two melanomas and two others: with 1, 3/4 and 1/2 of the pairs in order."""
    truth, group = np.array([True, True, False, False]), np.arange(4, dtype=np.intp)
    right, three, half = (
        np.array(each, dtype=float) for each in ([3, 2, 1, 0], [3, 1, 2, 0], [3, 0, 1, 2])
    )
    found = estimated_mean_difference(truth, [(right, three), (right, half)], group)
    assert found.value == (1 / 4 + 1 / 2) / 2


def test_seeds_add_their_variance_to_that_of_patients() -> None:
    patients = Estimate(0.04, 0.03, 100)
    found = with_seeds(patients, [0.0, 0.08])  # the mean of the two varies by 0.04
    assert found.error == pytest.approx(0.05)
    # 0.0025² / (0.0009² / 100 + 0.0016² / 1), of which 2 are whole
    assert found.freedom == 2
    assert with_seeds(patients, [0.04]) == patients


def test_the_command_line_makes_an_ablation(cohort: pd.DataFrame, tmp_path: Path) -> None:
    cohort.to_csv(tmp_path / "t.csv", index=False)
    told = CliRunner().invoke(
        app,
        ["ablate", f"{tmp_path}/t.csv", "--switches", "seed=1", f"--out={tmp_path}/out"],
    )
    assert told.exit_code == 1
    assert "changes seed" in told.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("switch", "there", "said"),
    [
        ("training.mixupp=1", "", "Did you mean training.mixup"),
        ("training.mixup=1", "x", "is not empty"),
    ],
)
def test_what_makes_no_sense_is_told_before_the_table_is_read(
    tmp_path: Path, switch: str, there: str, said: str
) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "out"
    table.write_text("no table")
    (out / there).mkdir(parents=True)
    told = CliRunner().invoke(
        app, ["ablate", str(table), "--switches", switch, "--out", str(out)]
    )
    assert told.exit_code == 1
    assert said in " ".join(told.stderr.split())
