"""Errors of the service as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

from lentigo.visible import named

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    "bad-request": "The request cannot be read",
    "no-key": "An API key is needed",
    "other-site": "The request comes from the page of another site",
    "other-name": "The service is not called so",
    "not-found": "There is nothing at this address",
    "not-allowed": "This address does not take that method",
    "too-slow": "The request came too slowly",
    "too-large": "The request is too large",
    "no-such-type": "The content type is not taken",
    "not-acceptable": "There is no answer of that type",
    "wrong-field": "A field of the request makes no sense",
    "full": "Too many requests are waiting",
    "not-ready": "The service is not ready",
    "fault": "The service failed",
}
"""Title of each kind of problem."""


class ProblemError(Exception):
    """An error that is answered as a problem document: HTTP status, kind and advice."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers, self.more = dict(headers or {}), more

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the fields of the problem document."""
        return {
            "type": f"urn:lentigo:problem:{self.kind}",
            "title": _TITLES[self.kind],
            "status": int(self.status),
            "detail": self.detail,
            "instance": f"urn:lentigo:request:{request_id}",
            **self.more,
        }

    def response(self, request_id: str) -> JSONResponse:
        """Return the HTTP response with the problem document."""
        return JSONResponse(
            self.body(request_id),
            status_code=int(self.status),
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def wrong_field(name: str, detail: str) -> ProblemError:
    """Return the problem (422) of a field that is unknown or has a wrong value."""
    said = " ".join(detail.split())
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-field", said, field=named(name)
    )


def bad_request(detail: str) -> ProblemError:
    """Return the problem (400) of a request that cannot be read."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "bad-request", detail)


def no_such_type(detail: str) -> ProblemError:
    """Return the problem (415) of a body whose content type is not supported."""
    return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "no-such-type", detail)


def too_large(detail: str) -> ProblemError:
    """Return the problem (413) of a request beyond a size limit; it ends the connection."""
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        detail,
        headers={"connection": "close"},
    )


def full(seconds: int) -> ProblemError:
    """Return the problem (503) of a full queue: the client may try again in `seconds`."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "full",
        f"Try again in {seconds} s; the service takes no more requests just now.",
        headers={"retry-after": str(seconds)},
    )


def not_ready(detail: str, seconds: float = 5) -> ProblemError:
    """Return the problem (503) of a service that can probably answer in `seconds`."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-ready",
        detail,
        headers={"retry-after": str(math.ceil(seconds))},
    )
