"""Fill the HTML templates of the page; every value is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lentigo.models.operating_point import OperatingPoint
from lentigo.service.page.language import LANGUAGES, choose, number_text, texts
from lentigo.version import __version__
from lentigo.visible import shortened, visible_lines

_LONGEST = 5_000
"""Most characters of a value; only pictures (`data:` addresses) may be longer."""


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


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return the template `name`, filled with `values`, in the language of the request."""
    language = language_of(request)
    known = texts(language)
    t = _Texts(known)
    content = (
        _environment()
        .get_template(f"{name}.html.j2")
        .render(
            t=t,
            n=partial(number_text, language=language),
            aim=partial(_aim, t, language),
            diagnosis=partial(_diagnosis, known),
            texts=dict(known),
            language=language,
            languages=LANGUAGES,
            path=request.url.path if request.method == "GET" else "/",
            asked_model=request.query_params.get("model", ""),
            version=__version__,
            **values,
        )
    )
    return HTMLResponse(content, status_code=status, headers={"content-language": language})


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


def _aim(t: _Texts, language: str, point: OperatingPoint) -> Markup:
    """Return the aim of an operating point, as `OperatingPoint.aim`, in `language`."""
    numbers = {
        "p": 100 * (point.sensitivity or 0),
        "c": 100 * (point.confidence or 0),
        "miss": point.cost_miss or 0,
        "excision": point.cost_excision or 0,
    }
    values = {name: number_text(f"{each:g}", language) for name, each in numbers.items()}
    return t(f"aim_{point.kind}", **values)


def _diagnosis(known: Mapping[str, str], name: str) -> str | Markup:
    """Return a diagnosis in the page's language; without a text, marked as English."""
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
