"""Turn rows of predictions into the answers of the service."""

from __future__ import annotations

from typing import Any

from lentigo.answer_columns import (
    ABSTAIN,
    BETWEEN,
    CONTEXT,
    COULD_BE,
    COULD_BE_DIAGNOSES,
    STRANGENESS,
)
from lentigo.inference.fhir import Subject, Together, fhir_bundle
from lentigo.inference.served import FEATURES, MEMO, Row
from lentigo.models.operating_point import OperatingPoint
from lentigo.service.answered import Answered
from lentigo.service.decoding import Prepared
from lentigo.service.schema import (
    ImageAnswer,
    LesionAnswer,
    ModelFacts,
    ModelName,
    Point,
    Predictions,
)
from lentigo.service.worker import Hosted
from lentigo.tables import DIAGNOSIS_COLUMNS


def predictions(answered: Answered) -> Predictions:
    """Return the answer of `/v1/predictions` to a request."""
    decided = answered.decision
    return Predictions(
        request=answered.request_id,
        model=model_name(answered.model),
        meant_for=decided.meant_for,
        prevalence=decided.meant_for if decided.asked_for is None else decided.asked_for,
        operating_point=decided.point.name if decided.point else "",
        images=[_image(answered, place) for place in range(len(answered.files))],
        lesions=[_lesion(answered, row) for row in answered.lesions],
    )


def as_fhir(answered: Answered) -> dict[str, Any]:
    """Return the answer as a FHIR R5 Bundle: an Observation per image, and per lesion."""
    asked = answered.asked
    subjects = [
        Subject(
            name=f"{answered.request_id}-{place + 1}",
            sha256=file.sha256,
            patient=asked.patients[place] if asked.patients else "",
            site=asked.site,
            lesion=asked.lesions[place] if asked.lesions else "",
        )
        for place, file in enumerate(answered.files)
    ]
    rows = [
        {"reason": file.reason} if row is None else row
        for row, file in zip(answered.images, answered.files, strict=True)
    ]
    lesions = [
        Together(
            name=f"{answered.request_id}-lesion-{number}",
            images=tuple(answered.places(row)),
            row=row,
        )
        for number, row in enumerate(answered.lesions, start=1)
    ]
    model = answered.model
    return fhir_bundle(
        rows,
        subjects,
        model=model.name,
        version=model.version,
        abstains=model.abstains,
        lesions=lesions,
    )


def model_name(model: Hosted) -> ModelName:
    """Return name, version and engine of a model."""
    return ModelName(
        name=model.name,
        version=model.version,
        engine=model.engine,
        abstains=model.abstains,
    )


def model_facts(model: Hosted) -> ModelFacts:
    """Return the facts of a model for `/v1/models`."""
    return ModelFacts(
        name=model.name,
        version=model.version,
        engine=model.engine,
        abstains=model.abstains,
        networks=model.networks,
        prevalence=model.prevalence,
        diagnoses=["melanoma", *model.diagnoses] if model.diagnoses else [],
        metadata=list(model.metadata),
        operating_points=[_point(each) for each in model.points],
        unread_operating_points=list(model.unread),
        intended_use=model.description.intended_use,
    )


def _point(point: OperatingPoint) -> Point:
    held_out = point.held_out
    return Point(
        name=point.name,
        aim=point.aim,
        threshold=point.threshold,
        absent=point.absent,
        chosen_on=point.chosen_on,
        held_out=dict(held_out.figures) if held_out else {},
        n_images=held_out.n_images if held_out else None,
        n_melanomas=held_out.n_melanomas if held_out else None,
    )


def _image(answered: Answered, place: int) -> ImageAnswer:
    file, row, asked = answered.files[place], answered.images[place], answered.asked
    return ImageAnswer(
        image=place + 1,
        sha256=file.sha256,
        width=file.size[0] if file.size else None,
        height=file.size[1] if file.size else None,
        patient=asked.patients[place] if asked.patients else "",
        lesion=asked.lesions[place] if asked.lesions else "",
        metadata=row.get("metadata", "") if row is not None else "",
        features=row.get(FEATURES) if row is not None else None,
        **judged(row, file),
    )


def _lesion(answered: Answered, row: Row) -> LesionAnswer:
    own = answered.places(row)
    patient, lesion = answered.ids(row)
    unread = [
        f"{place + 1} is left out: {answered.files[place].reason}"
        for place in own
        if answered.images[place] is None
    ]
    told = {
        **row,
        "reason": "; ".join([*unread, *([row["reason"]] if row["reason"] else [])]),
    }
    return LesionAnswer(
        lesion=lesion,
        patient=patient,
        images=[place + 1 for place in own],
        n_images=row["n_images"],
        memo=row.get(MEMO),
        **_judged(told),
    )


def judged(row: Row | None, file: Prepared) -> dict[str, Any]:
    """Return the fields of `Judged` of an image; without a `row`, the reason of `file`."""
    if row is None:
        nothing = {"probability": None, "logit": None, "call": ""}
        return {**nothing, "reason": file.reason}
    return _judged(row)


def _judged(row: Row) -> dict[str, Any]:
    shares = {
        name.removeprefix(DIAGNOSIS_COLUMNS): value
        for name, value in row.items()
        if name.startswith(DIAGNOSIS_COLUMNS) and value is not None
    }
    return {
        "probability": row["probability"],
        "logit": row["logit"],
        "call": row["call"],
        "could_be": row.get(COULD_BE) or "",
        "could_be_diagnoses": [
            name for name in (row.get(COULD_BE_DIAGNOSES) or "").split(BETWEEN) if name
        ],
        "diagnoses": shares,
        "abstain": row.get(ABSTAIN) or "",
        "context": row.get(CONTEXT),
        "strangeness": row.get(STRANGENESS),
        "reason": row["reason"],
    }
