"""A lesion of more pictures than a request holds: several requests, one answer."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lentigo.models.context import Context
from lentigo.models.description import read_description, write_folder
from lentigo.service.page.language import texts
from tests.service.browser import opened, worklist
from tests.service.conftest import Served, serving
from tests.service.test_predictions import post

AT = "/v1/predictions"


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
            {}, {"lesion": "b"}, {"lesion": "a", "patient": "1"},
            {"lesion": "a", "age": "70"}, {"lesion": "a", "before": [first, first]},
        ):  # fmt: skip
            answer = post(client, image, image, **{"before": first, **named})
            assert answer.json().get("field") == "before", named


@pytest.fixture(scope="module")
def comparing(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Served]:
    """A service of a model that compares the lesions of a patient."""
    folder = tmp_path_factory.mktemp("comparing")
    shutil.copytree(model, folder / "tiny")
    content = read_description(folder / "tiny").model_dump(mode="json", exclude={"files"})
    context = Context(difference=2.0, oddness=1.0, level=0.5)
    content["context"] = [context.model_dump(mode="json")]
    write_folder(folder / "tiny", content)
    with serving(folder, folder / "tiny") as one:
        yield one


def test_the_other_lesions_of_a_patient_count_over_several_requests(
    comparing: Served, images: Path
) -> None:
    # A lesion that was continued stood alone: its patient's others were in other requests.
    files = [each.read_bytes() for each in sorted(images.glob("*.png"))]
    lesions = ["1", "1", "1", "2", "3", "3"]
    with comparing.client() as client:
        whole = post(client, *files, lesion=lesions, patient="p").json()
        notes: dict[str, str] = {}
        for file, lesion in zip(files, lesions, strict=True):
            known = {"before": list(notes.values())} if notes else {}
            part = post(client, file, lesion=lesion, patient="p", memo="yes", **known)
            (found,) = part.json()["lesions"]
            notes[lesion] = found["memo"]
        (image,) = part.json()["images"]
        alone = client.post(AT, json={"before": list(notes.values())}).json()
        one = {"before": notes["1"]}
        bundle = {"accept": "application/fhir+json"}
        refused = client.post(AT, json=one, headers=bundle)
        assert refused.json()["field"] == "images"
        assert client.post("/v1/explanations", json=one).json()["field"] == "images"
    assert found["context"] == image["context"] == 2
    assert (found["lesion"], found["patient"], found["n_images"]) == ("3", "p", 2)
    assert alone["images"] == []
    for lesion, expected in zip(
        [found, *alone["lesions"]], [whole["lesions"][2], *whole["lesions"]], strict=True
    ):
        assert lesion["lesion"] == expected["lesion"]
        for name in ("logit", "context", "n_images", "call", "reason"):
            assert lesion[name] == pytest.approx(expected[name], abs=1e-9), name
    assert [each["images"] for each in alone["lesions"]] == [[], [], []]


def test_a_note_goes_on_beside_another_lesion_and_with_no_other_patient(
    comparing: Served, images: Path
) -> None:
    image = (images / "0.png").read_bytes()
    with comparing.client() as client:
        asked = {"lesion": "1", "patient": "p", "memo": "yes"}
        note = post(client, image, **asked).json()["lesions"][0]["memo"]
        two = post(client, image, image, lesion=["1", "2"], patient="p", before=note)
        assert [each["n_images"] for each in two.json()["lesions"]] == [2, 1]
        other = post(client, image, **{**asked, "patient": "q"}).json()["lesions"][0]
        for named in ({"lesion": "1", "patient": "q"}, {"lesion": "1"}):
            assert post(client, image, before=note, **named).json()["field"] == "before"
        mixed = client.post(AT, json={"before": [note, other["memo"]]})
        assert mixed.json()["field"] == "before"


def test_a_worklist_counts_the_other_lesions_of_a_patient(
    browser: Browser, comparing: Served, images: Path, tmp_path: Path
) -> None:
    lesions = ["1", "1", "2", "3"]
    files = sorted(images.glob("*.png"))[:4]
    for number, (file, lesion) in enumerate(zip(files, lesions, strict=True)):
        (tmp_path / "w" / "p" / lesion).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / "w" / "p" / lesion / f"{number}.png")
    (tmp_path / "w" / "q" / "1").mkdir(parents=True)
    shutil.copy(files[0], tmp_path / "w" / "q" / "1")
    with comparing.client() as client:
        contents = [each.read_bytes() for each in files]
        whole = post(client, *contents, lesion=lesions, patient="p").json()["lesions"]
        alone = post(client, contents[0], lesion="1").json()["lesions"]
    expected = {
        (each["patient"] == "p", each["lesion"]): each["probability"]
        for each in (*whole, *alone)
    }
    with opened(browser, comparing.url) as page:
        worklist(page, tmp_path / "w", count=4)
        rows = page.locator("#rows tbody tr")
        cells = [row.locator("td").all_inner_texts() for row in rows.all()]
        told = page.locator("#told").inner_text()
    found = {(row[2] == "1", row[3]): float(row[4].rstrip("%")) / 100 for row in cells}
    assert found.keys() == expected.keys()
    for key, share in found.items():
        assert share == pytest.approx(expected[key], rel=6e-3)
    assert texts("en")["list_alone"] not in told
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_comparison_calls_what_no_picture_lets_judge_only_for_melanoma(
    page: Page,
) -> None:
    # Beside the patient's others it may be called, though it was not by itself, or not.
    page.goto("/worklist")
    calls = page.evaluate("""async () => {
      const rows = ["melanoma", "not melanoma", "not melanoma"].map((call, place) => (
        { patient: 1, lesion: place, note: "x", quiet: place < 2, after: call }));
      const ask = async () => ({ lesions: rows.map((each) => (
        { lesion: String(each.lesion), probability: 0.5, call: each.after })) });
      await window.lentigoCompared(rows, ask);
      return rows.map((each) => each.call);
    }""")
    assert calls == ["melanoma", "", "not melanoma"]


def test_the_audit_log_says_with_which_requests_an_answer_was_made(
    served: Served, images: Path
) -> None:
    image = (images / "0.png").read_bytes()
    with served.client() as client:
        first = post(client, image, lesion="1", patient="p", memo="yes").json()
        note = first["lesions"][0]["memo"]
        second = client.post(AT, json={"before": note}).json()
    log = sqlite3.connect(f"file:{served.log.parent / 'audit.sqlite'}?mode=ro", uri=True)
    answers = dict(log.execute("SELECT request, answer FROM answers").fetchall())
    log.close()
    assert json.loads(answers[second["request"]])["before"] == [first["request"]]
    assert "before" not in json.loads(answers[first["request"]])
