"""The words around an AUC: whose images, how few, and which way round."""

from __future__ import annotations

import math

import pytest

from lentigo.evaluation.headline import (
    Counts,
    left_out,
    too_few,
    too_narrow,
    upside_down,
    whole_of,
    whose,
)


def counts(**more: object) -> Counts:
    plain = {
        "images": 100, "melanomas": 20, "groups": 15, "unit": "patient",
        "melanoma_groups": 10, "other_groups": 12, "named": 100, "left_out": {},
    }  # fmt: skip
    return Counts(**{**plain, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("patient", " of 15 patients"),
        ("lesion", " of 15 lesions"),
        ("group", " of 15 groups"),
        ("clinic", " of 15 groups by clinic"),
        ("image", ""),
    ],
)
def test_groups_are_told_in_their_own_word(unit: str, said: str) -> None:
    assert whose(counts(unit=unit)) == said
    if said:
        assert f" of {whole_of(counts(unit=unit))}" == said


def test_intervals_of_single_images_may_be_too_narrow() -> None:
    assert "too narrow" in too_narrow(counts(unit="image"))
    assert too_narrow(counts()) == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"melanomas": 5}, ""),
        ({"melanomas": 4}, "5 melanomas and 5 other images"),
        ({"melanomas": 96}, "5 melanomas and 5 other images"),
        ({"melanoma_groups": 5, "other_groups": 5}, ""),
        ({"melanoma_groups": 4}, "the melanomas are of 4 patients, the other images of 12"),
        ({"other_groups": 4, "unit": "clinic"}, "of 10 groups, the other images of 4"),
    ],
)
def test_five_of_each_are_needed_to_tell_anything(
    more: dict[str, object], said: str
) -> None:
    assert (said in too_few(counts(**more))) is True
    assert bool(too_few(counts(**more))) is bool(said)


@pytest.mark.parametrize(
    ("lost", "melanomas", "told"),
    [(2, 0, False), (3, 0, True), (1, 1, True), (1, None, True), (0, None, False)],
)
def test_more_than_two_per_cent_lost_is_told(
    lost: int, melanomas: int | None, told: bool
) -> None:
    given = counts(
        images=100 - lost, left_out={"without a file": lost}, melanomas_left_out=melanomas
    )
    assert bool(left_out(given)) is told


def test_an_interval_that_ends_below_one_half_may_be_the_wrong_way_round() -> None:
    assert "the wrong way round" in upside_down(0.4999)
    assert upside_down(0.5) == ""
    assert upside_down(math.nan) == ""
