"""Build the ASGI application: its routes, the gate around them, and its errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from lentigo.config.serving import ServingConfig
from lentigo.errors import LentigoError
from lentigo.notice import NOTICE
from lentigo.service import api
from lentigo.service.core import Service
from lentigo.service.gate import Gate
from lentigo.service.keys import Keys
from lentigo.service.page import routes
from lentigo.service.problems import ProblemError
from lentigo.version import __version__

_KINDS = {404: "not-found", 405: "not-allowed", 406: "not-acceptable"}


def build_app(service: Service, config: ServingConfig, keys: Keys | None) -> FastAPI:
    """Return the application of `service`, which it starts and closes.

    Without `keys`, requests need no API key.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await service.start()
        except LentigoError as error:
            app.state.failure = error
            raise
        yield
        app.state.ending = True
        await service.close()

    app = FastAPI(
        title="lentigo",
        version=__version__,
        summary=NOTICE,
        lifespan=lifespan,
        # These documentation pages would load scripts from other servers.
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.service = service
    app.state.ending, app.state.failure = False, None
    app.include_router(api.router)
    app.include_router(routes.router)
    app.add_exception_handler(HTTPException, _as_problem)
    app.add_middleware(Gate, config=config, telemetry=service.telemetry, keys=keys)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


async def _as_problem(_: Request, error: Exception) -> Response:
    # Raised, not returned: the gate answers once it has read what is left of the body.
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"
    raise ProblemError(
        HTTPStatus(status),
        _KINDS.get(status, "bad-request"),
        "See /openapi.json for the addresses and what they take.",
        headers=headers,
    )


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        for each in api.COMPONENTS:
            schemas[each.__name__] = each.model_json_schema()
        app.openapi_schema = found
    return app.openapi_schema
