"""The languages of the page: one catalogue of texts each, all with the same keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lentigo.models.card_words import ENGLISH
from lentigo.models.operating_point import OperatingPoint
from lentigo.service.accepted import weighed

LANGUAGES: Mapping[str, str] = {
    "en": "English", "de": "Deutsch", "es": "Español", "zh": "中文",
}  # fmt: skip
"""By language code, the language's own name for itself."""
DEFAULT = "en"
CARD = "card_"
"""Begin of the keys of the sentences of a model card."""
_MARKS: Mapping[str, tuple[str, str]] = {
    "en": (".", ","), "de": (",", "."), "es": (",", "."), "zh": (".", ","),
}  # fmt: skip
"""By language code, the decimal mark and the thousands separator."""
_HELD = "\N{NO-BREAK SPACE}"
_FOLDER = Path(__file__).parent / "texts"


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return the catalogue of a language: by key, its text, no "%" torn from its number.

    The sentences of the model card have keys that begin with `card_`; those in English are
    the ones of the model folder.
    """
    path = _FOLDER / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    if language == DEFAULT:
        found |= {f"{CARD}{key}": text for key, text in ENGLISH.items()}
    return {key: text.replace(" %", f"{_HELD}%") for key, text in found.items()}


def number_text(text: str, language: str) -> str:
    """Return numbers formatted by Python, as "1,000.5", with the marks of `language`."""
    decimal, thousands = _MARKS[language]
    return text.translate({ord("."): decimal, ord(","): thousands})


def aim_text(point: OperatingPoint, language: str) -> str:
    """Return the aim of an operating point, as `OperatingPoint.aim`, in `language`."""
    numbers = {
        "p": 100 * (point.sensitivity or 0),
        "c": 100 * (point.confidence or 0),
        "miss": point.cost_miss or 0,
        "excision": point.cost_excision or 0,
    }
    of_another = "_of_folds" * point.of_the_folds or "_of_exact" * point.of_the_exact
    known = texts(language)
    text = known.get(f"aim_{point.kind}{of_another}", known[f"aim_{point.kind}"])
    if point.kind == "guaranteed_sensitivity" and not of_another:
        text += known["aim_told_or_not"] * point.without_metadata
    for name, each in numbers.items():
        text = text.replace(f"{{{name}}}", number_text(f"{each:g}", language))
    return text


def choose(asked: str, accepted: str) -> str:
    """Return the code of a page's language.

    `asked` is the language in the URL, `accepted` the browser's header `Accept-Language`.
    Languages without a catalogue are ignored; if none is left, it is English.
    """
    if asked in LANGUAGES:
        return asked
    best: list[tuple[float, int, str]] = []
    for place, (tag, weight) in enumerate(weighed(accepted).items()):
        code = tag.partition("-")[0]
        if code in LANGUAGES and weight > 0:
            best.append((-weight, place, code))
    return min(best)[2] if best else DEFAULT
