"""What `lentigo explain` and its page say of maps that say nothing, and why."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd
import pytest

from lentigo.cli.explain import _checked
from lentigo.reports.explanations.write import COLUMNS, _shown


@pytest.mark.parametrize(
    ("nothing", "likeness", "said"),
    [
        ([False, True], [0.1, 0.8], "1 of 2 maps fails the sanity check"),
        (
            [False, True, True],
            [0.1, 0.8, math.nan],
            "1 of 3 maps fails the sanity check, 1 is the same everywhere",
        ),
        (
            [False, True, True],
            [0.1, math.nan, math.nan],
            "0 of 3 maps fail the sanity check, 2 are the same everywhere",
        ),
        ([True], [math.nan], "1 of 1 map is the same everywhere"),
        (
            [False, False],
            [math.nan, math.nan],
            "not checked with shuffled weights, which needs torch",
        ),
    ],
)
def test_an_even_map_is_not_counted_as_failing_a_check_it_never_had(
    nothing: list[bool], likeness: list[float], said: str
) -> None:
    maps = pd.DataFrame({"says_nothing": nothing, "likeness": likeness})
    assert _checked(maps) == said


@pytest.mark.parametrize(
    ("nothing", "likeness", "even", "unchecked"),
    [
        (True, math.nan, True, False),
        (True, 0.9, False, False),
        (False, math.nan, False, True),
    ],
)
def test_the_page_tells_an_even_map_from_one_that_fails(
    nothing: bool, likeness: float, even: bool, unchecked: bool
) -> None:
    row: dict[Hashable, Any] = dict.fromkeys(COLUMNS, 0.1)
    row |= {"overlay": "a.png", "says_nothing": nothing, "likeness": likeness}
    found = _shown(row)
    assert (found["even"], found["unchecked"]) == (even, unchecked)
