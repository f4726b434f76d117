"""Predictions as FHIR R5: a Bundle with a DiagnosticReport per patient, and Observations.

There is an Observation for each image, and one for each lesion that images share, which
names those of its images as members. Reports and observations have the status
`preliminary`, and a note says that lentigo is research software. LOINC and SNOMED CT have
no codes for these results, so the codes are of lentigo's own system, each with its text.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lentigo.inference.decide import CALLED
from lentigo.notice import NOTICE, WITHOUT_LIMIT
from lentigo.tables import DIAGNOSIS_COLUMNS
from lentigo.version import __version__
from lentigo.words import counted

MEDIA_TYPE = "application/fhir+json"
_SYSTEM = "urn:lentigo:code"
_CALL_AT = "Call at "
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
    lesion: str = ""
    """Number of the lesion, unique within the patient; empty if unknown."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """The common answer to the images of a lesion."""

    name: str
    """Identifier of the Observation."""
    images: tuple[int, ...]
    """Places, from 0, of the lesion's images among all images of the Bundle."""
    row: Mapping[str, Any]
    """A row of the table of lesions."""


def fhir_bundle(
    rows: Sequence[Mapping[str, Any]],
    subjects: Sequence[Subject],
    *,
    model: str,
    version: str,
    abstains: bool,
    when: datetime | None = None,
    lesions: Sequence[Together] = (),
    settings: Mapping[str, Any] | None = None,
) -> Resource:
    """Return predictions as a Bundle of type `collection`, ready for JSON.

    `rows` are rows of a prediction table, one for each of `subjects`, in the same order.
    `version` is a digest of the model; `abstains` is whether it has a limit of abstention:
    if not, a note of the device says so. `when` is the time, by default now. Without a
    probability, the Observation has a `dataAbsentReason`, and the reason as a note.
    `lesions` are the answers to several images together; the report of their patient
    results in them, and they in those of their images. `settings` are stored with the
    device, for `settings_of`.
    """
    moment = (when or datetime.now(UTC)).isoformat(timespec="seconds")
    device = _device(model, version, [NOTICE, *([] if abstains else [WITHOUT_LIMIT])])
    if settings:
        device["property"] = [_property(name, settings[name]) for name in sorted(settings)]
    images = [
        _observation(row, subject, device, moment)
        for row, subject in zip(rows, subjects, strict=True)
    ]
    common = [_of_lesion(each, images, subjects, device, moment) for each in lesions]
    reports = []
    for patient in dict.fromkeys(each.patient for each in subjects):
        own = [each.patient == patient for each in subjects]
        lesions_own = [
            found
            for found, each in zip(common, lesions, strict=True)
            if own[each.images[0]]
        ]
        images_own = [image for image, is_own in zip(images, own, strict=True) if is_own]
        reports.append(_report(images_own, lesions_own, patient, device, moment))
    entries = [*reports, device, *common, *images]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": moment,
        "entry": [{"fullUrl": _url(each), "resource": each} for each in entries],
    }


def settings_of(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that were stored in a Bundle; without any, what it tells of them.

    Raises `LookupError` or `TypeError` where it is no Bundle of `fhir_bundle`.
    """
    own = [each["resource"] for each in bundle["entry"]]
    (device,) = (each for each in own if each["resourceType"] == "Device")
    if "property" in device:
        known = {each["type"]["text"]: each["valueString"] for each in device["property"]}
        return {name: json.loads(value) for name, value in known.items()}
    found: dict[str, Any] = {}
    for each in (part for one in own for part in one.get("component", [])):
        code = each["code"]["coding"][0]["code"]
        if code == "prevalence":
            found["prevalence"] = each["valueQuantity"]["value"]
        if code == "call":
            found["operating_point"] = each["code"]["text"].removeprefix(_CALL_AT)
    return found


def _property(name: str, value: Any) -> Resource:
    return {"type": _concept(name, name), "valueString": json.dumps(value)}


def _of_lesion(
    lesion: Together,
    images: Sequence[Resource],
    subjects: Sequence[Subject],
    device: Resource,
    moment: str,
) -> Resource:
    first = subjects[lesion.images[0]]
    subject = replace(first, name=lesion.name, sha256="")
    found = _observation(lesion.row, subject, device, moment)
    members = [images[place]["id"] for place in lesion.images]
    # With its members: a lesion and an image, or two lesions, may have the same name.
    found["id"] = _id("observation", device["id"], "lesion", lesion.name, moment, *members)
    found["identifier"] = [{"system": "urn:lentigo:lesion", "value": lesion.name}]
    found["hasMember"] = [{"reference": _url(images[place])} for place in lesion.images]
    return found


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
                "call", _CALL_AT + (row.get("operating_point") or "a threshold")
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
    if subject.lesion:
        code = _concept("lesion", "Number of the lesion")
        yield {"code": code, "valueString": subject.lesion}
    if subject.sha256:
        code = _concept("image-sha256", "SHA-256 of the file of the image")
        yield {"code": code, "valueString": subject.sha256}


def _report(
    images: Sequence[Resource],
    lesions: Sequence[Resource],
    patient: str,
    device: Resource,
    moment: str,
) -> Resource:
    """Return the report of a patient ("" if unknown) on images, and on whole lesions.

    An image of a lesion is reached through the lesion.
    """
    members = {each["reference"] for one in lesions for each in one["hasMember"]}
    alone = [each for each in images if _url(each) not in members]
    result = [*lesions, *alone]
    found: Resource = {
        "resourceType": "DiagnosticReport",
        "id": _id("report", device["id"], moment, *(each["id"] for each in result)),
        "status": "preliminary",
        "category": [_concept("imaging", "Imaging", system=_CATEGORY)],
        "code": _concept("melanoma-report", "Melanoma from dermoscopy, by a network"),
        "effectiveDateTime": moment,
        "issued": moment,
        "result": [{"reference": _url(each)} for each in result],
        "note": [{"text": NOTICE}],
        "conclusion": f"{_concluded(images, lesions)} {NOTICE}",
    }
    if patient:
        found["subject"] = _patient(patient)
    return found


def _concluded(images: Sequence[Resource], lesions: Sequence[Resource]) -> str:
    """Return how many lesions and images are called melanoma, and how many have no call."""
    calls = _calls(images)
    silent = len(images) - len(calls)
    if not calls:
        return f"Nothing is called: no decision is made for {counted(silent, 'image')}."
    of_lesions = _calls(lesions)
    of = f"{calls.count(CALLED)} of {len(calls)}"
    said = f"Melanoma is called in {of}."
    if lesions:
        said = (
            f"Melanoma is called in {of_lesions.count(CALLED)} of "
            f"{counted(len(lesions), 'lesion')} and, image by image, in {of}."
        )
    return said + f" No decision is made for {counted(silent, 'other')}." * bool(silent)


def _calls(observations: Sequence[Resource]) -> list[str]:
    return [
        component["valueCodeableConcept"]["text"]
        for each in observations
        for component in each.get("component", [])
        if "valueCodeableConcept" in component
    ]


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
