"""Rank each patient's lesions by oddness, from features that the client sends back.

The service gave these features with predictions. So it keeps nothing of a patient between
two requests.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.inference.oddness import FEWEST, oddness
from lentigo.service.asked import is_id
from lentigo.service.examples import DUCKLINGS_REQUEST
from lentigo.service.json_body import json_object
from lentigo.service.problems import ProblemError, too_large, wrong_field
from lentigo.service.schema import Ducklings, OddLesion
from lentigo.words import counted

_MOST = 5_000
"""Most images in a request."""
MOST_BYTES = 20_000_000
"""Most bytes of a request: 3,600 images with 2,048 features. They are compared in the main
process, which answers all other requests, too."""
_LONGEST = 16_384
"""Most features of an image."""
_FIELDS = ("patient", "lesion", "features")
_LIST = {"type": "array", "minItems": 1, "maxItems": _MOST}
_NAME = {"type": "string", "minLength": 1, "maxLength": 64}

DUCKLINGS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "examples": DUCKLINGS_REQUEST,
                "schema": {
                    "type": "object",
                    "required": [*_FIELDS],
                    "additionalProperties": False,
                    "properties": {
                        "patient": {**_LIST, "items": _NAME},
                        "lesion": {**_LIST, "items": _NAME},
                        "features": {
                            **_LIST,
                            "items": {"type": "string", "contentEncoding": "base64"},
                            "description": "As /v1/predictions gives them, of one model.",
                        },
                    },
                },
            }
        },
    }
}
"""OpenAPI description of a request: three lists with one entry for each image."""


def ducklings(body: bytes) -> Ducklings:
    """Answer a JSON request; features of a lesion's images are averaged.

    Raises `ProblemError` if `body` is too large, is no JSON object, or has a wrong field.
    """
    patients, lesions, features = _read(body)
    known: dict[tuple[str, str], list[int]] = {}
    for place, key in enumerate(zip(patients, lesions, strict=True)):
        known.setdefault(key, []).append(place)
    people = {each: n for n, each in enumerate(dict.fromkeys(patients))}
    of = np.array([people[patient] for patient, _ in known], np.intp)
    means = np.stack([features[own].mean(axis=0, dtype=float) for own in known.values()])
    away = oddness(means, of)
    return Ducklings(
        lesions=[
            _lesion(key, float(own), away[of == person])
            for key, own, person in zip(known, away, of, strict=True)
        ]
    )


def _lesion(key: tuple[str, str], own: float, all_own: NDArray[np.float64]) -> OddLesion:
    odd = len(all_own) >= FEWEST
    return OddLesion(
        patient=key[0],
        lesion=key[1],
        oddness=round(own, 3) if odd else None,
        rank=1 + int((all_own > own).sum()) if odd else None,
        lesions=len(all_own),
    )


def _read(body: bytes) -> tuple[list[str], list[str], NDArray[np.float32]]:
    if len(body) > MOST_BYTES:
        raise too_long()
    if sum(map(body.count, (b"[", b"{", b",", b":"))) > 4 * _MOST:
        raise too_large(f"At most {counted(_MOST, 'image')} can be compared at once.")
    given = json_object(body)
    for name in given:
        if name not in _FIELDS:
            raise wrong_field(str(name), f"There is no such field: {', '.join(_FIELDS)}.")
    patients, lesions = (_names(given, name) for name in _FIELDS[:2])
    rows = _listed(given, "features")
    if not len(patients) == len(lesions) == len(rows):
        raise wrong_field("features", "Each list has one entry an image.")
    return patients, lesions, _all_rows(rows)


def _all_rows(rows: list[Any]) -> NDArray[np.float32]:
    """Return the features of N images, (N, F), without a second copy of them all."""
    found = np.empty((len(rows), len(_row(rows[0], 1))), np.float32)
    for place, value in enumerate(rows):
        row = _row(value, place + 1)
        if len(row) != found.shape[1]:
            raise wrong_field("features", "They are of several models; compare within one.")
        found[place] = row
    return found


def too_long() -> ProblemError:
    """Return the problem (413) of a request of more than `MOST_BYTES`."""
    return too_large(f"A comparison takes at most {MOST_BYTES // 1_000_000} MB.")


def _listed(given: dict[str, Any], name: str) -> list[Any]:
    found = given.get(name)
    if not isinstance(found, list) or not 0 < len(found) <= _MOST:
        raise wrong_field(name, f"It is a list of 1 to {_MOST:,} entries, one an image.")
    return found


def _names(given: dict[str, Any], name: str) -> list[str]:
    found = _listed(given, name)
    if not all(isinstance(each, str) and is_id(each) for each in found):
        raise wrong_field(name, "Each entry has 1 to 64 letters, all of them visible.")
    return found


def _row(value: Any, number: int) -> NDArray[np.float32]:
    try:
        content = base64.b64decode(value, validate=True)
        found = np.frombuffer(content, "<f2").astype(np.float32)
    except (TypeError, ValueError, binascii.Error):
        found = np.empty(0, np.float32)
    if not 0 < len(found) <= _LONGEST or not np.isfinite(found).all():
        raise wrong_field("features", f"Entry {number} is no features of an image.")
    return found
