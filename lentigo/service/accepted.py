"""Read headers by which a client says what it would rather have, such as `Accept`."""

from __future__ import annotations

_LONGEST = 500
"""Most characters of a header that are read."""


def weighed(header: str) -> dict[str, float]:
    """Return the weight, 0 to 1, of each name in a header such as `de;q=0.5, en`.

    Names are in lower case, in the order of the header. Of one that is named more than once
    the first weight counts, and one whose weight is no number has 0 (RFC 9110, 12.4.2).
    """
    found: dict[str, float] = {}
    for part in header[:_LONGEST].split(","):
        name, *parameters = part.split(";")
        if name.strip():
            found.setdefault(name.strip().lower(), _weight(parameters))
    return found


def prefers(header: str, kind: str, other: str) -> bool:
    """Tell whether an `Accept` header asks for the media type `kind` by its name.

    It does not if its weight is 0, or below that of `other`, which is given by default.
    """
    weights = weighed(header)
    return weights.get(kind, 0.0) > 0 and weights[kind] >= weights.get(other, 0.0)


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
