"""A probability as a natural frequency: "about 3 of 100"."""

from __future__ import annotations

import math
from dataclasses import dataclass

_HUNDREDS = (100, 1_000, 10_000)
_SMALL = 0.0005
"""Share that rounds to 0.0 per cent if it is any smaller."""


@dataclass(frozen=True)
class Frequency:
    """`count` of `of`, as 3 of 100; `bound` -1 means fewer than that, 1 more, 0 about."""

    count: int
    of: int
    bound: int = 0


def frequency(probability: float) -> Frequency:
    """Return a probability from 0 to 1 as a number of 100, of 1,000 or of 10,000.

    The smallest of these three is taken with which the number, before rounding, is at least
    0.95. A probability below 0.95 in 10,000 is "fewer than 1 of 10,000"; one that rounds to
    100 of 100 is "more than 99 of 100", since nothing is certain.
    """
    for of in _HUNDREDS:
        if probability * of >= 0.95:
            count = math.floor(probability * of + 0.5)
            return Frequency(count, of) if count < of else Frequency(of - 1, of, 1)
    return Frequency(1, _HUNDREDS[-1], -1)


def tenths(share: float) -> str:
    """Return a probability in per cent with one decimal, "<0.1" below that.

    No network is so sure that a diagnosis has 0 % or 100 %.
    """
    if share < _SMALL:
        return "<0.1"
    return ">99.9" if share > 1 - _SMALL else f"{100 * share:.1f}"
