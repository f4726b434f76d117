"""How a report says what was trained: from which weights, for how long, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lentigo.config import Config, with_settings
from lentigo.reports.run.training import _line, _network


def said(**settings: Any) -> str:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return _network(with_settings(Config(), named))


def test_where_the_weights_come_from_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.safetensors").write_bytes(b"")
    own = said(model__weights=tmp_path / "own.safetensors", model__pretrained=False)
    assert "starting from the weights in own.safetensors" in own
    assert "from timm's pretrained weights" in said(model__pretrained=True)
    assert "from random weights" in said(model__pretrained=False)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"training__epochs": 1}, "for at most 1 epoch"),
        ({"training__frozen_epochs": 2}, ", the first 2 with the backbone frozen"),
        ({"training__frozen_stages": 1}, ", its stem and 1 first stage left as they were"),
        ({"training__progressive": 0.5}, "images that grew from 50 % of that size"),
        ({"training__swa": 0.25}, "the weights of the last 25 % of epochs averaged"),
        ({"model__hidden": 8}, "a dense layer of 8 units and one linear output"),
        ({"training__target": "diagnosis"}, "one linear output for each diagnosis"),
        ({"training__target": "diagnosis"}, "The probability of melanoma is read off them"),
    ],
)
def test_each_setting_is_told_only_where_it_was_chosen(
    settings: dict[str, Any], words: str
) -> None:
    assert words in said(**settings)
    plain = said(training__frozen_epochs=0, training__swa=0, training__epochs=3)
    assert words not in plain


def test_a_logistic_regression_learns_no_epochs() -> None:
    words = said(training__method="logistic")
    assert "Only its output was fitted" in words
    assert "epoch" not in words


HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "validation_auc": [0.7, 0.8, 0.75],
        "validation_loss": [0.6, 0.5, 0.4],
        "best": [True, True, False],
        "seconds": [30.0, 30.0, 33.0],
    }
)


def test_a_line_tells_the_epoch_that_was_kept_and_not_the_last() -> None:
    row = _line("fold-0", HISTORY)
    assert (row.epochs, row.kept, row.auc, row.loss) == ("3", "2", "0.800", "0.500")
    assert row.minutes == "1.6"  # 93 seconds, 1.55 minutes


def test_what_was_not_recorded_is_said_to_be_so() -> None:
    bare = _line("fold-0", HISTORY.drop(columns=["best", "seconds"]))
    assert (bare.kept, bare.minutes) == ("not recorded", "not recorded")
    never = _line("fold-0", HISTORY.assign(best=False))
    assert never.kept == "not recorded"
