"""Text encoding: recognise it by the bytes of a file, and convert to UTF-8."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from lentigo.errors import DatasetError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman"}
_SAVE = "save it as CSV UTF-8."
_PICTURES = b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF"
"""First bytes of the usual image files."""


def as_utf8(data: bytes, path: Path | str) -> tuple[bytes, str]:
    """Return `data` in UTF-8, and a sentence on its encoding if that was guessed (else "").

    UTF-8, UTF-16 and UTF-32 (with a byte order mark; UTF-8 and UTF-16 also without) and the
    single-byte encodings Windows-1252 and Mac Roman are read; the last two are
    distinguished by the letters within words.

    Raises `DatasetError` for other alphabets, which cannot be guessed, and for broken text.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _unmarked(data)
    if encoding is not None:
        try:
            return data.decode(encoding).encode(), ""
        except (UnicodeDecodeError, UnicodeEncodeError) as error:
            raise DatasetError(
                f"{path} begins as {encoding.upper().removesuffix('-SIG')} but is not "
                f"written so (byte {error.start:,}); {_SAVE}"
            ) from error
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _of_single_bytes(data, path, error.start)
    if b"\0" in data:
        raise DatasetError(
            f"{path} holds zero bytes (byte {data.index(0):,}), which no text has; {_SAVE}"
        )
    return data, ""


def _unmarked(data: bytes) -> str | None:
    """Return the variant of UTF-16 of a text without a byte order mark, or None.

    In a text of Latin letters every second byte is zero.
    """
    head = data[:4096]
    pairs = len(head) // 2
    if pairs < 2:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > 0.6 * pairs and not even:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * pairs and not odd else None


def _of_single_bytes(data: bytes, path: Path | str, first: int) -> tuple[bytes, str]:
    if b"\0" in data:
        if data.startswith(_PICTURES):
            raise DatasetError(
                f"{path} is an image, no table: predict it with 'lentigo predict MODEL "
                f"{path}', or give the folder of the images to learn from."
            )
        raise DatasetError(f"{path} is no text (byte {data.index(0):,}); {_SAVE}")
    # In Western words non-ASCII letters are single, in other languages in runs.
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data[: 2**22])]
    if not runs or sum(run for run in runs if run > 2) * 3 > sum(runs):
        raise DatasetError(
            f"{path} is not written in UTF-8 (byte {first:,}), and its letters are not "
            f"those of Western Europe, so they cannot be guessed; {_SAVE}"
        )
    encoding = "mac_roman" if _is_of_mac(data[: 2**22]) else "cp1252"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not written in UTF-8 (byte {first:,}), nor in Windows-1252 (byte "
            f"{error.start:,}); {_SAVE}"
        ) from error
    line = data.count(b"\n", 0, first) + 1
    return text.encode(), (
        f"{path} is not written in UTF-8 (line {line:,}) and was read as "
        f"{_NAMES[encoding]}; if letters look wrong, {_SAVE}"
    )


def _is_of_mac(data: bytes) -> bool:
    """Tell whether more bytes within words are letters in Mac Roman than in Windows."""
    # Only within words: Windows has quotation marks and dashes at these bytes.
    mac = len(
        re.findall(rb"(?<=[A-Za-z])[\x80-\x8a\x8c-\x90\x95-\x9d\x9f](?=[A-Za-z])", data)
    )
    windows = len(re.findall(rb"(?<=[A-Za-z])[\xc0-\xff](?=[A-Za-z])", data))
    return mac > windows
