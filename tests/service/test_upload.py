"""What a request holds: files within the limits, fields and their values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from lentigo.config.serving import ServingConfig
from lentigo.service.duckling import ducklings
from lentigo.service.problems import ProblemError
from lentigo.service.upload import Upload, _add_file, _from_json, read_upload


def test_an_image_of_just_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    limits = ServingConfig(max_file_mb=0.001)
    upload = Upload()
    _add_file(upload, bytes(limits.max_file), limits)
    assert [len(each) for each in upload.files] == [limits.max_file]
    with pytest.raises(ProblemError) as refused:
        _add_file(upload, bytes(limits.max_file + 1), limits)
    assert refused.value.status == 413


@pytest.mark.parametrize("content", [b"[]", b'"images"', b"3", b"null"])
def test_json_that_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(ProblemError, match="no JSON object") as refused:
        _from_json(content, ServingConfig())
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "content", [b'{"images": [], "age": 5, "age": 7}', b'{"a": {"age": 1, "age": 1}}']
)
def test_a_name_twice_in_json_is_refused_as_in_a_form(content: bytes) -> None:
    # The first was left out in silence.
    for read in (lambda: _from_json(content, ServingConfig()), lambda: ducklings(content)):
        with pytest.raises(ProblemError) as caught:
            read()
        assert (caught.value.status, caught.value.more) == (422, {"field": "age"})


def test_a_field_that_names_a_file_stays_a_field() -> None:
    # Some clients name a file in each part: the age became an unreadable image.
    parts = {"images": b"pixels", "age": b"55", "file": b"more"}
    body = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"'
        "\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in parts.items()
    )

    async def stream() -> AsyncIterator[bytes]:
        yield body + b"--x--"

    kind = "multipart/form-data; boundary=x"
    found = asyncio.run(read_upload(kind, stream(), ServingConfig()))
    assert (found.files, found.fields) == ([b"pixels", b"more"], {"age": ["55"]})


def test_a_damaged_form_is_refused_and_writes_nothing_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"--y\r\n"

    kind = "multipart/form-data; boundary=x"
    with pytest.raises(ProblemError, match="cannot be told apart"):
        asyncio.run(read_upload(kind, stream(), ServingConfig()))
    assert caplog.records == []


def test_images_that_are_no_list_are_refused() -> None:
    with pytest.raises(ProblemError, match="list of images in base64"):
        _from_json(b'{"images": "AAAA"}', ServingConfig())
