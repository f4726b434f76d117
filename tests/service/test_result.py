"""Why a picture is not judged, as the page says it."""

from __future__ import annotations

import pytest

from lentigo.answer_columns import REFUSED
from lentigo.imaging.kind.unlike import DOUBT
from lentigo.service.page.result import why_not


@pytest.mark.parametrize(
    ("probability", "reason", "key"),
    [
        (0.2, "", ""),
        (0.2, f"{DOUBT}: few colours of skin", "why_doubted"),
        (None, f"{REFUSED}: colours (3.1 times the limit)", "why_strange"),
        (None, "The image is empty.", "why_unreadable"),
    ],
)
def test_the_reason_of_a_prediction_has_its_sentence(
    probability: float | None, reason: str, key: str
) -> None:
    assert why_not(probability, reason) == key
