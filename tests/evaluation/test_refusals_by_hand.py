"""Guesses and refusals at their limits, on tables of a few rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ColumnError, ConfigError, DatasetError
from lentigo.evaluation.clustered_logistic import _at_least
from lentigo.evaluation.planning import plan_study
from lentigo.evaluation.power import check_pilot, check_wishes
from lentigo.evaluation.prediction_columns import _likeliest
from lentigo.evaluation.sums import Sample


def sample(melanomas: int, others: int, *, spread: float = 1.0) -> Sample:
    count = melanomas + others
    score = 0.5 + 0.4 * spread * np.linspace(-1, 1, count)
    return Sample(np.arange(count) < melanomas, score, np.arange(count), count)


@pytest.mark.parametrize(("melanomas", "others"), [(4, 20), (20, 4)])
def test_a_pilot_needs_five_groups_of_either(melanomas: int, others: int) -> None:
    words = (
        f"melanomas of {melanomas} groups and other images of {others} groups; it takes 5"
    )
    with pytest.raises(DatasetError, match=words):
        check_pilot(sample(melanomas, others))


def test_a_pilot_of_five_groups_of_either_is_enough_if_scores_differ() -> None:
    check_pilot(sample(5, 5))
    with pytest.raises(DatasetError, match=r"have the probability 0\.5, which shows no"):
        check_pilot(sample(5, 5, spread=0))


def test_a_study_is_not_planned_from_too_few() -> None:
    names = [f"i{number}" for number in range(24)]
    truth = pd.DataFrame({"image_id": names, "melanoma": [1] * 4 + [0] * 20})
    guesses = pd.DataFrame({"image_id": names, "probability": np.linspace(0, 1, 24)})
    with pytest.raises(DatasetError, match="melanomas of 4 groups"):
        plan_study(guesses, truth)


@pytest.mark.parametrize(
    ("widths", "difference", "power"),
    [((0.0,), None, 0.8), ((1.0,), None, 0.8), ((0.1, 1.5), None, 0.8), ((0.1,), 0.0, 0.8),
     ((0.1,), 1.0, 0.8), ((0.1,), 0.02, 0.05), ((0.1,), 0.02, 1.0)],
)  # fmt: skip
def test_wishes_at_their_bounds_are_refused(
    widths: tuple[float, ...], difference: float | None, power: float
) -> None:
    with pytest.raises(ConfigError):
        check_wishes(widths, difference, power)


def test_wishes_within_their_bounds_are_taken() -> None:
    check_wishes((0.001, 0.999), 0.001, 0.051)
    check_wishes((), None, 0.999)


@pytest.mark.parametrize(
    ("columns", "named", "taken", "note"),
    [
        ({"a": [0.1, 0.9]}, ["a"], "a", ""),
        ({"a": [0, 1], "b": [0.1, 0.9]}, ["a", "b"], "b", "the probability of melanoma is "
         "read from b"),
        ({"a": [0, 1]}, ["a"], "a", "a holds only 0 and 1"),
        ({"a": [0, 0]}, ["a"], "a", "a holds only 0 and 1"),
        ({"a": ["yes", "no"]}, ["a"], "a", ""),
        ({"a": [None, None]}, ["a"], "a", ""),
    ],
)  # fmt: skip
def test_a_column_of_probabilities_goes_before_one_of_classes(
    columns: dict[str, list[object]], named: list[str], taken: str, note: str
) -> None:
    score, notes = _likeliest(pd.DataFrame(columns), named, source="x")
    assert score == taken
    assert (note in " ".join(notes)) if note else not notes


def test_a_column_that_may_be_the_probability_is_asked_for() -> None:
    table = pd.DataFrame({"a": [0, 1, 1], "certainty": [0.1, 0.5, 0.9]})
    with pytest.raises(ColumnError, match="certainty may be"):
        _likeliest(table, ["a"], source="x")


def test_a_robust_variance_is_at_least_the_plain_one_and_keeps_correlations() -> None:
    robust, plain = np.array([[4.0, 1.0], [1.0, 1.0]]), np.diag([1.0, 4.0])
    found = _at_least(robust, plain)
    assert np.diag(found).tolist() == [4, 4]
    assert found[0, 1] / np.sqrt(found[0, 0] * found[1, 1]) == pytest.approx(0.5)
    small = np.array([[0.25, 0.0], [0.0, 0.0]])
    assert _at_least(small, np.diag([0.09, 0.16])).tolist() == [[0.25, 0], [0, 0.16]]
