"""Uploads of somebody who means harm: each gets an answer, and nothing fails."""

from __future__ import annotations

import io
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.service.conftest import Served, serving
from tests.service.test_predictions import post, with_exif, with_name

FINE = {200, 400, 413, 422}


def bomb(side: int) -> bytes:
    """Return a PNG of `side` × `side` black pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compress((b"\0" * (side + 1)) * side, 9)
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return content with bytes changed, cut off, repeated or put in."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 12))):
        place = int(rng.integers(0, max(1, len(data))))
        kind = rng.integers(5)
        if kind == 0:
            data[place : place + 1] = rng.bytes(1)
        elif kind == 1:
            data[place : place + 4] = b"\xff\xff\xff\xff"
        elif kind == 2:
            del data[place : place + int(rng.integers(1, 200))]
        elif kind == 3:
            data[place:place] = rng.bytes(int(rng.integers(1, 200)))
        else:
            data[:] = data[: max(1, place)]
    return bytes(data)


def originals(images: Path) -> list[bytes]:
    picture = Image.open(images / "0.png")
    found = [(images / "0.png").read_bytes(), with_exif(images / "0.png")]
    for kind in ("TIFF", "WEBP", "BMP"):
        stream = io.BytesIO()
        picture.save(stream, kind)
        found.append(stream.getvalue())
    return [*found, with_name(np.asarray(picture))]


def sent(served: Served, images: Path, count: int, seed: int) -> Counter[int]:
    """Send mutated files, and now and then a mutated form; count the status codes."""
    rng, codes = np.random.default_rng(seed), Counter[int]()
    known = originals(images)
    with served.client() as client:
        while count > 0:
            files = [mutated(known[int(rng.integers(len(known)))], rng) for _ in range(8)]
            codes[post(client, *files).status_code] += len(files)
            whole = client.build_request(
                "POST", "/v1/predictions", files=[("images", ("a", files[0]))]
            )
            body = mutated(whole.read(), rng)
            kind = {"content-type": whole.headers["content-type"]}
            answer = client.post("/v1/predictions", content=body, headers=kind)
            codes[answer.status_code] += 1
            count -= len(files) + 1
        assert client.get("/readyz").status_code == 200
        (found,) = post(client, known[0]).json()["images"]
        assert found["probability"] > 0
    return codes


def test_mutated_uploads_all_get_an_answer(served: Served, images: Path) -> None:
    codes = sent(served, images, 160, seed=0)
    assert set(codes) <= FINE, codes
    assert codes[200] > 100


@pytest.mark.slow
def test_five_thousand_mutated_uploads_all_get_an_answer(
    served: Served, images: Path
) -> None:
    codes = sent(served, images, 5_000, seed=1)
    assert set(codes) <= FINE, codes


HOSTILE: list[tuple[bytes, str]] = [
    (b"{", "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"images": [' + b'"AAAA",' * 50_000 + b'"AAAA"]}', "application/json"),
    (b'{"images": ["AAAA"], "age": 1' + b"0" * 5_000 + b"}", "application/json"),
    (b'{"images": ["AAAA"], "age": NaN}', "application/json"),
    (b'{"images": ["AAAA"], "lesion": {"a": 1}}', "application/json"),
    (b'{"images": "AAAA"}', "application/json"),
    (b'{"images": ["AAAA"], "sex": "\\ud800"}', "application/json"),
    (b'{"images": ["AAAA"], "lesion": "\\ud800"}', "application/json"),
    (b"\xff\xfe", "application/json; charset=utf-16"),
    (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"--x--", "multipart/form-data; boundary=x"),
    (b"x" * 5_000, "multipart/form-data"),
    (b"x", "multipart/form-data; boundary=" + "b" * 5_000),
    (
        b"--x\r\nContent-Disposition: form-data; name=age" + b"a" * 9_000 + b"\r\n\r\n1",
        "multipart/form-data; boundary=x",
    ),
    (
        b'--x\r\nContent-Disposition: form-data; name="images"; filename="../../etc/passwd'
        b'%00=cmd()"\r\n\r\nno image\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    (
        b'--x\r\nContent-Disposition: form-data; name="age"\r\n\r\n1\r\n' * 400 + b"--x--",
        "multipart/form-data; boundary=x",
    ),
    (b"", "text/plain"),
]


@pytest.mark.parametrize("case", range(len(HOSTILE)))
@pytest.mark.parametrize("address", ["/v1/predictions", "/"])
def test_a_body_of_any_kind_gets_an_answer(served: Served, case: int, address: str) -> None:
    body, kind = HOSTILE[case]
    with served.client() as client:
        answer = client.post(address, content=body, headers={"content-type": kind})
    assert answer.status_code in FINE | {415}, answer.text


def test_addresses_lead_nowhere_else(served: Served) -> None:
    with served.client() as client:
        for path in (
            "/static/../routes.py", "/static/%2e%2e%2froutes.py", "/static/..\\routes.py",
            "/static/", "/static/%00", "/model?model=../../etc/passwd", "/model/report",
            "/?lang=../../en", "/docs", "/redoc",
        ):  # fmt: skip
            answer = client.get(path)
            assert answer.status_code in {200, 404, 422}, path
            assert "root:" not in answer.text
            assert "APIRouter" not in answer.text


def test_every_answer_forbids_scripts_that_are_not_its_own(served: Served) -> None:
    with served.client() as client:
        for path in ("/", "/worklist", "/model", "/v1/models", "/nothing"):
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "<script>" not in answer.text
            assert " onclick=" not in answer.text
            assert " style=" not in answer.text


NO_NETWORK = """
import socket, sys
_connect = socket.socket.connect
def connect(self, address):
    if self.family != getattr(socket, "AF_UNIX", None):
        print("CONNECTED", address, file=sys.stderr, flush=True)
        raise OSError("no connection is allowed here")
    return _connect(self, address)
socket.socket.connect = socket.socket.connect_ex = connect
def lookup(host, *rest, **more):
    if host not in ("127.0.0.1", "::1", None):
        print("LOOKED UP", host, file=sys.stderr, flush=True)
        raise OSError("no name is looked up here")
    return _lookup(host, *rest, **more)
_lookup, socket.getaddrinfo = socket.getaddrinfo, lookup
"""


@pytest.fixture
def cut_off(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """A service whose sockets refuse to connect anywhere."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "usercustomize.py").write_text(NO_NETWORK)
    (tmp_path / "hook" / "sitecustomize.py").write_text(NO_NETWORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    with serving(tmp_path / "run", model) as one:
        yield one


def test_the_service_connects_to_nothing(cut_off: Served, images: Path) -> None:
    with cut_off.client() as client:
        found: Any = post(client, *originals(images)).json()
        assert all(each["probability"] for each in found["images"])
        for path in ("/", "/model", "/worklist", "/v1/models", "/openapi.json"):
            assert client.get(path).status_code == 200
    said = cut_off.log.read_text(encoding="utf-8")
    assert "CONNECTED" not in said
    assert "LOOKED UP" not in said
