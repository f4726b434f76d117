"""Read the body of a request into files and fields, within limits.

Nothing is written to disk. File names are not kept, since they may name a patient.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from lentigo.config.serving import ServingConfig
from lentigo.service.json_body import json_object
from lentigo.service.memo import BEFORE_FIELD, LONGEST, MEMO_FIELD
from lentigo.service.problems import (
    ProblemError,
    bad_request,
    no_such_type,
    too_large,
    wrong_field,
)

FILES = "images"
"""Name of the fields that hold files."""
FIELDS = (
    "age", "sex", "site", "patient", "lesion", "prevalence", "operating_point", "model",
    "features", MEMO_FIELD, BEFORE_FIELD,
)  # fmt: skip
"""Names of the other fields of a prediction."""
# It writes a line for each damaged form: any client could fill the log, beside its JSON.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
_LONGEST_FIELD = 2_000
"""Most bytes of a field that is no file."""
_LONGER = {BEFORE_FIELD: LONGEST}
"""By the name of a field, the most bytes of one that may be longer."""
_MOST_FIELDS = 200
_MOST_MARKS = 10_000
"""Most JSON marks (brackets, commas, colons) in a body. Base64 has none; a body of empty
lists would take twenty times its size in memory."""


@dataclass
class Upload:
    """The files of a request, and the values of each of its fields."""

    files: list[bytes] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        """Add a value of the field `name`; "" holds the place of an image without one."""
        self.fields.setdefault(name, []).append(value.strip())

    def without_empty_fields(self) -> Upload:
        """Return the upload without the fields of which no value says anything.

        A form sends a field that was left empty. An empty value among others stays, so that
        no value counts for another image than its own.
        """
        given = {name: values for name, values in self.fields.items() if any(values)}
        return Upload(self.files, given)


async def read_upload(
    content_type: str, stream: AsyncIterator[bytes], limits: ServingConfig
) -> Upload:
    """Read a body of `multipart/form-data` or JSON.

    In JSON, `images` is a list of images in base64; other fields have their own names.

    Raises `ProblemError` for another content type, a damaged body, or one beyond a limit.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        return await _read_form(options.get(b"boundary", b""), stream, limits)
    if kind == b"application/json":
        return _from_json(b"".join([part async for part in stream]), limits)
    raise no_such_type(
        "Send multipart/form-data, with the files as 'images', or application/json."
    )


async def _read_form(
    boundary: bytes, stream: AsyncIterator[bytes], limits: ServingConfig
) -> Upload:
    if not 0 < len(boundary) <= 200:
        raise bad_request("The content type names no boundary between the parts.")
    form = _Form(limits)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for part in stream:
            parser.write(part)
        parser.finalize()
    except FormParserError:
        raise bad_request("The parts of the form cannot be told apart.") from None
    if not form.ended:
        raise bad_request("The form ends before its last part does.")
    return form.upload.without_empty_fields()


class _Form:
    """Collects the parts of a `multipart/form-data` body while it is received."""

    def __init__(self, limits: ServingConfig) -> None:
        self.upload, self.ended = Upload(), False
        self._limits, self._parts = limits, 0
        self._header, self._value = b"", b""
        self._name, self._is_file, self._chosen = "", False, True
        self._content = bytearray()

    def callbacks(self) -> Any:
        """Return the callback functions for the parser."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_FIELDS + self._limits.max_files:
            raise too_large("The form has too many parts.")
        self._name, self._is_file, self._chosen = "", False, True
        self._content = bytearray()
        self._header, self._value = b"", b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header = self._bounded(self._header + data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = self._bounded(self._value + data[start:end])

    def _bounded(self, text: bytes) -> bytes:
        if len(text) > 8_000:
            raise too_large("The head of a part of the form is too long.")
        return text

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            # Some clients name a file in each part, in that of the age as well.
            named = b"filename" in options and self._name not in FIELDS
            self._is_file = named or self._name == FILES
            # A browser names no file, and sends none, where none was chosen.
            self._chosen = options.get(b"filename") != b""
        self._header, self._value = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        most = self._limits.max_file if self._is_file else _most(self._name)
        if len(self._content) + end - start > most:
            raise _file_too_large(self._limits) if self._is_file else _too_long(self._name)
        self._content += data[start:end]

    def _end(self) -> None:
        content = bytes(self._content)
        self._content = bytearray()
        if not self._is_file:
            self.upload.add(self._name, content.decode("utf-8", "replace"))
        elif content or self._chosen:  # an empty file keeps its number, and gets a reason
            _add_file(self.upload, content, self._limits)

    def _all(self) -> None:
        self.ended = True


def _from_json(content: bytes, limits: ServingConfig) -> Upload:
    if sum(map(content.count, (b"[", b"{", b",", b":"))) > _MOST_MARKS:
        raise too_large("The JSON has too many parts.")
    given = json_object(content)
    upload = Upload()
    images = given.pop(FILES, [])
    if not isinstance(images, list):
        raise wrong_field(FILES, "It is a list of images in base64.")
    for number, image in enumerate(images, start=1):
        _add_file(upload, _decoded(image, number), limits)
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            _add_value(upload, name, each)
    return upload.without_empty_fields()


def _decoded(image: Any, number: int) -> bytes:
    try:
        return base64.b64decode(image, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise wrong_field(FILES, f"Image {number} is no base64.") from None


def _add_value(upload: Upload, name: str, value: Any) -> None:
    if value is None:
        value = ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong_field(name, "It is a word or a number, or a list of them.")
    try:
        text = str(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        raise _too_long(name) from None
    if len(text) > _most(name):
        raise _too_long(name)
    if sum(map(len, upload.fields.values())) >= _MOST_FIELDS:
        raise too_large("The request has too many fields.")
    upload.add(name, text)


def _add_file(upload: Upload, content: bytes, limits: ServingConfig) -> None:
    if len(content) > limits.max_file:
        raise _file_too_large(limits)
    if len(upload.files) >= limits.max_files:
        raise too_large(f"At most {limits.max_files} images are taken at once.")
    upload.files.append(content)


def _file_too_large(limits: ServingConfig) -> ProblemError:
    return too_large(f"A file of more than {limits.max_file_mb:g} MB is not taken.")


def _too_long(name: str) -> ProblemError:
    return wrong_field(name, f"It has more than {_most(name):,} letters.")


def _most(name: str) -> int:
    return _LONGER.get(name, _LONGEST_FIELD)
