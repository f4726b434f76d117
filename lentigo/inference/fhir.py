"""Predictions as FHIR R5: a Bundle with a DiagnosticReport and an Observation per image.

Report and observations have the status `preliminary`, and a note says that lentigo is
research software. LOINC and SNOMED CT have no codes for these results, so the codes are of
lentigo's own system, each with its text.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lentigo.inference.decide import CALLED
from lentigo.notice import NOTICE, WITHOUT_LIMIT
from lentigo.tables import DIAGNOSIS_COLUMNS
from lentigo.version import __version__
from lentigo.words import counted

MEDIA_TYPE = "application/fhir+json"
_SYSTEM = "urn:lentigo:code"
_UCUM = "http://unitsofmeasure.org"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Identifiers and body site of one image, for its Observation."""

    name: str
    """Name or number of the image, which becomes the identifier of the Observation."""
    sha256: str = ""
    """SHA-256 of the image file; empty if unknown."""
    patient: str = ""
    """Number of the patient, never a name; empty if unknown."""
    site: str = ""
    """Body site, one of `lentigo.tables.SITES`; empty if unknown."""


def fhir_bundle(
    rows: Sequence[Mapping[str, Any]],
    subjects: Sequence[Subject],
    *,
    model: str,
    version: str,
    abstains: bool,
    when: datetime | None = None,
) -> Resource:
    """Return predictions as a Bundle of type `collection`, ready for JSON.

    `rows` are rows of a prediction table, one for each of `subjects`, in the same order.
    `version` is a digest of the model; `abstains` is whether it has a limit of abstention:
    if not, a note of the device says so. `when` is the time, by default now. Without a
    probability, the Observation has a `dataAbsentReason`, and the reason as a note.
    """
    moment = (when or datetime.now(UTC)).isoformat(timespec="seconds")
    device = _device(model, version, [NOTICE, *([] if abstains else [WITHOUT_LIMIT])])
    observations = [
        _observation(row, subject, device, moment)
        for row, subject in zip(rows, subjects, strict=True)
    ]
    report = _report(observations, subjects, device, moment)
    entries = [report, device, *observations]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": moment,
        "entry": [{"fullUrl": _url(each), "resource": each} for each in entries],
    }


def _observation(
    row: Mapping[str, Any], subject: Subject, device: Resource, moment: str
) -> Resource:
    probability, reason = row.get("probability"), str(row.get("reason") or "")
    found: Resource = {
        "resourceType": "Observation",
        "id": _id("observation", device["id"], subject.name, subject.sha256, moment),
        "identifier": [{"system": "urn:lentigo:image", "value": subject.name}],
        "status": "preliminary",
        "category": [_concept("imaging", "Imaging", system=_CATEGORY)],
        "code": _concept("melanoma-probability", "Probability of melanoma"),
        "effectiveDateTime": moment,
        "device": {"reference": _url(device)},
        "note": [{"text": each} for each in (NOTICE, reason) if each],
    }
    if subject.patient:
        found["subject"] = _patient(subject.patient)
    if subject.site:
        found["bodySite"] = _concept(subject.site.replace("/", "-"), subject.site)
    if _is_number(probability):
        found["valueQuantity"] = _share(float(probability or 0))
    else:
        found["dataAbsentReason"] = _concept("error", "Error", system=_ABSENT)
    if components := list(_components(row, subject)):
        found["component"] = components
    return found


def _components(row: Mapping[str, Any], subject: Subject) -> Iterator[Resource]:
    if row.get("call"):
        said = str(row["call"])
        yield {
            "code": _concept(
                "call", f"Call at {row.get('operating_point') or 'a threshold'}"
            ),
            "valueCodeableConcept": _concept(said.replace(" ", "-"), said),
        }
    for name, value in row.items():
        if str(name).startswith(DIAGNOSIS_COLUMNS) and _is_number(value):
            word = str(name).removeprefix(DIAGNOSIS_COLUMNS)
            text = f"Probability of {word.replace('_', ' ')}"
            code = _concept(f"probability-{word.replace('_', '-')}", text)
            yield {"code": code, "valueQuantity": _share(float(value))}
    if _is_number(row.get("prevalence")):
        code = _concept("prevalence", "Share of melanoma that the probability is meant for")
        yield {"code": code, "valueQuantity": _share(float(row["prevalence"]))}
    if subject.sha256:
        code = _concept("image-sha256", "SHA-256 of the file of the image")
        yield {"code": code, "valueString": subject.sha256}


def _report(
    observations: Sequence[Resource],
    subjects: Sequence[Subject],
    device: Resource,
    moment: str,
) -> Resource:
    found: Resource = {
        "resourceType": "DiagnosticReport",
        "id": _id("report", device["id"], moment, *(each["id"] for each in observations)),
        "status": "preliminary",
        "category": [_concept("imaging", "Imaging", system=_CATEGORY)],
        "code": _concept("melanoma-report", "Melanoma from dermoscopy, by a network"),
        "effectiveDateTime": moment,
        "issued": moment,
        "result": [{"reference": _url(each)} for each in observations],
        "note": [{"text": NOTICE}],
        "conclusion": f"{_concluded(observations)} {NOTICE}",
    }
    patients = {each.patient for each in subjects}
    if len(patients) == 1 and (one := patients.pop()):
        found["subject"] = _patient(one)
    return found


def _concluded(observations: Sequence[Resource]) -> str:
    """Return a sentence: how many images are called melanoma, and how many have no call."""
    calls = [
        component["valueCodeableConcept"]["text"]
        for each in observations
        for component in each.get("component", [])
        if "valueCodeableConcept" in component
    ]
    silent = len(observations) - len(calls)
    if not calls:
        return f"Nothing is called: no decision is made for {counted(silent, 'image')}."
    said = f"Melanoma is called in {calls.count(CALLED)} of {len(calls)}."
    return said + f" No decision is made for {counted(silent, 'other')}." * bool(silent)


def _device(model: str, version: str, notes: Sequence[str]) -> Resource:
    return {
        "resourceType": "Device",
        "id": _id("device", model, version, __version__),
        "name": [{"value": f"lentigo {__version__}", "type": "registered-name"}],
        "modelNumber": model,
        "version": [{"value": version}],
        "note": [{"text": each} for each in notes],
    }


def _concept(code: str, text: str, *, system: str = _SYSTEM) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _share(value: float) -> Resource:
    return {"value": value, "unit": "1", "system": _UCUM, "code": "1"}


def _patient(number: str) -> Resource:
    return {
        "type": "Patient",
        "identifier": {"system": "urn:lentigo:patient", "value": number},
    }


def _id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:lentigo:" + "\n".join(parts)))


def _url(resource: Resource) -> str:
    return f"urn:uuid:{resource['id']}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
