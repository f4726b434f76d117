"""What the answers in the folder of a watch tell: by which model they are, and how made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lentigo.errors import LentigoError
from lentigo.inference.decide import Decision
from lentigo.inference.fhir import settings_of
from lentigo.json_files import read_json_object

_LONGEST = 10_000_000
"""Most bytes of an answer; ours have some thousand."""


def version_of(models: Sequence[str]) -> str:
    """Return the digests of all networks' folders: one of a run is another model."""
    return " ".join(models)


def as_settings(decision: Decision) -> dict[str, Any]:
    """Return what of a decision sets the answer to an image."""
    point = decision.point
    asked = decision.asked_for
    return {
        "prevalence": decision.meant_for if asked is None else asked,
        "operating_point": point.name if point else "",
        "threshold": point.threshold if point else None,
    }


def is_by(answer: Path, models: Sequence[str], settings: Mapping[str, Any]) -> bool:
    """Tell if a file is by these models, with these settings; False if it is unreadable.

    `models` are the digests of the model folders. An answer of a version that wrote no
    settings is compared by what it tells of them.
    """
    try:
        found = read_json_object(answer, most=_LONGEST)
        if "entry" not in found:
            told = found.get("settings") or _told(found)
            return bool(found.get("model") == [*models]) and _agrees(settings, told)
        own = [each["resource"] for each in found["entry"]]
        (device,) = (each for each in own if each["resourceType"] == "Device")
        known = bool(device["version"] == [{"value": version_of(models)}])
        return known and _agrees(settings, settings_of(found))
    except (OSError, LentigoError, LookupError, TypeError, ValueError):
        return False


def tells_of_report(answer: Path) -> bool:
    """Tell whether an answer names the report of its image, or why there is none."""
    with suppress(OSError, LentigoError):
        found = read_json_object(answer, most=_LONGEST)
        return "report" in found or "no_report" in found
    return True


def _agrees(settings: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    return all(settings.get(key) == value for key, value in told.items())


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that an answer's own fields tell."""
    names = ("prevalence", "operating_point")
    return {name: answer[name] for name in names if name in answer}
