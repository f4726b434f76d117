"""The routes of the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from lentigo.models.card import card_text
from lentigo.run_layout import RunLayout
from lentigo.service.answers import model_facts
from lentigo.service.api import id_of, service_of, uploaded
from lentigo.service.asked import SEXES, SITES, Asked, asked
from lentigo.service.closer import EXPLAIN_FIELD, Look, Material, chosen
from lentigo.service.core import Service
from lentigo.service.decoding import Square
from lentigo.service.page.card import blocks, card_words
from lentigo.service.page.close import CHOICES, close_look
from lentigo.service.page.pictures import (
    LONGEST_SIDE,
    View,
    as_address,
    has_views,
    outline_view,
    views,
)
from lentigo.service.page.render import language_of, page
from lentigo.service.page.result import PHRASES, Shown, judgement, number, why_not
from lentigo.service.problems import ProblemError, wrong_field
from lentigo.service.upload import Upload
from lentigo.service.worker import Hosted

router = APIRouter(include_in_schema=False)

_MOST = 1_000
"""Highest number of an image on the page, which is the highest `max_files`."""
_STATIC = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
    "frame-ancestors 'none'"
)
"""Content security policy of a report, which has its style inside and no scripts."""


def _form(service: Service) -> dict[str, Any]:
    models = service.queue.crew.models
    return {
        "sexes": SEXES,
        "sites": SITES,
        "models": models,
        "limits": service.config,
        "has_views": has_views(),
        "map_choices": list(CHOICES),
    }


@router.get("/")
async def get_reader(request: Request) -> HTMLResponse:
    """Show the form for the pictures of a lesion."""
    return page(request, "reader", in_all=True, **_form(service_of(request)), error=None)


@router.post("/")
async def post_reader(request: Request) -> HTMLResponse:
    """Predict the uploaded images of one lesion and show the result."""
    service = service_of(request)
    try:
        upload = await uploaded(request)
        wants_views = bool(upload.fields.pop("views", None))
        first = _first(upload)
        look = Look(
            methods=_methods(upload), side=LONGEST_SIDE, case_pictures=True,
            places=_places(upload, service.config.max_explained),
            beside=partial(_drawn, wants_views=wants_views),
        )  # fmt: skip
        answered, shown = await service.read(
            upload.files, _of_one_lesion(upload), id_of(request), look,
            partial(_shown, wants_views=wants_views, first=first),
        )  # fmt: skip
    except ProblemError as problem:
        if problem.status not in {
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.SERVICE_UNAVAILABLE,
        }:
            raise
        return page(
            request, "reader", status=int(problem.status), error=problem,
            **_form(service),
        )  # fmt: skip
    return page(
        request, "result", in_all=True, answered=answered, one=judgement(answered),
        shown=shown, number=number, time=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **_form(service),
    )  # fmt: skip


@router.get("/model")
async def get_model(request: Request) -> HTMLResponse:
    """Show the card of a model, and the held-out performance of its thresholds."""
    service = service_of(request)
    try:
        _, model = service.model(request.query_params.get("model", ""))
    except ProblemError as problem:  # a link to a version that was replaced meanwhile
        if problem.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return page(request, "reader", status=422, error=problem, **_form(service))
    words = card_words(language_of(request))
    text = card_text(model.description, words)
    report = _report(service, model) is not None
    return page(
        request, "model", model=model, facts=model_facts(model), blocks=blocks(text),
        number=number, report=report, models=service.queue.crew.models,
        points={each.name: each for each in model.points}, absent=words.absent,
    )  # fmt: skip


@router.get("/model/report")
async def get_report(request: Request) -> Response:
    """Return the HTML report of the run that a model comes from; 404 if there is none."""
    service = service_of(request)
    _, model = service.model(request.query_params.get("model", ""))
    path = _report(service, model)
    if path is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "not-found", "There is no report.")
    headers = {"content-security-policy": _REPORT_POLICY}
    return FileResponse(path, media_type="text/html", headers=headers)


@router.get("/worklist")
async def get_worklist(request: Request) -> HTMLResponse:
    """Show the page that reads a folder or zip of pictures."""
    return page(
        request, "worklist", in_all=True, phrases=PHRASES, **_form(service_of(request))
    )  # fmt: skip


@router.get("/static/{name}")
async def get_static(name: str) -> Response:
    """Return a style sheet, script or picture of the page; 404 for any other name."""
    known = {path.name: path for path in _STATIC.iterdir()}
    if name not in known or known[name].suffix not in _KINDS:
        raise ProblemError(HTTPStatus.NOT_FOUND, "not-found", "There is no such file.")
    headers = {"cache-control": "no-cache"}
    return FileResponse(known[name], media_type=_KINDS[known[name].suffix], headers=headers)


def _of_one_lesion(upload: Upload) -> Asked:
    """Return the checked fields of the form; all images are of one lesion.

    The form has the share of melanoma in per cent, `Asked` from 0 to 1.
    """
    percent = upload.fields.pop("prevalence_percent", [""])[0].replace(",", ".")
    if percent:
        try:
            upload.fields["prevalence"] = [str(float(percent) / 100)]
        except ValueError:
            raise wrong_field("prevalence", "It is a number of percent.") from None
    found = asked(upload)
    if len(upload.files) > 1:
        found = replace(found, lesions=("1",) * len(upload.files))
    return found


def _methods(upload: Upload) -> tuple[str, ...]:
    given = upload.fields.pop("maps", [""])[0]
    if given not in CHOICES:
        raise wrong_field("maps", "It is empty, occlusion or all.")
    return CHOICES[given]


def _places(upload: Upload, most: int) -> tuple[int, ...]:
    """Return the positions of the images to be explained on the page, at most `most`."""
    named = upload.fields.pop(EXPLAIN_FIELD, [])
    return chosen(named, images=len(upload.files), most=most)


def _first(upload: Upload) -> int:
    """Return the number that the first image has on the page, which may show others."""
    given = upload.fields.pop("first", ["1"])[0]
    digits = given.isascii() and given.isdigit() and len(given) <= len(str(_MOST))
    if not digits or not 1 <= int(given) <= _MOST:
        raise wrong_field("first", f"It is a number from 1 to {_MOST}.")
    return int(given)


def _drawn(picture: Square, *, wants_views: bool) -> tuple[str, list[View]]:
    """Return the picture as a `data:` address, and its views if they are wanted."""
    return as_address(picture), list(views(picture)) if wants_views else []


def _shown(material: Material, *, wants_views: bool, first: int) -> Shown:
    """Return one image as the page shows it, the first one under the number `first`."""
    row, file, picture = material.row, material.file, material.picture
    reason = file.reason if row is None else str(row["reason"])
    size = file.size or (None, None)
    nothing: tuple[str, list[View]] = "", []
    address, shown = material.beside or nothing
    close = close_look(material)
    if wants_views and picture is not None:
        if close is None:
            shown.extend(outline_view(picture))
        elif close.outline is not None:
            certainty = close.outline["certainty"]
            shown.append(View("outline", close.outline_address, certainty=certainty))
    return Shown(
        number=first + material.place,
        address=address,
        views=shown,
        why=why_not(None if row is None else row["probability"], reason),
        reason=reason,
        width=size[0],
        height=size[1],
        close=close,
    )


def _report(service: Service, model: Hosted) -> Path | None:
    """Return the path of the report, if the model was given as a run folder with one."""
    path = RunLayout(service.places[model.index].folder).report
    return path if path.is_file() else None
