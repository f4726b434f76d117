"""What a console without some letters shows in their place."""

from __future__ import annotations

import io
import json

import pytest

from lentigo.cli.console import _as_json, _plainly, _set_errors


def encoded(text: str, errors: str, encoding: str = "cp437") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    _set_errors(stream, errors)
    stream.write(text)
    stream.flush()
    stream.seek(0)
    return stream.buffer.read().decode(encoding)


def test_a_dash_that_the_code_page_lacks_becomes_a_hyphen() -> None:
    assert encoded("0.8–0.9", "lentigo-plain") == "0.8-0.9"
    assert encoded("0.8–0.9", "lentigo-plain", "ascii") == "0.8-0.9"
    assert encoded("0.8–0.9", "lentigo-plain", "utf-8") == "0.8–0.9"


@pytest.mark.parametrize("text", ["–", "漢", "😀", "a–😀b"])
def test_json_stays_the_same_json(text: str) -> None:
    told = encoded(f'"{text}"', "lentigo-json", "ascii")
    assert told.isascii()
    assert json.loads(told) == text


def test_a_stream_that_is_no_text_or_of_no_known_encoding_is_left() -> None:
    _set_errors(io.StringIO(), "lentigo-plain")
    odd = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    _set_errors(odd, "lentigo-plain")
    assert odd.errors == "lentigo-plain"


@pytest.mark.parametrize("handler", [_plainly, _as_json])
def test_bytes_that_cannot_be_decoded_stay_an_error(handler: object) -> None:
    error = UnicodeDecodeError("ascii", b"\xff", 0, 1, "no such byte")
    with pytest.raises(UnicodeDecodeError):
        handler(error)  # type: ignore[operator]
