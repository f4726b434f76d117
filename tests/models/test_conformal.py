"""An answer is in the set from its own probability upwards; a set is never empty."""

from __future__ import annotations

import numpy as np

from lentigo.models.conformal import ConformalSets

NAN = float("nan")


def test_each_answer_has_its_own_threshold() -> None:
    sets = ConformalSets(melanoma=0.2, not_melanoma=0.4)
    probability = np.array([0.1, 0.2, 0.5, 0.6, 0.7, NAN])
    assert sets.words(probability) == [
        "not melanoma", "melanoma or not", "melanoma or not", "melanoma or not",
        "melanoma", "",
    ]  # fmt: skip


def test_where_neither_stays_the_likelier_one_does() -> None:
    sets = ConformalSets(melanoma=0.8, not_melanoma=0.7)
    assert sets.words(np.array([0.4, 0.5, 0.6])) == ["not melanoma", "melanoma", "melanoma"]


def test_too_few_groups_leave_everything_possible() -> None:
    sets = ConformalSets(melanoma=0.0, not_melanoma=0.0)
    assert set(sets.words(np.array([0.0, 0.5, 1.0]))) == {"melanoma or not"}
