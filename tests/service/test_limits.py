"""What is too much for the service is refused, and it goes on."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.conftest import Served, serving
from tests.service.test_predictions import post


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Served]:
    """A service with narrow limits."""
    settings = {
        "max_body_mb": 0.3, "max_file_mb": 0.1, "max_files": 3, "body_seconds": 1,
        "head_seconds": 1, "max_pixels": 20_000,
    }  # fmt: skip
    words = [f"--set={name}={value}" for name, value in settings.items()]
    with serving(tmp_path_factory.mktemp("narrow"), model, *words) as one:
        yield one


POSTED = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\n"


def talk(served: Served, *parts: bytes, pause: float = 0, most: int = 10_000) -> bytes:
    """Send parts over a bare connection with a pause behind each; return what came."""
    host, _, port = served.url.removeprefix("http://").rstrip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # it has heard enough
        found = b""
        try:
            while len(found) < most and (part := connection.recv(4096)):
                found += part
        except OSError:
            pass
    return found


def test_a_file_a_request_and_a_picture_that_are_too_large_are_refused(
    narrow: Served, images: Path
) -> None:
    good = (images / "0.png").read_bytes()
    with narrow.client() as client:
        assert post(client, b"x" * 110_000).status_code == 413
        assert post(client, *[b"x" * 90_000] * 4).status_code == 413
        assert post(client, *[good] * 4).status_code == 413
        from tests.service.test_hostile import bomb

        (found,) = post(client, bomb(4000)).json()["images"]
        assert found["probability"] is None
        assert "pixels" in found["reason"]
        assert post(client, good).json()["images"][0]["probability"] > 0


def test_an_endless_body_ends_with_413(narrow: Served) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    head = POSTED + b"Transfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/json\r\n\r\n"
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    assert talk(narrow, head, *[chunk] * 200).startswith(b"HTTP/1.1 413")


def test_five_gigabytes_that_are_announced_are_refused_unread(narrow: Served) -> None:
    head = POSTED + b"Content-Length: 5000000000\r\n\r\n"
    assert talk(narrow, head).startswith(b"HTTP/1.1 413")


def test_a_slow_body_ends_with_408_and_a_slow_head_with_the_connection(
    narrow: Served,
) -> None:
    head = POSTED + b"Content-Length: 1000\r\n"
    head += b"Content-Type: application/json\r\n\r\n"
    assert talk(narrow, head, *[b"x"] * 4, pause=0.4).startswith(b"HTTP/1.1 408")
    begun = time.monotonic()
    assert talk(narrow, *[b"GET /healthz HTTP/1.1\r\nA: b"] + [b"c"] * 4, pause=0.4) == b""
    assert time.monotonic() - begun < 5


def test_no_head_of_a_request_can_make_it_fail(narrow: Served) -> None:
    for head in (b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 70_000):
        assert not talk(narrow, head, b"\r\n\r\n").startswith(b"HTTP/1.1 5")
    with narrow.client() as client:
        assert client.get("/readyz").status_code == 200
