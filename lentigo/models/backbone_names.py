"""Refuse a backbone that timm cannot have, without loading timm.

To load timm takes seconds, as it loads torch: too long to tell of a typing error.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from lentigo.config import Config
from lentigo.errors import unknown_name

_REGISTERED = re.compile(r"^@register_model\s+(?:@\S.*\s+)*def (\w+)\(", re.MULTILINE)


def check_backbones(config: Config) -> None:
    """Raise `UnknownNameError` for a backbone of any member that timm cannot have.

    Its name (without a tag such as `.in1k`) then stands nowhere in the code of timm's
    models, neither as a function nor, as former names do, in quotation marks. A name that
    does stand there may still be none of a model: `build_model` tells. Without timm
    nothing is checked.
    """
    code = _code()
    for each in config.of_members():
        name = each.model.backbone.partition(".")[0]
        if code and not re.search(
            rf"def {re.escape(name)}\(|(['\"]){re.escape(name)}\1", code
        ):
            raise unknown_name("backbone", each.model.backbone, _REGISTERED.findall(code))


@cache
def _code() -> str:
    """Return the code of all models of timm; empty if it is not there to be read."""
    found = PathFinder.find_spec("timm")
    places = (found.submodule_search_locations if found else None) or []
    files = [file for place in places for file in Path(place, "models").glob("*.py")]
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
