"""Fill the HTML templates of the page; every value is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lentigo.imaging.doubtful import DOUBTFUL
from lentigo.service.page.frequency import tenths
from lentigo.service.page.language import (
    CARD,
    DEFAULT,
    LANGUAGES,
    aim_text,
    choose,
    number_text,
    texts,
)
from lentigo.version import __version__
from lentigo.visible import shortened, visible_lines

_LONGEST = 5_000
"""Most characters of a value; only pictures (`data:` addresses) may be longer."""
_FEW = 5
"""Most names in a sentence."""
_READER = (
    "about", "about_one", "at_prevalence", "busy", "choose_first", "choose_help", "fewer",
    "more", "percent", "picture", "problem", "problem_busy",
)  # fmt: skip
"""Keys of the texts that `static/reader.js` uses."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def language_of(request: Request) -> str:
    """Return the language of the page that a request is for."""
    asked = request.query_params.get("lang", "")
    return choose(asked, request.headers.get("accept-language", ""))


def page(
    request: Request, name: str, *, status: int = 200, in_all: bool = False, **values: Any
) -> HTMLResponse:
    """Return the template `name`, filled with `values`, in the language of the request.

    With `in_all` the page also holds itself in all other languages, without pictures, in
    elements `template` from which a script can exchange it: what a reader has chosen, and
    the answer to it, are kept nowhere else.
    """
    language = language_of(request)
    values |= {
        "path": request.url.path if request.method == "GET" else "/",
        "asked_model": request.query_params.get("model", ""),
    }
    others = [code for code in LANGUAGES if in_all and code != language]
    inside = Markup("").join(
        Markup(_filled(name, code, others=None, **values)) for code in others
    )
    content = _filled(name, language, others=inside, **values)
    return HTMLResponse(content, status_code=status, headers={"content-language": language})


def _filled(name: str, language: str, *, others: Markup | None, **values: Any) -> str:
    """Return the template `name` filled with `values`, in `language`.

    `others` is the same in all other languages, to be put inside. With None it is itself
    an element to be put inside, without pictures.
    """
    known = texts(language)
    return (
        _environment()
        .get_template(f"{name}.html.j2")
        .render(
            t=_Texts(known),
            n=partial(number_text, language=language),
            aim=partial(aim_text, language=language),
            doubtful=DOUBTFUL,
            diagnosis=partial(_diagnosis, known),
            texts={key: known[key] for key in _texts_of_scripts(name)},
            language=language,
            languages=LANGUAGES,
            version=__version__,
            others=others,
            few=_few,
            tenths=tenths,
            src=_Pictures(with_pixels=others is not None),
            **values,
        )
    )


@cache
def _texts_of_scripts(name: str) -> tuple[str, ...]:
    """Return the keys of the texts that the scripts of a page use."""
    if name in {"reader", "result"}:
        return _READER
    return tuple(key for key in texts(DEFAULT) if not key.startswith(CARD))


class _Pictures:
    """Gives each picture of a page a number, the same in all languages."""

    def __init__(self, *, with_pixels: bool) -> None:
        self._count, self._with_pixels = 0, with_pixels

    def __call__(self, address: str) -> Markup:
        """Return the attributes of an element `img` for a `data:` address."""
        self._count += 1
        numbered = Markup('data-picture="{}"').format(self._count)
        if not self._with_pixels:
            return numbered
        return numbered + Markup(' src="{}"').format(address)


class _Texts:
    """A catalogue of texts that templates call as a function: `t("key", n=3)`."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def __call__(self, key: str, **values: Any) -> Markup:
        """Return the text `key` with `values` in place of {name}, escaped for HTML."""
        text = str(escape(self._known[key]))
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(escape(_shown(str(value)))))
        return Markup(text)


def _few(names: Sequence[str]) -> str:
    """Return the first names of a list that a file may have made long."""
    return ", ".join([*names[:_FEW], *["…"] * (len(names) > _FEW)])


def _diagnosis(known: Mapping[str, str], name: str) -> str | Markup:
    """Return a diagnosis in the page's language; without a text, marked as English.

    `known` has the texts of that language by their keys.
    """
    words = name.replace("_", " ")
    if not words:
        return ""
    if said := known.get(f"diagnosis_{words}"):
        return said
    return Markup('<span lang="en">{}</span>').format(_shown(words))


def _shown(value: Any) -> Any:
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if value.startswith("data:image/"):
        return value
    return visible_lines(shortened(value, at_most=_LONGEST))
