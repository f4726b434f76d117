"""The numbers in `model.json` that decide for which images a model abstains."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lentigo.models.facts import Count, Fact, Name, Share, Text

FloatArray = NDArray[np.float64]

MOST = 0.05
"""Share of the held-back images that may be refused."""


class Signal(Fact):
    """One out-of-distribution signal, and its usual values on held-back images."""

    name: Name
    middle: Annotated[float, Field(ge=-1e9, le=1e9)]
    """Median of the signal over the held-back images."""
    spread: Annotated[float, Field(gt=0, le=1e9)]
    """Distance from the median to a high quantile of the held-back images: the 0.9 quantile
    or, for the disagreement of the members of an ensemble, the 0.995 quantile."""
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the signal's score."""


class Abstention(Fact):
    """The rule by which a network abstains, set on images that it did not learn from."""

    signals: Annotated[list[Signal], Field(max_length=32)]
    limit: Annotated[float, Field(gt=0, le=1e9)] | None
    """The score above which an image is refused; None if too few groups were there."""
    most: Share = MOST
    """Share of the held-back images that may be refused."""
    refused: Share | None = None
    """Share of the held-back images that the limit refuses, each group counting once."""
    n_images: Count = 0
    """Number of the held-back images on which the limit was set; `n_groups`: their
    groups."""
    n_groups: Count = 0
    set_on: Text = ""
    """In words, the images on which the limit was set."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each.name for each in self.signals]
        if len(set(names)) < len(names):
            raise ValueError("a signal of abstention is named twice")
        if self.limit is not None and not self.signals:
            raise ValueError("abstention has a limit and no signal that it limits")
        return self

    def strangeness(self, values: FloatArray) -> FloatArray:
        """Return the out-of-distribution scores of N images, one for each of S signals.

        `values` and the result are (S, N), in the order of `signals`. A score is
        weight · (value - middle) / spread, divided by `limit`. So 1 is the limit: an image
        is refused if one of its scores exceeds 1. Without a limit all scores are 0. NaN
        stays NaN.
        """
        middle, spread, weight = (
            np.array([getattr(each, name) for each in self.signals])[:, None]
            for name in ("middle", "spread", "weight")
        )
        return np.asarray(weight * (values - middle) / spread / (self.limit or np.inf))
