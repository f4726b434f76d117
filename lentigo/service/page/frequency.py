"""A probability as a natural frequency: "about 3 of 100"."""

from __future__ import annotations

import math
from dataclasses import dataclass

_HUNDREDS = (100, 1_000, 10_000)


@dataclass(frozen=True)
class Frequency:
    """`count` of `of`; `bound` says that it is fewer (-1) or more (1) than that."""

    count: int
    of: int
    bound: int = 0


def frequency(probability: float) -> Frequency:
    """Return a probability from 0 to 1 as so many of 100, of 1,000 or of 10,000.

    The smallest whole of which one at least is there. Below 1 in 10,000 it is "fewer than
    1 of 10,000"; near 1 "more than 99 of 100", for a certainty there never is.
    """
    for of in _HUNDREDS:
        if probability * of >= 0.95:
            count = math.floor(probability * of + 0.5)
            return Frequency(count, of) if count < of else Frequency(of - 1, of, 1)
    return Frequency(1, _HUNDREDS[-1], -1)
