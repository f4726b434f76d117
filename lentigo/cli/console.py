"""Output on any console: characters its encoding lacks are replaced, never an error."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "‘": "'", "’": "'", "“": '"',
    "”": '"', "…": "...", "×": "x", "·": "-", "→": "->", "≥": ">=", "≤": "<=",
    "±": "+/-", "²": "2", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
}  # fmt: skip
"""Replacements for the special characters in lentigo's own sentences."""


def fit_console() -> None:
    """Let standard output and standard error replace characters their encoding lacks.

    A console of Windows with a Japanese (cp932) or an American code page (cp437) has no en
    dash; without the replacement a command would end in a traceback after all its work.
    """
    for stream in (sys.stdout, sys.stderr):
        _set_errors(stream, "lentigo-plain")


def fit_json() -> None:
    r"""Let standard output write characters its encoding lacks as in JSON (`\u2013`)."""
    _set_errors(sys.stdout, "lentigo-json")


def _set_errors(stream: object, errors: str) -> None:
    # In a notebook or a test, standard output may be another kind of stream.
    if not isinstance(stream, io.TextIOWrapper):
        return
    try:
        is_ascii = codecs.lookup(stream.encoding).name == "ascii"
    except LookupError:
        return
    if is_ascii:
        # Typer takes plain ASCII for a mistake and writes UTF-8 instead.
        stream.reconfigure(encoding="lentigo-ascii", errors=errors)
    else:
        stream.reconfigure(errors=errors)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Return replacements for characters that cannot be encoded: plain forms or escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _escaped(sign) for sign in lost), error.end


def _as_json(error: UnicodeError) -> tuple[str, int]:
    """Return JSON escapes for characters that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_escaped(sign) for sign in lost), error.end


def _escaped(sign: str) -> str:
    # JSON writes a sign beyond the first 65,536 as two halves of UTF-16.
    halves = sign.encode("utf-16-be", "surrogatepass")
    return "".join(
        f"\\u{halves[place : place + 2].hex()}" for place in range(0, len(halves), 2)
    )


def _ascii(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != "lentigo-ascii":
        return None
    plain = codecs.lookup("ascii")
    return codecs.CodecInfo(
        plain.encode,
        plain.decode,
        incrementalencoder=plain.incrementalencoder,
        incrementaldecoder=plain.incrementaldecoder,
        name="lentigo-ascii",
    )


codecs.register(_ascii)
codecs.register_error("lentigo-plain", _plainly)
codecs.register_error("lentigo-json", _as_json)
