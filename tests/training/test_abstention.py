"""The limit of several networks together, above which an image is not answered."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from lentigo.models.abstention import Abstention, Signal
from lentigo.training.abstention import _say, limit_of_several

OWN = Abstention(
    signals=[Signal(name="early", middle=0.0, spread=1.0)], limit=2.0, set_on="of one"
)


def test_the_share_refused_is_of_what_lies_above_the_limit() -> None:
    strangeness = np.stack([np.arange(600.0), np.arange(600.0) + 2])
    groups = [f"g{row}" for row in range(600)]
    found = limit_of_several(strangeness, np.zeros((2, 600)), OWN, groups)
    # The mean of both is judged; 22 of 600 may be above (tests of `limit_of`).
    assert found.limit == 599 - 22 + 1
    assert found.refused == pytest.approx(22 / 600)
    assert found.set_on == "of one"


def test_networks_that_contradict_each_other_make_an_image_strange() -> None:
    logits = np.zeros((2, 600))
    logits[:, :3] = [[1.0], [-1.0]]
    found = limit_of_several(np.zeros((2, 600)), logits, OWN, [str(n) for n in range(600)])
    assert [signal.name for signal in found.signals] == ["members"]
    # A standard deviation of 1 beside the least spread, a tenth.
    assert found.strangeness(np.array([[1.0]])) * (found.limit or 0) == pytest.approx(10)


def test_too_few_groups_set_no_limit_however_many_images_they_have() -> None:
    groups = [f"g{row % 44}" for row in range(440)]
    found = limit_of_several(np.ones((2, 440)), np.zeros((2, 440)), OWN, groups)
    assert (found.limit, found.refused) == (None, None)


@pytest.mark.parametrize(
    ("limit", "refused", "said"),
    [
        (2.0, 0.0414, "of the validation images these are 4.1 %"),
        (None, None, "7 validation groups are too few"),
    ],
)
def test_the_log_tells_how_many_images_are_not_answered(
    limit: float | None,
    refused: float | None,
    said: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("lentigo"), "propagate", True)
    with caplog.at_level("INFO", logger="lentigo"):
        _say(OWN.model_copy(update={"limit": limit, "refused": refused, "n_groups": 7}))
    assert said in caplog.text
