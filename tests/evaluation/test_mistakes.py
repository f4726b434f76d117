"""Subgroups among the mistakes, counted by hand."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from lentigo.evaluation import evaluate
from lentigo.evaluation.mistakes import FALSE_ALARM, MISSED
from lentigo.json_files import to_json

# Of 60 melanomas on the back 30 are missed, of 60 on the leg 6; false alarms the other way.
ROWS = pd.DataFrame(
    {
        "image_id": [f"i{number:03}" for number in range(240)],
        "melanoma": [1] * 120 + [0] * 120,
        "probability": [0.1] * 30 + [0.9] * 30 + [0.1] * 6 + [0.9] * 54
        + [0.9] * 6 + [0.1] * 54 + [0.9] * 30 + [0.1] * 30,
        "place": (["back"] * 60 + ["leg"] * 60) * 2,
    }
)  # fmt: skip
FOUND = evaluate(ROWS.drop(columns="melanoma"), ROWS, by="place", repeats=20)


def test_each_kind_names_where_it_is_more_frequent() -> None:
    missed, alarm = FOUND.mistakes
    assert (missed.kind, missed.name, missed.mistakes, missed.images) == (
        MISSED, "back", 30, 60,
    )  # fmt: skip
    assert (alarm.kind, alarm.name, alarm.mistakes, alarm.images) == (
        FALSE_ALARM, "leg", 30, 60,
    )  # fmt: skip
    assert missed.share_of_mistakes == 30 / 36
    assert missed.share_of_images == 60 / 120
    assert missed.ratio == pytest.approx(30 / 36 * 2)
    assert missed.excess.interval.value == pytest.approx(30 / 60 - 6 / 60)


def test_the_excess_has_its_interval_and_an_adjusted_p() -> None:
    excess = FOUND.mistakes[0].excess
    assert 0 < excess.interval.low < 0.4 < excess.interval.high
    assert excess.p < 0.001
    assert excess.p_holm >= excess.p


def test_they_are_told_and_kept() -> None:
    text = FOUND.as_text()
    assert "Where a missed melanoma is more frequent than in the rest:" in text
    assert "place: back" in text
    assert "1 of 1 have p below 0.05 after Holm." in text
    known = json.loads(to_json(FOUND.as_dict()))["mistakes"]
    assert [row["name"] for row in known] == ["back", "leg"]


def test_without_mistakes_or_subgroups_there_are_none() -> None:
    right = ROWS.assign(probability=ROWS["melanoma"] * 0.8 + 0.1)
    known = evaluate(right.drop(columns="melanoma"), right, by="place", repeats=20)
    assert known.mistakes == ()
    plain = evaluate(ROWS.drop(columns="melanoma"), ROWS, repeats=20)
    assert plain.mistakes == ()
    assert "more frequent" not in plain.as_text()


def test_too_few_are_left_out() -> None:
    few = ROWS.assign(place=["rare"] * 2 + ["back"] * 238)
    known = evaluate(few.drop(columns="melanoma"), few, by="place", repeats=20)
    assert all(row.name != "rare" for row in known.mistakes if row.kind == FALSE_ALARM)
    assert not any(math.isnan(row.excess.interval.value) for row in known.mistakes)
