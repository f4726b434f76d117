"""A range test of learning rates: what its losses say, and a whole one on discs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.config import RatesConfig
from lentigo.errors import ConfigError
from lentigo.rate_finder import find_rate
from lentigo.tables import write_table
from lentigo.training.rates import advice, rates_of, smoothed
from tests.cohorts import TINY, draw_cohort, tiny_config


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=60)


def test_losses_are_smoothed_as_pandas_does() -> None:
    losses = np.random.default_rng(0).uniform(0.2, 1, 50)
    expected = pd.Series(losses).ewm(alpha=0.05, adjust=True).mean()
    assert smoothed(losses.tolist()) == pytest.approx(expected.to_numpy())


def test_each_rate_is_the_same_factor_above_the_one_before() -> None:
    rates = rates_of(RatesConfig(steps=31, lowest=1e-3, highest=1.0))
    assert rates[[0, 10, 20, 30]] == pytest.approx([1e-3, 1e-2, 1e-1, 1])


def test_a_tenth_of_the_rate_of_the_lowest_loss_is_advised() -> None:
    """The loss is 1, falls from 1e-3 on, and bursts above 1e-1; smoothing comes late."""
    rates = np.geomspace(1e-5, 1, 500)
    log = np.log10(rates)
    losses = np.where(log < -3, 1.0, np.where(log < -1, -0.2 - 0.4 * log, 9.0))
    losses = np.where(log < -1, np.minimum(losses, 1), losses)
    found = advice(rates.tolist(), losses.tolist())
    assert found.lowest_at == pytest.approx(0.1, rel=0.05)
    assert found.rate == pytest.approx(found.lowest_at / 10)


@pytest.mark.parametrize("losses", [[0.7] * 60, np.linspace(0.5, 2, 60).tolist(), [0.7]])
def test_no_rate_is_named_where_no_loss_falls(losses: list[float]) -> None:
    found = advice(np.geomspace(1e-5, 1, 60).tolist(), losses)
    assert math.isnan(found.rate)


def test_a_head_on_kept_features_has_a_range_test_too(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(
        training__epochs=2, training__frozen_epochs=2, training__frozen_views=1
    )
    rates = RatesConfig(steps=20, lowest=1e-5, highest=1e-3)
    found = find_rate(cohort, config, rates, out=tmp_path / "rates")
    assert len(found.networks[0].table) == 20


def test_a_range_test_says_a_rate_and_changes_none(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(training__schedule="constant", training__average=0.0)
    tried = RatesConfig(steps=25, lowest=1e-5, highest=10)
    found = find_rate(cohort, config, tried, out=tmp_path / "rates")
    (own,) = found.networks
    assert own.given == config.training.learning_rate
    assert own.table["learning_rate"].iloc[0] == pytest.approx(1e-5)
    assert 1e-5 < own.advice.rate < own.advice.lowest_at
    told = json.loads((tmp_path / "rates" / "rates.json").read_text())
    assert told["networks"][0]["rate"] == pytest.approx(own.advice.rate)
    names = {path.name for path in (tmp_path / "rates").rglob("*.*")}
    assert {"rates.csv", "rates-network.png", "rates-network.csv"} <= names
    assert not {"config.yaml", "model.json", "checkpoint.pt"} & names
    again = find_rate(cohort, config, tried, out=tmp_path / "again")
    pd.testing.assert_frame_equal(own.table, again.networks[0].table)


def test_what_learns_at_no_rate_is_refused(cohort: pd.DataFrame, tmp_path: Path) -> None:
    config = tiny_config(training__method="logistic", training__frozen_epochs=0)
    with pytest.raises(ConfigError, match="uses no learning rate"):
        find_rate(cohort, config, out=tmp_path / "rates")
    with pytest.raises(ConfigError, match="at least ten times lowest"):
        RatesConfig(lowest=0.1, highest=0.5)
    assert not (tmp_path / "rates").exists()


def test_the_command_tells_of_each_member(cohort: pd.DataFrame, tmp_path: Path) -> None:
    write_table(cohort, tmp_path / "table.parquet")
    settings = {**TINY, "members": '[{}, {"training.loss": focal}]'}
    given = [f"--set={name}={value}" for name, value in settings.items()]
    done = CliRunner().invoke(
        app,
        ["find-rate", str(tmp_path / "table.parquet"), "--recipe", "demo", *given,
         "--steps", "20", "--out", str(tmp_path / "rates"), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["networks"]
    assert [each["network"] for each in told] == ["member-0", "member-1"]
    assert len(pd.read_csv(tmp_path / "rates" / "rates.csv")["network"].unique()) == 2
