"""ASGI middleware for each request: request id, API key, size limits, log line."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from lentigo.config.serving import LOOPBACK, ServingConfig
from lentigo.service.keys import Keys
from lentigo.service.problems import ProblemError, full, no_such_type, too_large
from lentigo.service.telemetry import Telemetry

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that need no API key."""
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), usb=()",
    "cache-control": "no-store",
}
_SPARE_BODY = 1_000_000
"""Most bytes of a refused request's body that are read, so that its sender is answered."""


@dataclass
class _Request:
    """The state of one request in the gate."""

    scope: Scope
    request_id: str
    begun: float
    """When the request began, by `time.monotonic`."""
    status: int = 0
    """HTTP status of the answer; 0 before it is sent."""
    read: int = 0
    """Number of bytes of the body that were read."""
    held: int = 0
    """Bytes of memory reserved for its body: the announced length, or what it sent."""
    received: bool = False
    """Whether the whole body was read."""


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(
        self, app: App, config: ServingConfig, telemetry: Telemetry, keys: Keys | None
    ) -> None:
        self._app, self._config, self._keys = app, config, keys
        self._telemetry = telemetry
        self._uploads, self._bytes = 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, or answer with the problem that stops it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _Request(scope, uuid.uuid4().hex, time.monotonic())
        scope.setdefault("state", {})["request_id"] = one.request_id
        has_body = scope["method"] in {"POST", "PUT", "PATCH"}
        self._uploads += has_body
        try:
            await self._pass(one, receive, send)
        finally:
            self._uploads -= has_body
            self._let_go(one)
            self._noted(one)

    async def _pass(self, one: _Request, receive: Receive, send: Send) -> None:
        guarded, sending = self._reading(one, receive), self._sending(one, send)
        try:
            self._check(one)
            await self._answered(one, guarded, sending)
        except ProblemError as problem:
            await self._refuse(one, problem, receive, sending)
        except Exception as error:
            self._telemetry.log_fault(one.request_id, error)
            if not one.status:
                fault = ProblemError(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "fault",
                    "This is a fault of the service; its log tells more under the id.",
                )
                await self._refuse(one, fault, receive, sending)

    async def _answered(self, one: _Request, receive: Receive, send: Send) -> None:
        """Let the application answer; HEAD as GET, whose body the server leaves out.

        Load balancers and monitors ask by HEAD whether an address answers.
        """
        if one.scope["method"] != "HEAD":
            await self._app(one.scope, receive, send)
            return
        scope = {**one.scope, "method": "GET"}
        try:
            await self._app(scope, receive, send)
        finally:
            one.scope["route"] = scope.get("route")

    def _check(self, one: _Request) -> None:
        scope, headers = one.scope, Headers(scope=one.scope)
        self._check_key(scope, headers)
        if scope["path"] not in OPEN:
            self._check_name(headers)
        if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            return
        origin = headers.get("origin")
        if origin is not None and _host_in(origin) != headers.get("host", ""):
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "other-site",
                "Pages of other sites may not send requests here.",
            )
        self._check_body(one, headers)

    def _check_body(self, one: _Request, headers: Headers) -> None:
        """Raise `ProblemError` for a body that is not taken, from what its head says."""
        if "transfer-encoding" in headers and "content-length" in headers:
            # Two lengths: a proxy in front may see another end, and so another request.
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "bad-request",
                "Content-Length and Transfer-Encoding contradict each other.",
                headers={"connection": "close"},
            )
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise no_such_type("Send the body as it is, without a Content-Encoding.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 18:
            raise too_large("The content length is no number of bytes.")
        if int(length) > self._config.max_body:
            raise self._too_large()
        if self._uploads > self._config.max_uploads:
            raise full(1)
        self._hold(one, int(length))

    def _check_name(self, headers: Headers) -> None:
        """Without API keys, raise `ProblemError` 421 if `Host` is no name of this service.

        A website may point its own host name to this machine's address (DNS rebinding); for
        the browser, its pages would then belong to this service.
        """
        if self._keys is not None:
            return
        asked = (_name_in(headers.get("host", "")) or "").lower()
        ours = {*LOOPBACK, self._config.host, *self._config.names}
        if asked not in {name.lower() for name in ours}:
            raise ProblemError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "other-name",
                "This service is not called so. If a proxy stands in front, start it with "
                "--set names=[NAME].",
            )

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        if self._keys is None or scope["path"] in OPEN:
            return
        given = headers.get("authorization", "")
        if self._keys.holder(given, headers.get("x-api-key", "")) is None:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "no-key",
                "Send 'Authorization: Bearer KEY'. In a browser, the password is the key.",
                headers={"www-authenticate": 'Basic realm="lentigo", charset="UTF-8"'},
            )

    def _reading(self, one: _Request, receive: Receive) -> Receive:
        end = one.begun + self._config.body_seconds

        async def guarded() -> Message:
            if one.received:  # whatever comes now is the end of the connection
                return await receive()
            try:
                left = max(0.0, end - time.monotonic())
                message = await asyncio.wait_for(receive(), left)
            except TimeoutError:
                raise ProblemError(
                    HTTPStatus.REQUEST_TIMEOUT,
                    "too-slow",
                    f"The body took longer than {self._config.body_seconds:g} s.",
                    headers={"connection": "close"},
                ) from None
            if message["type"] == "http.request":
                one.read += len(message.get("body", b""))
                one.received = not message.get("more_body", False)
                if one.read > self._config.max_body:
                    raise self._too_large()
                self._hold(one, one.read)
            else:
                one.received = True
            return message

        return guarded

    def _sending(self, one: _Request, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                one.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = one.request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        return sending

    async def _refuse(
        self, one: _Request, problem: ProblemError, receive: Receive, send: Send
    ) -> None:
        if one.status:  # half an answer is out
            return
        self._let_go(one)
        if not one.received and "connection" not in problem.headers:
            await self._drain(one, receive)
            if not one.received:
                problem.headers["connection"] = "close"
        await problem.response(one.request_id)(one.scope, receive, send)

    async def _drain(self, one: _Request, receive: Receive) -> None:
        """Read a small body to its end: a sender that is cut off may miss the answer."""
        left, end = _SPARE_BODY, time.monotonic() + 2
        while not one.received and left > 0:
            try:
                message = await asyncio.wait_for(receive(), max(0, end - time.monotonic()))
            except TimeoutError:
                return
            left -= len(message.get("body", b""))
            one.received = not message.get("more_body", False)

    def _hold(self, one: _Request, count: int) -> None:
        """Reserve `count` bytes in total for a body.

        Raises `ProblemError` 503 if all bodies together would exceed the limit.
        """
        more = max(0, count - one.held)
        if more and self._bytes + more > self._config.max_uploads_mb * 1e6:
            raise full(1)
        self._bytes += more
        one.held += more

    def _let_go(self, one: _Request) -> None:
        self._bytes -= one.held
        one.held = 0

    def _too_large(self) -> ProblemError:
        return too_large(
            f"A request of more than {self._config.max_body_mb:g} MB is not taken."
        )

    def _noted(self, one: _Request) -> None:
        route = getattr(one.scope.get("route"), "path", "other")
        method = one.scope["method"]
        known = {"GET", "POST", "HEAD", "OPTIONS"}
        method, took = method if method in known else "other", time.monotonic() - one.begun
        self._telemetry.requests.labels(route, method, str(one.status)).inc()
        self._telemetry.seconds.labels(route).observe(took)
        self._telemetry.log(
            "request",
            request=one.request_id,
            method=method,
            route=route,
            status=one.status,
            ms=round(1000 * took, 1),
            bytes=one.read,
        )


def _name_in(host: str) -> str | None:
    """Return the host name in a `Host` header, without the port; None if it is invalid."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _host_in(origin: str) -> str | None:
    """Return host and port of an `Origin` header; None if it is no address."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
