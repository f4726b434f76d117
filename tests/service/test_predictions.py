"""A program asks the service over HTTP."""

from __future__ import annotations

import base64
import html
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from jsonschema_rs import validator_for
from PIL import Image
from pydicom.dataset import Dataset

import lentigo
from lentigo.models.card import card_text
from lentigo.models.description import read_description
from lentigo.notice import NOTICE, WITHOUT_LIMIT
from lentigo.service.page.language import LANGUAGES, texts
from tests.dicoms import dataset, written
from tests.service.conftest import Served, add_index, wait_for

SECRET = "Hermine-Meier-1950"


def post(client: httpx.Client, *files: bytes, **fields: object) -> httpx.Response:
    named = [("images", (f"{SECRET}.png", each)) for each in files]
    return client.post("/v1/predictions", files=named, data=fields)


def test_command_line_python_and_service_give_the_same_numbers(
    served: Served, model: Path, images: Path, tmp_path: Path
) -> None:
    files = sorted(images.glob("*.png"))
    with served.client() as client:
        found = post(client, *(each.read_bytes() for each in files)).json()["images"]
    by_http = [each["probability"] for each in found]
    by_python = lentigo.load(model).predict(files)["probability"]
    out = tmp_path / "out.csv"
    lentigo_command = Path(sys.executable).with_name("lentigo")
    words = [lentigo_command, "predict", model, images, "--out", out]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    assert np.abs(by_http - by_python).max() < 1e-6
    assert np.abs(by_http - pd.read_csv(out)["probability"]).max() < 1e-6
    assert [each["call"] for each in found] == pd.read_csv(out)["call"].tolist()


def test_images_of_one_lesion_are_answered_for_together(
    served: Served, model: Path, images: Path
) -> None:
    files = sorted(images.glob("*.png"))[:3]
    with served.client() as client:
        contents = [each.read_bytes() for each in files]
        answer = post(client, *contents, lesion=["a", "b", "a"]).json()
    table = pd.DataFrame(
        {
            "image_id": ["0", "1", "2"], "path": [str(each) for each in files],
            "dataset": "x", "lesion_id": ["a", "b", "a"],
        }
    )  # fmt: skip
    expected = lentigo.load(model).predict_lesions(table)
    assert [each["lesion"] for each in answer["lesions"]] == ["a", "b"]
    assert [each["images"] for each in answer["lesions"]] == [[1, 3], [2]]
    found = [each["probability"] for each in answer["lesions"]]
    assert np.abs(found - expected["probability"]).max() < 1e-6


def test_lesion_1_of_two_patients_is_two_lesions(served: Served, images: Path) -> None:
    contents = [each.read_bytes() for each in sorted(images.glob("*.png"))[:3]]
    named = {"patient": ["A", "B", "A"], "lesion": ["1", "1", "1"]}
    with served.client() as client:
        answer = post(client, *contents, **named)
        alone = [
            post(client, *(contents[n] for n in own), lesion="1").json()["lesions"][0]
            for own in ([0, 2], [1])
        ]
    lesions = answer.json()["lesions"]
    found = [(each["patient"], each["lesion"], each["images"]) for each in lesions]
    assert found == [("A", "1", [1, 3]), ("B", "1", [2])]
    for own, other in zip(lesions, alone, strict=True):
        assert own["probability"] == pytest.approx(other["probability"], abs=1e-6)


def test_a_share_of_melanoma_moves_the_probability(served: Served, images: Path) -> None:
    content = (images / "0.png").read_bytes()
    with served.client() as client:
        own, rare = (
            post(client, content).json(),
            post(client, content, prevalence=0.01).json(),
        )
    assert rare["images"][0]["probability"] < own["images"][0]["probability"]
    assert (own["meant_for"], rare["prevalence"]) == (pytest.approx(0.1), 0.01)
    assert rare["images"][0]["call"] == own["images"][0]["call"]


def test_a_file_that_is_no_image_has_its_reason_and_the_others_their_number(
    served: Served, images: Path
) -> None:
    with served.client() as client:
        answer = post(client, b"no image", (images / "0.png").read_bytes()).json()
    bad, good = answer["images"]
    assert bad["probability"] is None
    assert "JPEG" in bad["reason"]
    assert good["probability"] > 0
    assert answer["notice"] == NOTICE


def test_an_empty_file_keeps_its_number(served: Served, images: Path) -> None:
    contents = [(images / f"{number}.png").read_bytes() for number in (0, 1)]
    with served.client() as client:
        alone = post(client, *contents).json()["images"]
        answer = post(client, b"", *contents, lesion=["a", "b", "c"]).json()["images"]
    assert [each["lesion"] for each in answer] == ["a", "b", "c"]
    assert answer[0]["probability"] is None
    assert "empty" in answer[0]["reason"]
    found = [each["probability"] for each in answer[1:]]
    assert found == pytest.approx([each["probability"] for each in alone], abs=1e-6)


def test_where_a_form_has_no_file_chosen_there_is_none(served: Served) -> None:
    """A browser sends such a part for each file field that was left empty."""
    part = b'--x\r\nContent-Disposition: form-data; name="images"; filename=""\r\n\r\n\r\n'
    head = {"content-type": "multipart/form-data; boundary=x"}
    with served.client() as client:
        answer = client.post("/v1/predictions", content=part + b"--x--\r\n", headers=head)
    assert answer.json()["detail"] == "Send one image at least."


def test_a_lesion_names_its_images_by_their_number_in_the_request(
    served: Served, images: Path, leaves: Path
) -> None:
    contents = [b"no image", leaves.read_bytes(), (images / "0.png").read_bytes()]
    with served.client() as client:
        (lesion,) = post(client, *contents, lesion="17").json()["lesions"]
    left_out, doubted = lesion["reason"].split("; ")
    assert left_out.startswith("1 is left out: ")
    assert doubted.startswith("2: ")
    assert (lesion["images"], lesion["n_images"]) == ([1, 2, 3], 2)


@pytest.mark.parametrize("field", ["patient", "lesion"])
def test_an_empty_number_counts_for_no_other_image(
    served: Served, images: Path, field: str
) -> None:
    content = (images / "0.png").read_bytes()
    encoded = base64.b64encode(content).decode()
    with served.client() as client:
        answers = [post(client, content, content, **{field: ["", "7"]})]
        for nothing in ("", None):
            body = {"images": [encoded] * 2, field: [nothing, "7"]}
            answers.append(client.post("/v1/predictions", json=body))
        plain = post(client, content, **{field: ""})
    assert [each.status_code for each in answers] == [422] * 3
    assert {each.json()["detail"] for each in answers} == {
        "Value 1 of 2 is empty; give each one."
    }
    assert plain.status_code == 200


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"age": "old"}, "age"),
        ({"age": "121"}, "age"),
        ({"sex": "x"}, "sex"),
        ({"site": "nose"}, "site"),
        ({"prevalence": "1"}, "prevalence"),
        ({"operating_point": "best"}, "operating_point"),
        ({"operating_point": "sensitivity_99"}, "operating_point"),
        ({"model": "other"}, "model"),
        ({"lesion": ["a", "b"]}, "lesion"),
        ({"lesion": "a\u202eb"}, "lesion"),
        ({"patient": "7\u200b"}, "patient"),
        ({"age": "1_0"}, "age"),
        ({"name": "x"}, "name"),
    ],
)
def test_a_field_that_makes_no_sense_is_named(
    served: Served, images: Path, fields: dict[str, str], named: str
) -> None:
    with served.client() as client:
        answer = post(client, (images / "0.png").read_bytes(), **fields)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["field"] == named
    assert {"type", "title", "status", "detail", "instance"} <= set(problem)
    assert answer.headers["x-request-id"] in problem["instance"]


def test_every_example_of_the_description_is_answered_as_it_says(served: Served) -> None:
    with served.client() as client:
        whole = client.get("/openapi.json").json()
        count = 0
        for path, methods in whole["paths"].items():
            for method, operation in methods.items():
                body = operation.get("requestBody", {}).get("content", {})
                examples = body.get("application/json", {}).get("examples", {})
                schema = operation["responses"]["200"]["content"].get("application/json")
                for example in examples.values():
                    answer = client.request(method, path, json=example["value"])
                    assert answer.status_code == 200, answer.text
                    rule = {**schema["schema"], "components": whole["components"]}
                    validator_for(rule).validate(answer.json())
                    count += 1
    assert count >= 4


def test_the_models_are_told_with_how_they_were_judged(served: Served) -> None:
    with served.client() as client:
        (one,) = client.get("/v1/models").json()["models"]
    assert (one["name"], one["engine"]) == ("tiny", "onnx")
    assert len(one["version"]) == 12
    assert one["abstains"] is False
    point = one["operating_points"][0]
    assert point["held_out"]["sensitivity"] == {"value": 0.93, "low": 0.8, "high": 0.98}


def test_pages_of_other_sites_may_send_nothing(served: Served, images: Path) -> None:
    with served.client(headers={"origin": "https://elsewhere.example"}) as client:
        assert post(client, (images / "0.png").read_bytes()).status_code == 403


def with_exif(path: Path) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = SECRET
    stream = io.BytesIO()
    Image.open(path).save(stream, "JPEG", exif=exif, comment=SECRET.encode())
    assert SECRET.encode() in stream.getvalue()
    return stream.getvalue()


def with_name(pixels: np.ndarray) -> bytes:
    made: Dataset = dataset(pixels, "RGB")
    made.PatientName = made.PatientID = made.ImageComments = SECRET
    content = written(made)
    assert SECRET.encode() in content
    return content


def test_what_names_a_patient_is_in_no_answer_log_or_audit_log(
    served: Served, images: Path
) -> None:
    pixels = np.asarray(Image.open(images / "0.png"))
    dicom_file = with_name(pixels)
    files = [with_exif(images / "0.png"), dicom_file, dicom_file[:-3000], b"no image"]
    with served.client() as client:
        answers = [post(client, *files), post(client, *files, patient=SECRET, age=SECRET)]
        answers.append(client.get(f"/{SECRET}", params={"patient": SECRET}))
        answers.append(client.get("/metrics"))
    assert [each.status_code for each in answers] == [200, 422, 404, 200]
    assert [each["probability"] is None for each in answers[0].json()["images"]] == [
        False, False, True, True,
    ]  # fmt: skip
    said = [each.text + str(each.headers) for each in answers]
    said.append(served.log.read_text(encoding="utf-8"))
    audit = served.log.parent / "audit.sqlite"
    with sqlite3.connect(audit) as connection:
        said += list(connection.iterdump())
    assert len(said) > 6
    for text in [*said, *(t.decode("latin-1") for t in [audit.read_bytes()])]:
        assert SECRET not in text
        assert SECRET.encode("utf-16-le").decode("latin-1") not in text
        assert base64.b64encode(SECRET.encode()).decode() not in text


def test_what_can_be_read_can_be_asked_for_by_head(served: Served) -> None:
    # As load balancers and monitors do; it was refused with 405.
    with served.client() as client:
        for path in ("/", "/healthz", "/readyz", "/v1/models", "/static/page.css"):
            found, whole = client.head(path), client.get(path)
            assert (found.status_code, found.content) == (200, b"")
            for name in ("content-type", "content-length", "content-security-policy"):
                assert found.headers[name] == whole.headers[name]
        refused = client.head("/v1/predictions")
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert client.put("/healthz").headers["allow"] == "GET, HEAD"
        assert client.head("/nothing").status_code == 404
    heads = [line for line in served.lines() if line.get("method") == "HEAD"]
    assert {"/healthz", "/v1/models", "/static/{name}"} <= {line["route"] for line in heads}


def test_the_page_of_a_version_that_was_replaced_says_so(served: Served) -> None:
    with served.client() as client:
        found = client.get("/model", params={"model": "tiny@0", "lang": "de"})
    assert found.status_code == 422
    assert found.headers["content-type"].startswith("text/html")
    assert "There is no such model or version." in found.text


def test_the_log_has_one_line_a_request_with_its_id(served: Served) -> None:
    with served.client() as client:
        answer = client.get("/healthz")

    def lines() -> list[dict[str, object]]:
        own = answer.headers["x-request-id"]
        return [each for each in served.lines() if each.get("request") == own]

    wait_for(lines)  # it is written once the answer is out
    (line,) = lines()
    assert (line["route"], line["status"], line["method"]) == ("/healthz", 200, "GET")
    assert json.dumps(line)


def test_the_answer_can_be_had_as_fhir(served: Served, images: Path) -> None:
    from fhir.resources.bundle import Bundle
    from fhir.resources.device import Device

    content = (images / "0.png").read_bytes()
    with served.client(headers={"accept": "application/fhir+json"}) as client:
        answer = post(client, content, b"no image", patient="17", site="torso")
    with served.client() as client:
        (plain,) = post(client, content).json()["images"]
    assert answer.headers["content-type"] == "application/fhir+json"
    bundle: Any = Bundle.model_validate_json(answer.text)
    found = [
        e.resource for e in bundle.entry if e.resource.get_resource_type() == "Observation"
    ]
    assert float(found[0].valueQuantity.value) == pytest.approx(
        plain["probability"], abs=1e-9
    )
    assert found[1].valueQuantity is None
    (device,) = (e.resource for e in bundle.entry if isinstance(e.resource, Device))
    assert WITHOUT_LIMIT in [each.text for each in device.note or []]


def test_as_fhir_lesions_have_their_answer_and_patients_their_report(
    served: Served, images: Path
) -> None:
    from fhir.resources.bundle import Bundle

    contents = [each.read_bytes() for each in sorted(images.glob("*.png"))[:3]]
    named = {"patient": ["A", "B", "A"], "lesion": ["1", "1", "1"]}
    with served.client() as client:
        plain = post(client, *contents, **named).json()["lesions"]
    with served.client(headers={"accept": "application/fhir+json"}) as client:
        answer = post(client, *contents, **named)
    bundle: Any = Bundle.model_validate_json(answer.text)
    known = {each.fullUrl: each.resource for each in bundle.entry}
    reports = [
        each for each in known.values() if each.get_resource_type() == "DiagnosticReport"
    ]
    assert [each.subject.identifier.value for each in reports] == ["A", "B"]
    for report, lesion in zip(reports, plain, strict=True):
        (result,) = (known[each.reference] for each in report.result)
        own = float(result.valueQuantity.value)
        assert own == pytest.approx(lesion["probability"], abs=1e-9)
        assert len(result.hasMember) == len(lesion["images"])


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_that_nothing_is_refused_stands_with_every_answer(
    served: Served, images: Path, language: str
) -> None:
    """The model of this service has no limit of abstention."""
    said = texts(language)["without_limit"]
    assert (said == WITHOUT_LIMIT) == (language == "en")
    content = (images / "0.png").read_bytes()
    with served.client() as client:
        assert post(client, content).json()["model"]["abstains"] is False
        files = {"images": ("a.png", content)}
        page = client.post("/", params={"lang": language}, files=files).text
        card = client.get("/model", params={"lang": language}).text
    assert said in html.unescape(page)
    assert said in html.unescape(card)


def test_of_a_model_with_a_limit_it_is_not_said(
    tmp_path: Path, model: Path, images: Path
) -> None:
    known = tmp_path / "known"
    shutil.copytree(model, known)
    add_index(known, images)
    text = card_text(read_description(known))
    assert WITHOUT_LIMIT not in text
    assert "It abstains from images that are too strange to it" in text
    assert lentigo.load(known).can_abstain
    assert not lentigo.load(model).can_abstain
