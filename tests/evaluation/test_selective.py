"""Images left out by their diagnosis, and names that differ by a trifle."""

from __future__ import annotations

import pandas as pd
import pytest

from lentigo.errors import DatasetError
from lentigo.evaluation.joining import match
from lentigo.evaluation.selective import chosen_by_outcome
from lentigo.evaluation.unmatched import nearly_alike

TRUTH = pd.DataFrame(
    {"image_id": [f"i{n}" for n in range(200)], "melanoma": [1] * 20 + [0] * 180}
)
GUESSES = TRUTH[["image_id"]].assign(probability=0.5)


def test_other_images_left_out_alone_are_pointed_out() -> None:
    found = match(GUESSES.head(40), TRUTH)
    (note,) = [note for note in found.notes if "labelled images left out" in note]
    assert note.startswith(
        "Of the 160 labelled images left out 0 % are melanomas, of those judged 50 % (of "
        "all 10 %)"
    )
    assert note in found.about_left_out


def test_images_left_out_at_random_are_not_pointed_out() -> None:
    found = match(GUESSES.iloc[::2], TRUTH)
    assert not any("labelled images left out" in note for note in found.notes)


def test_few_images_may_differ_by_chance() -> None:
    labels = pd.Series([True, False, False, False], dtype="boolean")
    assert chosen_by_outcome(labels, labels.head(1)) == []
    assert chosen_by_outcome(labels, labels) == []


def test_names_that_a_spreadsheet_changed_are_pointed_out() -> None:
    numbered = TRUTH.assign(image_id=[f"{n:05}" for n in range(200)])
    with pytest.raises(
        DatasetError, match=r"199 names would be .* \(such as 1 and 00001\)"
    ):
        match(GUESSES.assign(image_id=range(200)).tail(199), numbered)
    assert nearly_alike(["isic-7"], ["ISIC_0000007"])
    assert not nearly_alike(["i10", "a"], ["i1", "b"])


def test_a_part_of_the_names_that_differ_by_zeros_is_pointed_out() -> None:
    names = [f"{n:05}" for n in range(200)]
    short = [str(n) if n < 100 else name for n, name in enumerate(names)]
    found = match(GUESSES.assign(image_id=short), TRUTH.assign(image_id=names))
    assert any("100 names would be in both tables" in note for note in found.notes)
