from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import lentigo.evaluation
from lentigo.evaluation.intervals import dot
from lentigo.evaluation.sums import Sample

SAMPLE = Sample(
    truth=np.array([True, False, True, False]),
    score=np.array([0.9, 0.5, 0.1, 0.5]),
    group=np.array([2, 0, 1, 2]),
    groups=3,
)


def test_a_ranked_sample_keeps_truth_and_group_beside_each_score() -> None:
    ranked = SAMPLE.ranked
    assert ranked.score.tolist() == [0.1, 0.5, 0.5, 0.9]
    assert ranked.truth.tolist() == [True, False, False, True]
    assert ranked.group.tolist() == [1, 0, 2, 2]  # equal scores stay in their order
    assert ranked.ranked is ranked
    assert SAMPLE.sides == ranked.sides == (2, 2)


def test_part_of_a_sample_numbers_its_groups_from_0() -> None:
    part = SAMPLE.taking(np.array([0, 2]))
    assert part.group.tolist() == [1, 0]
    assert part.groups == 2
    assert SAMPLE.taking(np.array([], dtype=int)).groups == 0


def test_images_that_are_groups_of_their_own_are_numbered_in_their_order() -> None:
    alone = Sample(SAMPLE.truth, SAMPLE.score, np.array([2, 0, 1, 3]), 4)
    assert alone.sides == (2, 2)
    assert alone.taking(np.array([1, 2])).group.tolist() == [0, 1]
    part = alone.taking(np.array([0, 1, 3]))
    assert (part.group.tolist(), part.groups) == ([1, 0, 2], 3)


def test_sums_of_products_are_made_on_one_core() -> None:
    # BLAS divides more than 10,000 numbers among threads, which wait for each other: ten
    # columns of 20,000 images took eight times as long on a machine in use.
    numbers = np.linspace(0, 1, 20_001)
    assert abs(dot(numbers, numbers) - float((numbers**2).sum())) < 1e-9
    room = Path(lentigo.evaluation.__file__).parent
    texts = {path.name: path.read_text("utf-8") for path in room.rglob("*.py")}
    assert not [n for n, text in texts.items() if re.search(r"float\([^()]* @ ", text)]
