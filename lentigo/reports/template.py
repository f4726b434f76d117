"""Fill the HTML templates of the reports; every value is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lentigo.figures.style import MELANOMA, OTHER_LESION
from lentigo.reports.numbers import with_minus
from lentigo.visible import shortened, visible_lines

_LONGEST_CELL = 5_000
"""Most characters of a value; only pictures (`data:` addresses) may be longer."""


def fill(name: str, **values: Any) -> str:
    """Return the template `name`, filled with `values`, as HTML.

    Every value is escaped for HTML, since names in archives are not trusted, and cut at
    5,000 characters. Characters that are invisible, or change the direction of the text,
    are shown as escapes such as \\u202e. Negative numbers have a minus sign.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    colours = {"other": OTHER_LESION, "melanoma": MELANOMA}
    return environment.get_template(name).render(colours=colours, **values)


def _shown(value: Any) -> Any:
    # The results of macros are HTML already, and end here a second time.
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if value.startswith("data:image/"):
        return value
    return with_minus(visible_lines(shortened(value, at_most=_LONGEST_CELL)))
