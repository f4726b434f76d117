"""A lesion of more pictures than a request holds: several requests, one answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.conftest import Served
from tests.service.test_predictions import post


def test_a_lesion_in_several_requests_is_answered_for_as_in_one(
    served: Served, images: Path, leaves: Path
) -> None:
    files = [*sorted(images.glob("*.png"))[:5], leaves]
    contents = [b"no image", *(each.read_bytes() for each in files)]
    with served.client() as client:
        (whole,) = post(client, *contents, lesion="a").json()["lesions"]
        note: dict[str, str] = {}
        for part in (contents[:3], contents[3:4], contents[4:]):
            sent = post(client, *part, lesion="a", memo="yes", **note)
            (found,) = sent.json()["lesions"]
            note = {"before": found["memo"]}
    assert found["n_images"] == whole["n_images"] == 6
    for name in ("probability", "logit", "strangeness"):
        assert found[name] == pytest.approx(whole[name], abs=1e-9)
    for name in ("call", "could_be", "abstain"):
        assert found[name] == whole[name]
    assert "an earlier image" not in whole["reason"]


def test_a_doubted_image_of_an_earlier_request_stays_in_doubt(
    served: Served, images: Path, leaves: Path
) -> None:
    with served.client() as client:
        first = post(client, leaves.read_bytes(), lesion="a", memo="yes").json()
        note = first["lesions"][0]["memo"]
        second = post(client, (images / "0.png").read_bytes(), lesion="a", before=note)
    (found,) = second.json()["lesions"]
    assert found["reason"].startswith("an earlier image: may be no dermoscopy")
    assert found["call"] != "not melanoma"


def test_images_left_out_in_earlier_requests_are_counted(
    served: Served, images: Path
) -> None:
    image = (images / "0.png").read_bytes()
    note: dict[str, str] = {}
    with served.client() as client:
        for part in ([b"no image", image], [image, b"none", b"none"], [image]):
            sent = post(client, *part, lesion="a", memo="yes", **note)
            (found,) = sent.json()["lesions"]
            note = {"before": found["memo"]}
    assert found["n_images"] == 3
    assert found["reason"] == "3 earlier images left out"


@pytest.mark.parametrize("change", ["", "A", "AAAA" * 40, "cut", "twice"])
def test_a_note_that_was_not_written_here_is_refused(
    served: Served, images: Path, change: str
) -> None:
    image = (images / "0.png").read_bytes()
    with served.client() as client:
        first = post(client, image, lesion="a", memo="yes").json()["lesions"][0]["memo"]
        other = "A" if first[0] == "B" else "B"
        note = {"cut": first[:-8], "twice": first * 2, "": f"{other}{first[1:]}"}.get(
            change
        )
        answer = post(client, image, lesion="a", before=note or change)
        assert answer.status_code == 422
        assert answer.json()["field"] == "before"
        for named in (
            {}, {"lesion": ["a", "b"]}, {"lesion": "b"}, {"lesion": "a", "patient": "1"},
            {"lesion": "a", "age": "70"},
        ):  # fmt: skip
            answer = post(client, image, image, before=first, **named)
            assert answer.json().get("field") == "before", named
