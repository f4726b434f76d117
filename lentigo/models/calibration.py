"""Calibration functions ("maps"): from a network's logits to calibrated logits.

A map never reverses the order of two logits. It is computed with NumPy alone, so that its
result is the same on every installation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from lentigo.errors import ConfigError
from lentigo.models.facts import Count, Fact, Measured, Name, Share, Text

FloatArray = NDArray[np.float64]

LARGEST = 1e6
"""Logits are clipped to ± this value; their probability is 0 or 1 long before that."""
_Scale = Annotated[float, Field(gt=1e-6, le=1e6)]
_Weight = Annotated[float, Field(ge=0, le=1e6)]
_Offset = Annotated[float, Field(ge=-1e6, le=1e6)]
_Knots = Annotated[tuple[_Offset, ...], Field(min_length=1, max_length=2000, strict=False)]


class NoCalibration(Fact):
    """Leave the logit as it is."""

    method: Literal["none"] = "none"

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return the logits, of the same shape."""
        return _finite(logits)


class Temperature(Fact):
    """Divide the logit by one number (Guo et al. 2017, arXiv:1706.04599)."""

    method: Literal["temperature"] = "temperature"
    temperature: _Scale

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return the logits divided by the temperature, of the same shape."""
        return _finite(_finite(logits) / self.temperature)


class Platt(Fact):
    """Multiply the logit by a slope and add an intercept (Platt 1999)."""

    method: Literal["platt"] = "platt"
    slope: _Scale
    intercept: _Offset

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return `slope` times the logits plus `intercept`, of the same shape."""
        return _finite(self.slope * _finite(logits) + self.intercept)


class Spread(Fact):
    """Give the logits of each network of an ensemble the same standard deviation.

    Then all networks have equal weight in the mean, if too few labels were there to
    calibrate them. No label is used, so the probabilities remain uncalibrated.
    """

    method: Literal["spread"] = "spread"
    slope: _Scale
    intercept: _Offset

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return `slope` times the logits plus `intercept`, of the same shape."""
        return _finite(self.slope * _finite(logits) + self.intercept)


class Beta(Fact):
    """Beta calibration: stretch low and high logits separately (Kull et al. 2017).

    The new logit is `a ln p - b ln(1 - p) + c` (doi:10.1214/17-EJS1338SI).
    """

    method: Literal["beta"] = "beta"
    a: _Weight
    b: _Weight
    c: _Offset

    @model_validator(mode="after")
    def _keeps_an_order(self) -> Beta:
        if self.a + self.b < 1e-6:
            raise ValueError("a and b are 0, so every image would get one probability")
        return self

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return the stretched logits, of the same shape."""
        given = _finite(logits)
        # ln p and ln(1 - p), the one near 0 without loss of digits.
        small = np.log1p(np.exp(-np.abs(given)))
        melanoma, other = np.minimum(given, 0) - small, -np.maximum(given, 0) - small
        return _finite(self.a * melanoma - self.b * other + self.c)


class _Knotted(Fact):
    """Interpolate the logit linearly between knots; constant outside the knots."""

    knots: _Knots
    """Logits of the network, each above the one before."""
    values: _Knots
    """New logit of each knot, none below the one before."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.knots) != len(self.values):
            raise ValueError("knots and values are not equally many")
        if (np.diff(self.knots) <= 0).any() or (np.diff(self.values) < 0).any():
            raise ValueError("knots must rise and values must not fall")
        return self

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return the logits read off the line, of the same shape."""
        given = _finite(logits)
        found = np.interp(given, self.knots, self.values)
        # Rounding may carry a point past the end of its piece: the next would then fall.
        end = np.searchsorted(self.knots, given, side="right")
        return np.asarray(np.minimum(found, np.append(self.values, self.values[-1])[end]))


class Isotonic(_Knotted):
    """Isotonic regression: a line with knots (Zadrozny & Elkan 2002).

    Fitted on labels (doi:10.1145/775047.775151).
    """

    method: Literal["isotonic"] = "isotonic"


class Ranks(_Knotted):
    """Give the logits of each network of an ensemble the same distribution.

    Each logit is replaced by the mean, over the networks, of the logits with its rank
    among the images of the fit (quantile normalisation, Bolstad et al. 2003,
    doi:10.1093/bioinformatics/19.2.185). So only how a network ranks images enters the mean
    of several. Without labels the probabilities remain uncalibrated.
    """

    method: Literal["ranks"] = "ranks"
    then_line: bool = False
    """Whether a line that was fitted on labels follows; `values` include it."""
    beyond: Annotated[float, Field(ge=0, le=2e6)] = 0.0
    """How far the new logit rises above the last value, at most, for logits above the last
    knot, and falls below the first; 0, as in folders of earlier versions, keeps it
    constant, so that all images beyond have one answer."""

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return the logits read off the line and its tails, of the same shape.

        A tail begins with the mean slope of the line and bends towards `beyond`: images
        beyond the knots keep their order, and a wild logit counts as little more than the
        last rank.
        """
        found = super().apply(logits)
        if not self.beyond:
            return found
        given = _finite(logits)
        over = np.maximum(given - self.knots[-1], 0) - np.maximum(self.knots[0] - given, 0)
        rise = self.values[-1] - self.values[0]
        width = self.knots[-1] - self.knots[0]
        bend = self.beyond * width / rise if rise > 0 and width > 0 else 1.0
        # Written so that each step keeps the order of two logits in rounding, too.
        tail = self.beyond * (1 - bend / (np.abs(over) + bend))
        return _finite(found + np.sign(over) * tail)


Map = Annotated[
    NoCalibration | Temperature | Platt | Beta | Isotonic | Spread | Ranks,
    Field(discriminator="method"),
]
METHODS = ("none", "temperature", "platt", "beta", "isotonic")
"""Names of the methods that are fitted on labels, the simplest first."""
WITHOUT_LABELS = frozenset({"none", "spread", "ranks"})
"""Names of the methods that leave probabilities uncalibrated."""


def then_line(first: Map, slope: float, intercept: float) -> Map:
    """Return one map that equals `first` followed by `slope` · logit + `intercept`.

    The parameters of the returned map are clipped to the bounds of its class.
    """
    if isinstance(first, NoCalibration):
        return Platt(slope=_scale(slope), intercept=_offset(intercept))
    if isinstance(first, Temperature):
        return Platt(slope=_scale(slope / first.temperature), intercept=_offset(intercept))
    if isinstance(first, Platt | Spread):
        moved = slope * first.intercept + intercept
        return Platt(slope=_scale(slope * first.slope), intercept=_offset(moved))
    if isinstance(first, Beta):
        return Beta(
            a=_scale(slope * first.a),
            b=min(slope * first.b, 1e6),
            c=_offset(slope * first.c + intercept),
        )
    values = tuple(_offset(slope * value + intercept) for value in first.values)
    if isinstance(first, Ranks):
        beyond = min(slope * first.beyond, 2e6)
        return Ranks(knots=first.knots, values=values, then_line=True, beyond=beyond)
    return Isotonic(knots=first.knots, values=values)


def _scale(value: float) -> float:
    return min(max(value, 1.1e-6), 1e6)


def _offset(value: float) -> float:
    return min(max(value, -LARGEST), LARGEST)


class Compared(Fact):
    """Log loss of one method in cross-validation with grouped folds."""

    method: Name
    log_loss: Measured
    """Mean log loss of the held-out folds, with its interval."""
    standard_error: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """Standard error, by groups, of the difference to the best; None for the best."""


class Calibration(Fact):
    """The map from a network's logits to calibrated ones, and what it was fitted on."""

    map: Map = NoCalibration()
    fitted_on: Text = ""
    """Images of the fit, such as "validation images"; empty if nothing was fitted."""
    n_images: Count = 0
    """Number of the images of the fit; likewise melanomas and groups."""
    n_melanomas: Count = 0
    n_groups: Count = 0
    prevalence: Share | None = None
    """Share of melanoma among the images of the fit; probabilities are meant for it."""
    compared: Annotated[tuple[Compared, ...], Field(max_length=20, strict=False)] = ()
    """The methods that were compared, the simplest first."""
    compared_for_mean: Annotated[
        tuple[Compared, ...], Field(max_length=20, strict=False)
    ] = ()
    """For a network of an ensemble: the methods compared for the calibration of the mean
    logit. The map then is the network's own calibration (see `compared`) followed by that
    of the mean; empty if the map is the network's own calibration alone."""

    @property
    def method(self) -> str:
        """Return the name of the method: one of `METHODS`, "spread" or "ranks".

        A line after ranks is "platt", as is a line after a spread.
        """
        ranks_and_line = isinstance(self.map, Ranks) and self.map.then_line
        return "platt" if ranks_and_line else self.map.method

    def apply(self, logits: ArrayLike) -> FloatArray:
        """Return the calibrated logits of `logits`, of the same shape.

        Of two logits, the larger one never gets the smaller calibrated logit. Finite logits
        stay finite; NaN stays NaN.
        """
        return self.map.apply(logits)


def probability(logits: ArrayLike) -> FloatArray:
    """Return the logistic function of each logit, its probability; NaN stays NaN."""
    given = np.asarray(logits, dtype=np.float64)
    small = np.exp(-np.abs(given))
    return np.asarray(np.where(given >= 0, 1.0, small) / (1.0 + small))


def mean_prevalence(shares: Sequence[float | None]) -> float | None:
    """Return the share of melanoma that the mean of several networks' logits is meant for.

    It is the share whose log-odds are the mean of the log-odds of the networks' `shares`.
    None if a share is None, 0 or 1, or if there are no shares.
    """
    known = [share for share in shares if share is not None and 0 < share < 1]
    if not known or len(known) < len(shares):
        return None
    return float(probability(np.mean([_log_odds(share) for share in known])))


def shift_prevalence(logits: ArrayLike, trained_for: float, asked_for: float) -> FloatArray:
    """Return logits for a clinic in which the share of melanoma is `asked_for`.

    `trained_for` is the share of melanoma that the given logits are meant for. The result
    is right if melanomas look the same in both places, and other lesions as well, so that
    only their shares differ (Saerens et al. 2002, doi:10.1162/089976602753284446).

    Raises `ConfigError` if one of the two shares is not above 0 and below 1.
    """
    given = np.asarray(logits, dtype=np.float64)
    return np.asarray(given + _log_odds(asked_for) - _log_odds(trained_for))


TIED = 1e-12
"""Logits closer than this differ by rounding alone: the score is on the threshold."""


def on_threshold(logits: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Tell of each logit whether its probability is `threshold` but for rounding.

    A logit that was moved to another share of melanoma is rounded, and a call on the
    threshold should be no matter of rounding. A threshold of 0 or 1 has no logit.
    """
    given = np.asarray(logits, dtype=np.float64)
    if not 0 < threshold < 1:
        return np.zeros(given.shape, dtype=bool)
    return np.asarray(np.abs(given - _log_odds(threshold)) <= TIED)


def _log_odds(share: float) -> float:
    if not 0 < share < 1:
        raise ConfigError(
            f"A share of melanoma of {share:g} tells nothing of single images; give one "
            "above 0 and below 1, such as 0.02."
        )
    return math.log(share) - math.log1p(-share)


def _finite(logits: ArrayLike) -> FloatArray:
    return np.clip(np.asarray(logits, dtype=np.float64), -LARGEST, LARGEST)
