"""The languages of the page: one catalogue of texts each, all with the same keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {
    "en": "English", "de": "Deutsch", "es": "Español", "zh": "中文",
}  # fmt: skip
"""By language code, the language's own name for itself."""
DEFAULT = "en"
_MARKS: Mapping[str, tuple[str, str]] = {
    "en": (".", ","), "de": (",", "."), "es": (",", "."), "zh": (".", ","),
}  # fmt: skip
"""By language code, the decimal mark and the thousands separator."""
_FOLDER = Path(__file__).parent / "texts"


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return the catalogue of a language: by key, its text."""
    path = _FOLDER / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def number_text(text: str, language: str) -> str:
    """Return numbers formatted by Python, as "1,000.5", with the marks of `language`."""
    decimal, thousands = _MARKS[language]
    return text.translate({ord("."): decimal, ord(","): thousands})


def choose(asked: str, accepted: str) -> str:
    """Return the code of a page's language.

    `asked` is the language in the URL, `accepted` the browser's header `Accept-Language`.
    Languages without a catalogue are ignored; if none is left, it is English.
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
