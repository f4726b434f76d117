"""A lesion belongs to the class of its diagnosis or of the nearest kind above it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lentigo.datasets.reading.classes import class_of

CLASSES = ("melanoma", "basal cell carcinoma", "nevus", "other")


@pytest.mark.parametrize(
    ("diagnosis", "melanoma", "found"),
    [
        ("nevus", False, "nevus"),
        ("blue nevus", False, "nevus"),
        ("lentigo maligna", True, "melanoma"),
        (None, True, "melanoma"),
        ("dermatofibroma", False, "other"),
        ("a word that nobody knows", False, "other"),
        ("melanocytic lesion", False, None),  # a nevus is one, so it may be a nevus
        (np.nan, False, None),
        ("nevus", pd.NA, None),
    ],
)
def test_the_class_of(diagnosis: object, melanoma: object, found: str | None) -> None:
    place = -1 if found is None else CLASSES.index(found)
    assert class_of(diagnosis, melanoma, CLASSES) == place


def test_without_a_class_for_the_rest_it_is_not_known() -> None:
    assert class_of("dermatofibroma", False, CLASSES[:3]) == -1
    assert class_of("nevus", True, ("nevus",)) == -1
