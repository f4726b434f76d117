"""Read a JSON object from the body of a request."""

from __future__ import annotations

import json
from typing import Any

from lentigo.service.problems import bad_request, wrong_field


def json_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object in a body.

    Raises `ProblemError`: 400 for what is no JSON object, 422 for one that has a name
    twice, of which one value would be left out in silence.
    """
    try:
        given = json.loads(content, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise bad_request("The body is no JSON.") from None
    if not isinstance(given, dict):
        raise bad_request("The body is no JSON object.")
    return given


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise wrong_field(name, "It was given more than once.")
        found[name] = value
    return found
