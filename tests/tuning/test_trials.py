"""Trials are drawn once, kept through kills, and stopped where others are better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lentigo.errors import RunError
from lentigo.tuning.space import Dimension

pytest.importorskip("optuna", reason="the extra tune is not installed")
from lentigo.tuning.trials import (
    ended,
    finish,
    give_up,
    next_trial,
    opened_study,
    report,
    values_of,
)

SPACE = (
    Dimension(name="a", kind="float", low=1e-4, high=1.0, log=True),
    Dimension(name="b", kind="int", low=1, high=9),
    Dimension(name="c", kind="choice", choices=("x", "y", "z")),
)


def score(values: dict[str, Any]) -> float:
    return float(1 / (1 + abs(values["b"] - 4) + 10 * values["a"]) - (values["c"] == "z"))


def searched(path: Path, count: int, *, breaks: bool = False) -> list[dict[str, Any]]:
    """Run `count` trials, in one study or in one that is opened anew in between."""
    for number in range(count):
        if (
            breaks and number > 6
        ):  # killed when one of three values is drawn, or once all are
            for drawn in (1, 3):
                with opened_study(path, pruner="median") as study:
                    values_of(next_trial(study), SPACE[:drawn], seed=5)
        with opened_study(path, pruner="median") as study:
            trial = next_trial(study)
            assert trial.number == number
            finish(trial, score(values_of(trial, SPACE, seed=5)))
    with opened_study(path, pruner="median") as study:
        return [each.params for each in ended(study)]


def test_a_search_that_was_killed_draws_what_one_that_was_not_draws(tmp_path: Path) -> None:
    whole = searched(tmp_path / "whole.db", 10)
    broken = searched(tmp_path / "broken.db", 10, breaks=True)
    assert whole == broken
    assert len({str(each) for each in whole}) == 10
    assert not list(tmp_path.glob(".lentigo-*"))


def test_a_trial_that_is_worse_than_most_is_stopped(tmp_path: Path) -> None:
    """Four trials have 0.8 and 0.9 after their epochs; a fifth has 0.6, a sixth 0.85."""
    with opened_study(tmp_path / "t.db", pruner="median") as study:
        for _ in range(4):
            trial = next_trial(study)
            values_of(trial, SPACE, seed=0)
            assert not report(trial, {1: 0.8, 2: 0.9})
            finish(trial, 0.9)
        poor = next_trial(study)
        values_of(poor, SPACE, seed=0)
        assert report(poor, {1: 0.6})
        give_up(poor, "stopped early")
        good = next_trial(study)
        assert good.number == 5
        assert not report(good, {1: 0.85})
    with opened_study(tmp_path / "t.db", pruner="median") as study:
        again = next_trial(study)
        assert again.number == 5
        assert not report(again, {1: 0.1, 2: 0.95})  # what was noted stays
        assert [each.value for each in ended(study)] == [0.9] * 4 + [0.6]


def test_without_a_pruner_nothing_is_stopped(tmp_path: Path) -> None:
    with opened_study(tmp_path / "t.db", pruner="none") as study:
        for value in (0.9, 0.9, 0.9, 0.9, 0.9, 0.1):
            trial = next_trial(study)
            assert not report(trial, {1: value})
            finish(trial, value)


def test_hyperband_stops_the_worse_ones(tmp_path: Path) -> None:
    with opened_study(tmp_path / "t.db", pruner="hyperband") as study:
        stopped = []
        for number in range(8):
            trial = next_trial(study)
            values_of(trial, SPACE, seed=0)
            poor = any(report(trial, {e: 0.9 - number / 20}) for e in range(1, 10, 2))
            stopped.append(poor)
            finish(trial, 0.9 - number / 20)
    assert any(stopped)
    assert not stopped[0]


def test_a_file_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_bytes(b"no database" * 100)
    with (
        pytest.raises(RunError, match=r"t\.db cannot be read or written as the trials"),
        opened_study(tmp_path / "t.db", pruner="median") as study,
    ):
        next_trial(study)
