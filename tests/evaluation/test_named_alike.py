"""Images that two tables call differently."""

from __future__ import annotations

import pandas as pd
import pytest

from lentigo.errors import DatasetError
from lentigo.evaluation.joining import match

GUESSES = pd.DataFrame(
    {
        "image_id": ["isic2017:ISIC_0000001", "isic2017:ISIC_0000002", "own:x"],
        "probability": [0.1, 0.9, 0.5],
    }
)
LABELS = pd.DataFrame({"image": ["ISIC_0000002", "ISIC_0000001"], "melanoma": [1, 0]})


def test_names_of_a_combined_table_match_those_of_the_organisers() -> None:
    found = match(GUESSES, LABELS)
    assert found.table["image_id"].tolist() == ["ISIC_0000001", "ISIC_0000002"]
    assert found.table["probability"].tolist() == [0.1, 0.9]
    assert any("isic2017:ISIC_0000001 is ISIC_0000001 and 1 more" in n for n in found.notes)


def test_an_image_of_two_archives_is_not_guessed() -> None:
    twice = GUESSES.assign(image_id=["ham10000:ISIC_0000001", "isic2017:ISIC_0000001", "x"])
    with pytest.raises(DatasetError, match="No image is in both tables"):
        match(twice, LABELS)


def test_names_that_match_are_taken_as_they_are() -> None:
    labels = pd.DataFrame({"image": ["own:x", "ISIC_0000001"], "melanoma": [1, 0]})
    assert match(GUESSES, labels).table["image_id"].tolist() == ["own:x"]
