"""What is searched is refused in a moment where it makes no sense."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.cli.options import ask
from lentigo.errors import ConfigError, RunError
from lentigo.recipes import RECIPES
from lentigo.tuning.space import Dimension, check_asked, search_space
from tests.cohorts import tiny_config

CONFIG = tiny_config()


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (
            "training.learning_rate=log:1e-4..1e-2",
            Dimension(
                name="training.learning_rate", kind="float", low=1e-4, high=1e-2, log=True
            ),
        ),
        (
            "model.dropout = 0..0.5",
            Dimension(name="model.dropout", kind="float", low=0, high=0.5),
        ),
        (
            "training.epochs=2..8",
            Dimension(name="training.epochs", kind="int", low=2, high=8),
        ),
        (
            "augment.hue=choice:0,5,10",
            Dimension(name="augment.hue", kind="choice", choices=(0, 5, 10)),
        ),
        (
            "augment.flip=choice:true,false",
            Dimension(name="augment.flip", kind="choice", choices=(True, False)),
        ),
    ],
)
def test_a_search_is_read(search: str, expected: Dimension) -> None:
    (found,) = search_space(CONFIG, [search])
    # Of NaN no two are equal, so what is told is compared.
    assert found.as_dict() == expected.as_dict()
    assert found.kind != "int" or isinstance(found.low, int)


@pytest.mark.parametrize(
    ("searches", "said"),
    [
        (["training.dropout=0..0.5"], r"Did you mean model\.dropout\?"),
        (["model.dropout"], "is none; write NAME=0..0.5"),
        (["model.dropout=0.1"], "is no range"),
        (["model.dropout=0..a"], "'a' is no number"),
        (["model.dropout=0..inf"], "'inf' is no number"),
        (["model.dropout=0.5..0"], "is empty"),
        (["model.dropout=log:0..0.5"], "log needs a range above 0"),
        (["model.dropout=0..2"], "model.dropout"),
        (["training.epochs=1.5..3"], "is a whole number"),
        (["training.loss=0..1"], "is no number; write training.loss=choice:A,B"),
        (["training.loss=choice:focal,vocal"], "training.loss"),
        (["training.loss=choice:focal"], "two values or more"),
        (["training.loss=choice:focal,focal"], "each given once"),
        (["model.dropout=0..0.5", "model.dropout=0..0.1"], "searched twice"),
        (["seed=0..9"], "all trials share it"),
        (["split.validation=0.1..0.2"], "all trials share it"),
        (["training.workers=0..2"], "all trials share it"),
        (["evaluation.repeats=5..50"], "all trials share it"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(searches: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        search_space(CONFIG, searches)


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"frozen"}))
def test_each_recipe_has_a_space_around_its_own_rate(name: str) -> None:
    config = RECIPES[name]()
    space = {each.name: each for each in search_space(config, [])}
    rate = space["training.learning_rate"]
    assert (rate.low * 10, rate.high / 10) == pytest.approx(
        (config.training.learning_rate,) * 2
    )
    assert {"model.dropout", "training.weight_decay"} <= set(space)


def test_what_learns_at_no_rate_has_no_space_by_itself() -> None:
    with pytest.raises(ConfigError, match="no default search; name a setting"):
        search_space(RECIPES["frozen"](), [])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"trials": 0}, "trials is 0"),
        ({"hours": 0.0}, "hours is 0"),
        ({"hours": float("nan")}, "hours is nan"),
        ({"pruner": "mean"}, "none of median, hyperband, none"),
    ],
)
def test_counts_and_pruners_that_are_none_are_refused(
    asked: dict[str, object], said: str, tmp_path: Path
) -> None:
    plain = {"trials": 3, "hours": None, "pruner": "median", "resume": False, **asked}
    with pytest.raises(ConfigError, match=said):
        check_asked(CONFIG, [], tmp_path / "out", **plain)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_taken_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        check_asked(CONFIG, [], tmp_path, trials=3, hours=None, pruner="none", resume=False)


def test_what_makes_no_sense_is_told_before_the_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("no table")
    told = CliRunner().invoke(
        app,
        ["tune", f"{tmp_path}/t.csv", "--recipe", "demo", "--search", "model.dropuot=0..1",
         "--out", f"{tmp_path}/out"],
    )  # fmt: skip
    assert told.exit_code == 1
    assert "Did you mean model.dropout" in " ".join(told.stderr.split())
    assert not (tmp_path / "out").exists()


def test_refusing_needs_neither_torch_nor_optuna_nor_pandas() -> None:
    code = (
        "import sys; from pathlib import Path; from lentigo.recipes import demo\n"
        "from lentigo.tuning.space import search_space\n"
        "search_space(demo(), ['training.learning_rate=log:1e-4..1e-2'])\n"
        "print(*sorted({'torch', 'optuna', 'pandas', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_a_run_begins_with_the_settings_of_a_file(tmp_path: Path) -> None:
    best = tiny_config(model__dropout=0.31)
    (tmp_path / "best.yaml").write_text(best.to_yaml())
    found = ask("quick", None, ["training.epochs=7"], config_file=tmp_path / "best.yaml")
    assert found.backbone_given
    assert found.config.model == best.model
    assert found.config.training.epochs == 7
