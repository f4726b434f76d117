"""The routes of the API for programs: predictions, models, health, metrics."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from lentigo.explanation.registry import METHODS
from lentigo.explanation.run import ALL
from lentigo.inference.fhir import MEDIA_TYPE as FHIR
from lentigo.service.accepted import prefers
from lentigo.service.answers import as_fhir, model_facts, predictions
from lentigo.service.asked import SEXES, SITES, Asked, asked
from lentigo.service.closer import EXPLAIN_FIELD, METHODS_FIELD, Look, chosen
from lentigo.service.core import Service, no_image
from lentigo.service.duckling import DUCKLINGS_BODY, MOST_BYTES, ducklings, too_long
from lentigo.service.examples import EXPLANATIONS_REQUEST, PREDICTIONS_REQUEST
from lentigo.service.explained import explained_image, explanations
from lentigo.service.memo import BEFORE_FIELD, LONGEST, MEMO_FIELD
from lentigo.service.problems import MEDIA_TYPE, ProblemError, no_such_type, wrong_field
from lentigo.service.schema import (
    Ducklings,
    Explanations,
    Health,
    Models,
    Predictions,
    ProblemDocument,
)
from lentigo.service.upload import FILES, Upload, read_upload
from lentigo.words import counted

router = APIRouter()

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": HTTPStatus(code).phrase,
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
        },
    }
    for code in (400, 401, 403, 404, 405, 406, 408, 413, 415, 422, 500, 503)
}


def some_problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI descriptions of the problems with the status `codes`."""
    return {code: _PROBLEMS[code] for code in codes}


def service_of(request: Request) -> Service:
    """Return the `Service` of the application that received a request."""
    found: Service = request.app.state.service
    return found


def id_of(request: Request) -> str:
    """Return the id that the gate gave a request."""
    return str(request.state.request_id)


async def uploaded(request: Request) -> Upload:
    """Read the body of a request; raise `ProblemError` 503 first if the queue is full."""
    service = service_of(request)
    service.queue.room.check()
    kind = request.headers.get("content-type", "")
    return await read_upload(kind, request.stream(), service.config)


def _field(description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, **more}


def _fields(image: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a request, with `image` as that of an image.

    It has images; where `more` has notes of images before, it may have these alone.
    """
    needs = [FILES, BEFORE_FIELD] if BEFORE_FIELD in more else [FILES]
    ids = {"type": "array", "maxItems": 1000}
    name = {"type": "string", "minLength": 1, "maxLength": 64}
    return {
        "type": "object",
        "anyOf": [{"required": [name]} for name in needs],
        "additionalProperties": False,
        "properties": {
            FILES: _field(
                "The images: JPEG, PNG, TIFF, WebP, HEIC, AVIF, BMP or DICOM.",
                type="array", minItems=1, items=image,
            ),
            "age": _field(
                "Age in years. Shown, as sex and site, to networks that take it.",
                type="number", minimum=0, maximum=120,
            ),
            "sex": _field("Sex.", type="string", enum=[*SEXES]),
            "site": _field("Place on the body.", type="string", enum=[*SITES]),
            "patient": _field(
                "Number of the patient, once or once an image; no name. Models that "
                "compare the lesions of a patient need the number of each lesion, too.",
                **ids, items=name,
            ),
            "lesion": _field(
                "Number of the lesion, once or once an image; lesion 1 of two patients is "
                "two lesions. Images of one lesion are also answered for together.",
                **ids, items=name,
            ),
            "prevalence": _field(
                "Share of melanoma in your clinic, to move the probabilities to.",
                type="number", exclusiveMinimum=0, exclusiveMaximum=1,
            ),
            "operating_point": _field(
                "Threshold by which melanoma is called; auto, or none.", type="string",
            ),
            "model": _field("NAME or NAME@VERSION; else the first.", type="string"),
            **more,
        },
    }  # fmt: skip


def _body(examples: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI description of a request with images, and `more` fields."""
    as_form = _fields({"type": "string", "format": "binary"}, more)
    as_json = _fields({"type": "string", "contentEncoding": "base64"}, more)
    content = {
        "multipart/form-data": {"schema": as_form},
        "application/json": {"schema": as_json, "examples": examples},
    }
    return {"requestBody": {"required": True, "content": content}}


_FURTHER = {
    MEMO_FIELD: _field(
        "Whether to give a note of each lesion, for images of it in a further request.",
        type="string", enum=["yes", "no"],
    ),
    BEFORE_FIELD: _field(
        "Notes (`memo`) of images in earlier requests, one a lesion. A lesion of this "
        "request is answered for with its earlier images; other lesions of its patient "
        "count beside it, for models that compare them. Without `images` the answer is for "
        "the lesions of the notes that count an image, all of one patient. They hold for "
        "the same model, patient, age, sex and site, until the service ends. If no image "
        "of a request can be read, its answer has no lesion, and the note before goes on.",
        type="array", maxItems=100, items={"type": "string", "maxLength": LONGEST},
    ),
    "features": _field(
        "Whether to tell the features of each image, for /v1/ducklings.",
        type="string", enum=["yes", "no"],
    ),
}  # fmt: skip
_METHODS = {
    METHODS_FIELD: _field(
        "How to draw maps; all for each that the model allows. By default occlusion, which "
        "any model allows; the others need torch, and a model folder with its weights.",
        type="array", items={"type": "string", "enum": [*METHODS, ALL]}, maxItems=10,
    ),
    EXPLAIN_FIELD: _field(
        "Numbers, from 1, of the images to explain, at most `max_explained` (4); others "
        "are predicted alone. By default all images, of which there may be as many.",
        type="array", items={"type": "integer", "minimum": 1}, maxItems=100,
    ),
}  # fmt: skip


@router.post(
    "/v1/predictions",
    response_model=Predictions,
    responses={
        200: {"content": {FHIR: {"schema": {"type": "object"}}}},
        **some_problems(400, 401, 403, 408, 413, 415, 422, 503),
    },
    openapi_extra=_body(PREDICTIONS_REQUEST, _FURTHER),
    summary="Probability of melanoma of each image",
)
async def post_predictions(request: Request) -> Response:
    """Predict one or several images; an image that cannot be read gets a reason.

    With `Accept: application/fhir+json` the answer is a Bundle of FHIR R5.
    """
    upload = await uploaded(request)
    wanted: Asked = asked(upload)
    as_bundle = prefers(request.headers.get("accept", ""), FHIR, "application/json")
    if as_bundle and not upload.files:
        raise no_image()
    answered = await service_of(request).predict(upload.files, wanted, id_of(request))
    if as_bundle:
        return JSONResponse(as_fhir(answered), media_type=FHIR)
    return JSONResponse(predictions(answered).model_dump(mode="json"))


@router.post(
    "/v1/explanations",
    response_model=Explanations,
    responses=some_problems(400, 401, 403, 408, 413, 415, 422, 503),
    openapi_extra=_body(EXPLANATIONS_REQUEST, _METHODS),
    summary="What the model used of each image, and what resembles it",
)
async def post_explanations(request: Request) -> Response:
    """Predict one or a few images, and explain each prediction with heat maps and checks.

    An explanation also has the outline of the lesion, ABCD measures and similar cases.
    Parts that this installation or model does not allow are named under `missing`.
    """
    upload = await uploaded(request)
    methods = tuple(upload.fields.pop(METHODS_FIELD, [])) or ("occlusion",)
    named = upload.fields.pop(EXPLAIN_FIELD, [])
    wanted, service = asked(upload), service_of(request)
    most = service.config.max_explained
    if len(upload.files) > most and not named:
        raise wrong_field(
            FILES,
            f"At most {counted(most, 'image')} are explained at once; "
            f"of more, name some by their numbers in '{EXPLAIN_FIELD}'.",
        )
    look = Look(methods=methods, places=chosen(named, images=len(upload.files), most=most))
    answered, shown = await service.read(
        upload.files, wanted, id_of(request), look, explained_image
    )
    return JSONResponse(explanations(answered, shown).model_dump(mode="json"))


@router.post(
    "/v1/ducklings",
    response_model=Ducklings,
    responses=some_problems(400, 401, 403, 408, 413, 415, 422, 503),
    openapi_extra=DUCKLINGS_BODY,
    summary="The odd one among each patient's lesions",
)
async def post_ducklings(request: Request) -> Response:
    """Rank the lesions of each patient by their difference from the others, by `features`.

    Features are those that `/v1/predictions` returns if they are asked for, all of the same
    model.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise no_such_type("Send application/json.")
    room = service_of(request).queue.room
    room.check()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise too_long()
    room.enter(1)  # it is computed in this process, one beside another
    try:
        found = await asyncio.to_thread(ducklings, bytes(body))
    finally:
        room.leave(1)
    return JSONResponse(found.model_dump(mode="json"))


@router.get(
    "/v1/models",
    response_model=Models,
    responses=some_problems(401, 503),
    summary="The models, their versions and thresholds",
)
async def get_models(request: Request) -> Response:
    """Tell which models there are, and how each of their thresholds was judged."""
    found = service_of(request).queue.crew.models
    facts = [model_facts(each) for each in found]
    return JSONResponse(Models(models=facts).model_dump(mode="json"))


@router.get("/healthz", response_model=Health, summary="Whether the service runs")
async def get_health() -> Response:
    """Answer as long as the service runs."""
    return JSONResponse({"status": "alive"})


@router.get(
    "/readyz",
    response_model=Health,
    responses=some_problems(503),
    summary="Whether it can answer",
)
async def get_ready(request: Request) -> Response:
    """Answer 200 once the models are loaded, 503 before, and while the service ends."""
    if request.app.state.ending or not service_of(request).queue.is_ready:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "The models are not loaded."
        )
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    responses={
        200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}},
        **some_problems(401),
    },
    response_class=Response,
    summary="Counts and times, for Prometheus",
)
async def get_metrics(request: Request) -> Response:
    """Return all counts in the text format of Prometheus."""
    service = service_of(request)
    service.telemetry.under_way.set(service.queue.room.images)
    service.telemetry.replaced.set(service.queue.replaced)
    return Response(
        service.telemetry.exposition(), headers={"content-type": CONTENT_TYPE_LATEST}
    )


COMPONENTS = (ProblemDocument,)
"""Models that the route descriptions name by hand, to be added to the OpenAPI schemas."""
