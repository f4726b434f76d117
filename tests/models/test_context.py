"""A lesion beside the same patient's others, followed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lentigo.models.context import Context, People, others_of

ALL = Context(level=-1.0, difference=0.5, oddness=0.25, usual=2.0)


def people(*who: str | None, lesions: list[str | None] | None = None) -> People:
    """Number patients and their lesions; None is unknown, or a lesion of its own."""
    given = lesions or [None] * len(who)
    keys = [
        (place,) if lesion is None else (person, lesion)
        for place, (person, lesion) in enumerate(zip(who, given, strict=True))
    ]
    known = [-1 if each is None else who.index(each) for each in who]
    return People(np.array(known), np.array([keys.index(each) for each in keys]))


def test_three_lesions_of_a_patient_by_hand() -> None:
    """Logits -2, 0 and 4: beside the last stand -2 and 0, with mean -1 and variance 1.

    Two others have a weight of 2/5; the standard deviation is that of 2/5 · 1 + 3/5 · 4.
    """
    logits = np.array([-2.0, 0.0, 4.0])
    others = others_of(logits, people("P", "P", "P"))
    assert others.count.tolist() == [2, 2, 2]
    assert others.mean.tolist() == pytest.approx([2.0, 1.0, -1.0])
    assert others.variance.tolist() == pytest.approx([4.0, 9.0, 1.0])
    found = ALL.apply(logits, people("P", "P", "P"))
    odd = 5 / math.sqrt(0.4 * 1 + 0.6 * 4)
    assert found[2] == pytest.approx(4 + 0.4 * (-1 + 0.5 * 5 + 0.25 * odd))


def test_a_difference_counts_for_five_standard_deviations_at_most() -> None:
    """Beside -12 stands 12: a difference of 24, of which 5 · 2 and 5 deviations count."""
    found = ALL.apply(np.array([-12.0, 12.0]), people("P", "P"))
    assert found[1] == pytest.approx(12 + 0.25 * (-1 + 0.5 * 10 + 0.25 * 5))


def test_who_has_no_other_lesion_gets_the_own_answer_to_the_bit() -> None:
    logits = np.array([0.1, 0.2, 0.3, 0.4, math.nan, 0.6])
    known = people("P", None, None, "Q", "Q", "R")
    assert np.array_equal(ALL.apply(logits, known), logits, equal_nan=True)


def test_images_of_one_lesion_are_no_others_and_count_as_their_mean() -> None:
    """Lesion L has the logits 1 and 3, so 2; beside it stands 8, beside that 2."""
    logits = np.array([1.0, 3.0, 8.0])
    others = others_of(logits, people("P", "P", "P", lesions=["L", "L", "M"]))
    assert others.count.tolist() == [1, 1, 1]
    assert others.mean.tolist() == [8.0, 8.0, 2.0]


def test_neither_order_nor_other_patients_change_a_bit() -> None:
    rng = np.random.default_rng(0)
    who = [f"P{n}" for n in rng.integers(0, 12, 80)]
    lesions = [f"L{n}" for n in rng.integers(0, 3, 80)]
    logits, order = rng.normal(0, 3, 80), rng.permutation(80)
    found = ALL.apply(logits, people(*who, lesions=list(lesions)))
    shuffled = people(*[who[k] for k in order], lesions=[lesions[k] for k in order])
    assert np.array_equal(ALL.apply(logits[order], shuffled), found[order])
    own = [k for k in range(80) if who[k] == who[0]]
    alone = people(*["P"] * len(own), lesions=[lesions[k] for k in own])
    assert np.array_equal(ALL.apply(logits[own], alone), found[own])


@given(
    st.lists(st.floats(-15, 15), min_size=2, max_size=8),
    st.tuples(st.floats(-100, 100), st.floats(-1, 100), st.floats(0, 100)),
    st.floats(0.01, 10),
)
def test_the_order_of_a_patients_lesions_stays(
    logits: list[float], weights: tuple[float, float, float], usual: float
) -> None:
    level, difference, oddness = weights
    context = Context(level=level, difference=difference, oddness=oddness, usual=usual)
    given = np.array(sorted(logits))
    found = context.apply(given, people(*["P"] * len(given)))
    assert (np.diff(found) >= -1e-6 * (1 + np.abs(found).max())).all()


@pytest.mark.parametrize("wrong", [{"difference": -1.5}, {"oddness": -0.1}, {"usual": 0.0}])
def test_weights_that_could_turn_that_order_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Context(**wrong)  # type: ignore[arg-type]
