"""The templates of the pages, all escaped alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lentigo.figures.style import BENIGN, MELANOMA


def fill(name: str, **values: Any) -> str:
    """The page `name` as HTML, in the colours of the figures.

    Every value is escaped: names in archives are not to be trusted.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    colours = {"benign": BENIGN, "melanoma": MELANOMA}
    return environment.get_template(name).render(colours=colours, **values)
