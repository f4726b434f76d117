"""Why a picture is not judged, as the page says it."""

from __future__ import annotations

import pytest

from lentigo.answer_columns import REFUSED
from lentigo.imaging.kind.unlike import DOUBT
from lentigo.inference.decide import Decision
from lentigo.models.operating_point import OperatingPoint
from lentigo.service.asked import Asked
from lentigo.service.core import Answered
from lentigo.service.decoding import Prepared
from lentigo.service.page.language import LANGUAGES, texts
from lentigo.service.page.result import judgement, why_not
from tests.service.conftest import POINTS
from tests.service.test_queue import HOSTED


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


def test_of_a_mean_over_pictures_no_sensitivity_is_shown() -> None:
    point = OperatingPoint.model_validate(POINTS[0])
    decision = Decision(meant_for=0.1, asked_for=None, point=point)
    row = {"probability": 0.4, "logit": -0.4, "call": "melanoma", "reason": ""}
    for images, shown in ((1, True), (2, False)):
        asked = Asked(lesions=("1",) * images)
        lesion = {**row, "lesion_id": "1", "n_images": images}
        one = judgement(
            Answered(
                "r", asked, HOSTED, decision, [Prepared("0", (4, 4), {})] * images,
                [row] * images, [lesion],
            )
        )  # fmt: skip
        assert one.call
        assert (bool(one.figures), one.mean) == (shown, not shown)
    assert all("{" not in texts(each)["mean_of_pictures"] for each in LANGUAGES)
