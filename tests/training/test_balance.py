"""Cells, how often each is drawn, and what that adds to the answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.config import TrainConfig
from lentigo.training.balance import Cells, cells_of, class_shares, prior_shift
from lentigo.training.data import Order

# 100 images of archive 0, 9 of them melanomas, and 25 of archive 1, 9 of them melanomas.
LABELS = np.repeat([0, 1, 0, 1], [91, 9, 16, 9])
ARCHIVES = np.repeat([0, 0, 1, 1], [91, 9, 16, 9])
EXACT = np.eye(2, dtype=bool)


def config(balance: str, power: float = 0.5) -> TrainConfig:
    return TrainConfig(balance=balance, balance_power=power)  # type: ignore[arg-type]


def cells(balance: str, power: float = 0.5) -> Cells:
    found = cells_of(LABELS, ARCHIVES, config(balance, power))
    assert found is not None
    return found


def test_by_the_square_root_a_hundred_images_are_drawn_twice_as_often_as_25() -> None:
    assert cells("archive").shares.tolist() == pytest.approx([10 / 15, 5 / 15])


def test_classes_of_each_archive_are_drawn_by_their_own_numbers() -> None:
    roots = np.array([91**0.5, 4, 3, 3])  # others of both archives, melanomas of both
    found = cells("class_and_archive")
    assert found.shares.tolist() == pytest.approx((roots / roots.sum()).tolist())
    assert len(set(zip(LABELS, ARCHIVES, found.cells, strict=True))) == 4


def test_with_a_power_of_one_all_are_drawn_alike() -> None:
    assert cells("class_and_archive", 1).shares.tolist() == pytest.approx([0.25] * 4)


def test_without_balance_there_are_no_cells() -> None:
    assert cells_of(LABELS, ARCHIVES, config("none")) is None


def test_the_draws_of_an_order_have_the_shares_of_the_cells() -> None:
    found = cells("class_and_archive")
    order = Order(LABELS.astype(np.float32), 200, 20, seed=3, cells=found)
    drawn = [
        place for epoch in range(5) for batch in order.epoch(epoch) for place, _ in batch
    ]
    counts = np.bincount(found.cells[drawn], minlength=4)
    assert np.abs(counts - 1000 * found.shares).max() < 5
    of_one = np.bincount(drawn, minlength=125)[found.cells == 1]
    assert of_one.max() - of_one.min() <= 1, "every image of a cell before one comes again"


def test_an_order_in_cells_is_the_same_from_any_epoch_on() -> None:
    order = Order(LABELS.astype(np.float32), 30, 10, seed=3, cells=cells("class"))
    two = [Order(LABELS.astype(np.float32), 30, 10, seed=3, cells=cells("class"))] * 2
    assert [each.epoch(4) for each in two] == [order.epoch(4)] * 2
    ranks = [order.epoch(1, rank=rank, world=2) for rank in range(2)]
    together = [[draw for rank in ranks for draw in rank[step]] for step in range(3)]
    assert together == order.epoch(1)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=12), st.integers(1, 3000))
def test_at_any_point_each_cell_has_had_its_share(counts: list[int], draws: int) -> None:
    shares = np.array(counts) / sum(counts)
    found = Cells(np.repeat(np.arange(len(counts)), counts), shares)
    had = np.bincount(found.drawn(draws), minlength=len(counts))
    assert np.abs(had - draws * shares).max() < 8


def test_balanced_classes_shift_the_logit_by_their_odds() -> None:
    """All drawn alike, the odds of 18 melanomas in 125 images become one."""
    one = np.zeros(125, dtype=np.int64)
    found = cells_of(LABELS, one, config("class", 1))
    assert found is not None
    rest, melanoma = prior_shift(LABELS, one, EXACT, found.weights)
    assert melanoma - rest == pytest.approx(-np.log(18 / 107))


def test_an_archive_drawn_more_often_shifts_nothing() -> None:
    """Within each archive melanoma stays as common as it is."""
    shift = prior_shift(LABELS, ARCHIVES, EXACT, cells("archive").weights)
    assert shift.tolist() == pytest.approx([0, 0])


def test_the_shift_is_taken_within_each_archive() -> None:
    """In both archives the odds rise to their root; the mean counts images of a class."""
    rest, melanoma = prior_shift(
        LABELS, ARCHIVES, EXACT, cells("class_and_archive").weights
    )
    first = np.array([91**0.5, 3]) / (91**0.5 + 3) / [0.91, 0.09]
    second = np.array([4, 3]) / 7 / [16 / 25, 9 / 25]
    assert melanoma == pytest.approx(np.mean(np.log([first[1], second[1]])))
    assert rest == pytest.approx((91 * np.log(first[0]) + 16 * np.log(second[0])) / 107)


def test_a_label_of_two_classes_counts_to_them_as_they_are_common() -> None:
    """30 and 10 images of one class each; 20 may be either: 45 and 15 of 60."""
    allowed = np.array([[True, False], [False, True], [True, True]])
    shares = class_shares(np.array([30.0, 10.0, 20.0]), allowed)
    assert shares.tolist() == pytest.approx([0.75, 0.25])
