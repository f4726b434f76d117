"""Read back by which model, and with which settings, a structured report was made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_PARAMETERS = ("111002", "DCM")
"""Code of the items that hold the parameters of an algorithm."""


def is_made_with(report: Path, parameters: Sequence[str]) -> bool:
    """Tell whether a report names exactly these parameters; False if it is unreadable.

    They hold the digest of the model, its operating point and all other settings.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        found = sorted(_told(dcmread(report)))
    except (OSError, InvalidDicomError, ValueError, TypeError, LookupError):
        return False
    return found == sorted(parameters)


def _told(item: Any) -> Iterator[str]:
    for name in item.get("ConceptNameCodeSequence") or ():
        # A long code, or one that is an address, has another attribute than this.
        if (name.get("CodeValue"), name.get("CodingSchemeDesignator")) == _PARAMETERS:
            yield str(item.get("TextValue"))
    for part in item.get("ContentSequence") or ():
        yield from _told(part)
