"""Run the application in uvicorn: listen, answer requests, and shut down gracefully."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from lentigo.config.serving import ServingConfig
from lentigo.errors import ConfigError, LentigoError, RunError
from lentigo.service.app import build_app
from lentigo.service.core import Service
from lentigo.service.keys import read_keys
from lentigo.service.telemetry import Telemetry
from lentigo.service.worker import Place

_BACKLOG = 512
_LONGEST_HEAD = 32_000
"""Most bytes in the head of a request."""


def serve(
    places: Sequence[Place],
    config: ServingConfig,
    *,
    listening: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve models until SIGINT or SIGTERM; requests in progress are answered first.

    `listening` is called with the URL when the service is ready. SIGHUP reloads the models.
    Must run in the main thread.

    Raises:
        LentigoError: a model, the keys or the audit log cannot be read.
        ConfigError: the address is in use, or does not belong to this machine.
        KeyboardInterrupt: a signal has ended the service.
    """
    keys = read_keys(config.keys) if config.keys is not None else None
    with _bound(config) as place:
        app = build_app(Service(places, config, Telemetry()), config, keys)
        server = _Server(_uvicorn(app, config), app, lambda: listening(_url(place, config)))
        with suppress(SystemExit):  # so it ends where the models cannot be loaded
            server.run(sockets=[place])
    failure = app.state.failure
    if isinstance(failure, LentigoError):
        raise failure
    if not server.started:
        raise RunError("The service could not start.")


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, app: FastAPI, started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._app, self._when_started = app, started
        self._reloads: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the models, listen, install the handler of SIGHUP, and call `listening`."""
        await super().startup(sockets)
        if self.should_exit:
            return
        if hasattr(signal, "SIGHUP"):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._when_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking requests on a signal; those in progress are still answered."""
        self._app.state.ending = True
        super().handle_exit(sig, frame)

    def _reload(self) -> None:
        task = asyncio.create_task(self._app.state.service.reload())
        self._reloads.add(task)  # a task without a reference may be garbage-collected
        task.add_done_callback(self._reloads.discard)


class _Punctual(H11Protocol):
    """HTTP/1.1 that closes a connection whose request head takes too long."""

    head_seconds = 10.0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._clock is None:
            self._begin()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._clock = self.loop.call_later(self.head_seconds, self._too_slow)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self._clock = None
        if not self.transport.is_closing():
            self.transport.abort()


def _uvicorn(app: FastAPI, config: ServingConfig) -> uvicorn.Config:
    protocol: Any = type("Punctual", (_Punctual,), {"head_seconds": config.head_seconds})
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",  # what it says of a request may quote it; ours is the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=config.drain_seconds,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ssl_certfile=config.tls_certificate,
        ssl_keyfile=config.tls_key,
    )


def _bound(config: ServingConfig) -> socket.socket:
    for path in (config.tls_certificate, config.tls_key):
        if path is not None and not path.is_file():
            raise ConfigError(f"There is no file {path} for TLS.")
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen at {config.host}, port {config.port}: {error.strerror}. Give "
            "another --port, or an address of this machine as --host."
        ) from error


def _url(place: socket.socket, config: ServingConfig) -> str:
    host = f"[{config.host}]" if ":" in config.host else config.host
    kind = "http" if config.tls_certificate is None else "https"
    return f"{kind}://{host}:{place.getsockname()[1]}/"
