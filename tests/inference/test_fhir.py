"""Predictions as FHIR R5, read by the models of fhir.resources."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.bundle import Bundle
from fhir.resources.diagnosticreport import DiagnosticReport
from fhir.resources.observation import Observation

import lentigo
from lentigo.inference.fhir import Subject, Together, fhir_bundle, settings_of
from lentigo.inference.fhir_answers import bundle_of
from lentigo.inference.inputs import Source
from lentigo.notice import NOTICE
from tests.inference.test_predict import noise, save

ROWS = [
    {
        "probability": 0.25, "call": "melanoma", "operating_point": "sensitivity_95",
        "prevalence": 0.1, "reason": "", "probability_melanoma": 0.25,
        "probability_basal_cell_carcinoma": 0.75,
    },
    {"probability": math.nan, "call": "", "reason": "It is no image."},
]  # fmt: skip
SUBJECTS = [
    Subject(name="a", sha256="0" * 64, patient="17", site="head/neck"),
    Subject(name="b", patient="17"),
]


def test_a_bundle_is_valid_and_says_what_was_predicted() -> None:
    made = fhir_bundle(ROWS, SUBJECTS, model="m", version="v", abstains=True)
    bundle: Any = Bundle.model_validate_json(json.dumps(made, allow_nan=False))
    resources = [each.resource for each in bundle.entry]
    report: Any
    first: Any
    second: Any
    (report,) = [each for each in resources if isinstance(each, DiagnosticReport)]
    first, second = [each for each in resources if isinstance(each, Observation)]
    assert float(first.valueQuantity.value) == 0.25
    assert second.valueQuantity is None
    assert second.dataAbsentReason.text == "Error"
    assert "It is no image." in [each.text for each in second.note]
    assert {report.status, first.status, second.status} == {"preliminary"}
    assert all(each.note[0].text == NOTICE for each in resources)
    named = {each.code.text: each for each in first.component}
    assert float(named["Probability of basal cell carcinoma"].valueQuantity.value) == 0.75
    assert named["Call at sensitivity_95"].valueCodeableConcept.text == "melanoma"
    assert report.conclusion.startswith(
        "Melanoma is called in 1 of 1. No decision is made for 1 other."
    )
    assert report.subject.identifier.value == "17"


def test_every_reference_leads_to_a_resource_of_the_bundle() -> None:
    made = fhir_bundle(ROWS, SUBJECTS, model="m", version="v", abstains=True)
    known = {each["fullUrl"] for each in made["entry"]}
    assert len(known) == 4
    text = json.dumps(made)
    report = made["entry"][0]["resource"]
    assert {each["reference"] for each in report["result"]} < known
    assert all(
        each["resource"].get("device", {"reference": next(iter(known))})["reference"]
        in known
        for each in made["entry"]
    )
    assert text.count('"resourceType"') == 5


def test_without_a_threshold_nothing_is_said_to_be_no_melanoma() -> None:
    rows = [{"probability": 0.9, "call": "", "reason": ""}] * 2
    made = fhir_bundle(rows, SUBJECTS, model="m", version="v", abstains=True)
    said = made["entry"][0]["resource"]["conclusion"]
    assert said.startswith("Nothing is called: no decision is made for 2 images.")


def test_each_patient_has_a_report_and_each_lesion_its_own_answer() -> None:
    """Three images: two of lesion 1 of patient A, one of lesion 1 of patient B."""
    calls = ["melanoma", "not melanoma", "melanoma"]
    rows = [{"probability": 0.3, "call": call, "reason": ""} for call in calls]
    subjects = [
        Subject(name=n, patient=p, lesion="1") for n, p in zip("xyz", "AAB", strict=True)
    ]
    lesions = [
        Together(
            name="l1", images=(0, 1), row={"probability": 0.2, "call": "not melanoma"}
        ),
        Together(name="l2", images=(2,), row=rows[2]),
    ]
    made = fhir_bundle(
        rows, subjects, model="m", version="v", abstains=True, lesions=lesions
    )
    bundle: Any = Bundle.model_validate_json(json.dumps(made, allow_nan=False))
    known: dict[str, Any] = {each.fullUrl: each.resource for each in bundle.entry}
    assert len(known) == 2 + 1 + 2 + 3
    reports: list[Any] = [e for e in known.values() if isinstance(e, DiagnosticReport)]
    assert [each.subject.identifier.value for each in reports] == ["A", "B"]
    for report, name, images in zip(reports, ("l1", "l2"), ("xy", "z"), strict=True):
        (result,) = (known[each.reference] for each in report.result)
        assert result.identifier[0].value == name
        assert result.subject == report.subject
        members = [known[each.reference] for each in result.hasMember]
        assert [each.identifier[0].value for each in members] == list(images)
        for each in (result, *members):
            own = {part.code.text: part.valueString for part in each.component}
            assert own["Number of the lesion"] == "1"
    assert reports[0].conclusion.startswith(
        "Melanoma is called in 0 of 1 lesion and, image by image, in 1 of 2."
    )
    assert reports[1].conclusion.startswith("Melanoma is called in 1 of 1 lesion")


def test_settings_are_stored_and_read_again() -> None:
    settings = {"prevalence": 0.02, "operating_point": "", "threshold": None}
    made = fhir_bundle(
        ROWS, SUBJECTS, model="m", version="v", abstains=True, settings=settings
    )
    Bundle.model_validate_json(json.dumps(made, allow_nan=False))
    assert settings_of(json.loads(json.dumps(made))) == settings
    older = fhir_bundle(ROWS, SUBJECTS, model="m", version="v", abstains=True)
    assert settings_of(older) == {"prevalence": 0.1, "operating_point": "sensitivity_95"}


def test_lesions_and_patients_of_a_table_are_in_the_bundle(tmp_path: Path) -> None:
    save(tmp_path / "model")
    model = lentigo.load(tmp_path / "model")
    ids = [("p1", "1"), ("p1", "1"), ("p2", "1"), (None, None)]
    sources = [
        Source(
            f"i{n}",
            image=noise(seed=n),
            patient_id=ids[n][0],
            lesion_id=ids[n][1],
            site="torso",
        )
        for n in range(4)
    ]
    answers, decision = model.answers(sources), model.decision(None, "none")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    made = bundle_of(answers, decision, model="m", version="v", when=when)
    bundle: Any = Bundle.model_validate_json(json.dumps(made, allow_nan=False))
    resources = [each.resource for each in bundle.entry]
    reports = [each for each in resources if isinstance(each, DiagnosticReport)]
    patients: list[Any] = [each.subject for each in reports]
    named = [each and each.identifier.value for each in patients]
    assert named == ["p1", "p2", None]
    known = {
        each.identifier[0].value: each for each in resources if hasattr(each, "hasMember")
    }
    assert [len(known[name].hasMember) for name in ("p1 1", "p2 1")] == [2, 1]
    assert known["i0"].bodySite.text == "torso"
    both = [
        Source("a", image=noise(seed=0), lesion_id="x"),
        Source("b", image=noise(seed=1), lesion_id="x"),
    ]
    (mean,) = model.answers(both).lesions(decision)["probability"]
    assert float(known["p1 1"].valueQuantity.value) == pytest.approx(mean, abs=1e-9)


def bundled(place: Path, sources: list[Source]) -> list[Any]:
    """The resources of the Bundle of `sources`, as plain values, each with its own id."""
    save(place / "model")
    model = lentigo.load(place / "model")
    made = bundle_of(
        model.answers(sources), model.decision(None, "none"), model="m", version="v",
        when=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert len({each["fullUrl"] for each in made["entry"]}) == len(made["entry"])
    return [each["resource"] for each in made["entry"]]


def reported(resources: list[Any]) -> list[str]:
    return [
        each.get("subject", {}).get("identifier", {}).get("value", "")
        for each in resources
        if each["resourceType"] == "DiagnosticReport"
    ]


def test_patients_of_one_number_in_two_data_sets_are_two(tmp_path: Path) -> None:
    sources = [
        Source(name, image=noise(seed=n), patient_id="1", dataset=name, lesion_id="1")
        for n, name in enumerate("xy")
    ]
    assert reported(bundled(tmp_path, sources)) == ["x 1", "y 1"]


def test_a_lesion_called_as_its_image_is_a_resource_of_its_own(tmp_path: Path) -> None:
    found = bundled(tmp_path, [Source("i0", image=noise(seed=0), lesion_id="i0")])
    assert [each["resourceType"] for each in found].count("Observation") == 2


def test_a_lesion_with_an_image_of_no_patient_stays_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = [
        Source("a", image=noise(seed=0), lesion_id="x", patient_id="p"),
        Source("b", image=noise(seed=1), lesion_id="x"),
        Source("c", image=noise(seed=2), patient_id="p"),
    ]
    found = bundled(tmp_path, sources)
    assert [len(each["hasMember"]) for each in found if "hasMember" in each] == [2]
    assert reported(found) == ["p"]
    assert "no row among the lesions" not in caplog.text
