"""The languages of the page: one catalogue each, all with the same texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {
    "en": "English", "de": "Deutsch", "es": "Español", "zh": "中文",
}  # fmt: skip
"""Each language by its code, named in itself."""
DEFAULT = "en"
_MARKS: Mapping[str, tuple[str, str]] = {
    "en": (".", ","), "de": (",", "."), "es": (",", "."), "zh": (".", ","),
}  # fmt: skip
"""Of each language the mark before decimals, and that between thousands."""
_FOLDER = Path(__file__).parent / "texts"


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return the catalogue of a language: each text by its key."""
    path = _FOLDER / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def number_text(text: str, language: str) -> str:
    """Return numbers that Python has written, "1,000.5", as a language writes them."""
    decimal, thousands = _MARKS[language]
    return text.translate({ord("."): decimal, ord(","): thousands})


def choose(asked: str, accepted: str) -> str:
    """Return the language of a page.

    `asked` is the one that the address names, `accepted` what the browser prefers
    (`Accept-Language`); unknown ones are passed over.
    """
    if asked in LANGUAGES:
        return asked
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, rest = part.strip().partition(";")
        code = tag.strip().lower().partition("-")[0]
        if code in LANGUAGES and (weight := _weight(rest)) > 0:
            weighed.append((-weight, place, code))
    return min(weighed)[2] if weighed else DEFAULT


def _weight(rest: str) -> float:
    name, _, value = rest.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
