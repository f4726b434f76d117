"""One row of the answer: what stands where, of files that are wider than high."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lentigo.service import answers
from lentigo.service.answered import Answered
from lentigo.service.asked import Asked


def answered(**changed: Any) -> Any:
    files = [
        SimpleNamespace(sha256="a" * 64, size=(640, 480), reason=""),
        SimpleNamespace(sha256="b" * 64, size=None, reason="It is cut short."),
        SimpleNamespace(sha256="c" * 64, size=(1, 2), reason=""),
    ]
    row = {"metadata": "age", "features": None}
    asked = Asked(patients=("p", "p", "q"), lesions=("1", "1", "1"))
    given: dict[str, Any] = {
        "files": files, "images": [row, None, row], "asked": asked, "request_id": "r",
        "model": None, "decision": None, "lesions": [],
    }  # fmt: skip
    return Answered(**{**given, **changed})


@pytest.fixture(autouse=True)
def _unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ImageAnswer", dict)
    monkeypatch.setattr(answers, "LesionAnswer", dict)
    monkeypatch.setattr(answers, "judged", lambda row, file: {})
    monkeypatch.setattr(answers, "_judged", lambda row: {"reason": row["reason"]})


def test_an_image_has_its_number_its_sides_and_its_ids() -> None:
    seen: list[Any] = [answers._image(answered(), place) for place in range(3)]
    one, two, three = seen
    assert (one["image"], one["width"], one["height"]) == (1, 640, 480)
    assert (one["patient"], one["lesion"], one["metadata"]) == ("p", "1", "age")
    assert (two["image"], two["width"], two["height"]) == (2, None, None)
    assert (two["metadata"], two["features"]) == ("", None)
    assert (three["patient"], three["width"], three["height"]) == ("q", 1, 2)
    alone: Any = answers._image(answered(asked=Asked()), 0)
    assert (alone["patient"], alone["lesion"]) == ("", "")


def test_a_lesion_names_its_images_and_those_that_could_not_be_read() -> None:
    row = {"lesion_id": "1", "n_images": 2, "reason": "It is strange.", "memo": None}
    assert answered().places(row) == [0, 1]
    found: Any = answers._lesion(answered(), row)
    assert (found["lesion"], found["patient"]) == ("1", "p")
    assert found["images"] == [1, 2]
    assert found["reason"] == "2 is left out: It is cut short.; It is strange."
    assert answered().places({**row, "lesion_id": "2"}) == [2]
