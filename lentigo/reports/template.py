"""The templates of the pages, all escaped alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lentigo.figures.style import MELANOMA, OTHER_LESION
from lentigo.visible import shortened, visible_lines

_LONGEST_CELL = 5_000
"""Letters; addresses of pictures (`data:`) are longer."""


def fill(name: str, **values: Any) -> str:
    """The page `name` as HTML, in the colours of the figures.

    Every value is escaped: names in archives are not to be trusted. Letters that are not
    seen, or turn the order of the others round, are written out.
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
    return visible_lines(shortened(value, at_most=_LONGEST_CELL))
