"""The gate by itself: odd heads, and bodies that together are too much."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from lentigo.config.serving import ServingConfig
from lentigo.service.gate import Gate, Message, Receive, Scope, Send
from lentigo.service.telemetry import Telemetry


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a body to its end, and say so."""
    while (await receive()).get("more_body"):
        await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def gate(**settings: Any) -> Gate:
    return Gate(reading, ServingConfig(**settings), Telemetry(io.StringIO()), None)


async def status_of(
    one: Gate, headers: dict[str, str], parts: Sequence[bytes] = (b"",)
) -> int:
    """Return the status of the answer to a request with a body in parts."""
    said: list[Message] = []
    left = [
        {"type": "http.request", "body": part, "more_body": nth < len(parts)}
        for nth, part in enumerate(parts, start=1)
    ]

    async def receive() -> Message:
        await asyncio.sleep(0)
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    headers = {"host": "127.0.0.1:8000", **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw}
    await one(scope, receive, send)
    return int(said[0]["status"])


@pytest.mark.parametrize(
    "origin", ["http://[", "null", "http://x@[::1", "", "http://other"]
)
def test_a_page_of_another_site_is_refused_however_it_is_called(origin: str) -> None:
    headers = {"host": "localhost:8000", "origin": origin}
    assert asyncio.run(status_of(gate(), headers)) == 403
    same = {"host": "localhost:8000", "origin": "http://localhost:8000"}
    assert asyncio.run(status_of(gate(), same)) == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200), ("LOCALHOST", 200), ("[::1]:8000", 200),
        ("clinic.example", 200), ("evil.example:8000", 421), ("", 421), ("[", 421),
        ("127.0.0.1.evil.example", 421),
    ],
)  # fmt: skip
def test_without_keys_only_our_own_names_are_answered(host: str, status: int) -> None:
    """Else a page of the web whose name leads here could read the answers."""
    one = gate(names=["clinic.example"])
    assert asyncio.run(status_of(one, {"host": host})) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": "5", "transfer-encoding": "chunked"}, 400),
        ({"transfer-encoding": "chunked"}, 200),
        ({"content-encoding": "gzip"}, 415), ({"content-encoding": "Identity"}, 200),
    ],
)  # fmt: skip
def test_a_body_with_two_ends_or_packed_is_refused(
    headers: dict[str, str], status: int
) -> None:
    assert asyncio.run(status_of(gate(), headers)) == status


def test_bodies_that_all_began_with_room_do_not_pass_the_limit_together() -> None:
    async def many(length: dict[str, str]) -> list[int]:
        one = gate(max_uploads_mb=0.1, max_body_mb=0.1)
        parts = [b"x" * 10_000] * 5  # 50 kB each, 500 kB together
        return await asyncio.gather(*(status_of(one, length, parts) for _ in range(10)))

    for length in ({}, {"content-length": "50000"}):
        found = asyncio.run(many(length))
        assert set(found) == {200, 503}
        assert asyncio.run(status_of(gate(max_uploads_mb=0.1), length, [b"x"] * 3)) == 200


def test_json_of_nothing_but_brackets_is_refused_before_it_takes_memory() -> None:
    from lentigo.service.problems import ProblemError
    from lentigo.service.upload import read_upload

    async def body() -> Any:
        yield json.dumps({"images": [[]] * 20_000}).encode()

    with pytest.raises(ProblemError, match="too many parts") as found:
        asyncio.run(read_upload("application/json", body(), ServingConfig()))
    assert found.value.status == 413
