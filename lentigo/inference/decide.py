"""From calibrated logits to probabilities for a clinic's share of melanoma, and calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lentigo.answer_columns import ABSTAIN, BETWEEN, COULD_BE, COULD_BE_DIAGNOSES, YES
from lentigo.errors import ConfigError, unknown_name
from lentigo.imaging.kind.doubt import DOUBT
from lentigo.inference.columns import with_columns
from lentigo.models.calibration import on_threshold, probability, shift_prevalence
from lentigo.models.operating_point import OperatingPoint

DEFAULT_POINT = "sensitivity_95"
AUTO, NO_POINT = "auto", "none"
CALLED, NOT_CALLED = "melanoma", "not melanoma"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A rule that turns calibrated logits into probabilities and calls."""

    meant_for: float | None
    """Share of melanoma that the model's probabilities are meant for; None if unknown."""
    asked_for: float | None
    """Share of melanoma to adjust the probabilities to; None leaves them unchanged."""
    point: OperatingPoint | None
    """The threshold from which an image is called melanoma; None makes no calls."""
    abstain: bool = True
    """Whether an image beyond the model's out-of-distribution limit gets no probability. If
    False, its probability is kept, and the column `abstain` says `yes`."""

    def apply(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Return `predictions` with adjusted probabilities, and calls; `reason` stays last.

        `probability` and `logit` are adjusted to the share of melanoma `asked_for`. Adds
        the columns `meant_for`, `prevalence` (the share that `probability` now holds for),
        `call` and `operating_point`.
        """
        own = predictions["logit"].to_numpy(np.float64)
        moved = self._moved(own)
        reached = self.meant_for if self.asked_for is None else self.asked_for
        columns = {
            "probability": probability(moved),
            "logit": moved,
            "meant_for": _everywhere(self.meant_for, len(own)),
            "prevalence": _everywhere(reached, len(own)),
            "call": self._calls(own, moved),
            "operating_point": [self.point.name if self.point else ""] * len(own),
        }
        return with_columns(predictions, columns)

    def _moved(self, own: np.ndarray) -> np.ndarray:
        if self.asked_for is None or self.meant_for in {None, self.asked_for}:
            return own
        return shift_prevalence(own, self.meant_for, self.asked_for)

    def _calls(self, own: np.ndarray, moved: np.ndarray) -> list[str]:
        if self.point is None or self.point.threshold is None:
            return [""] * len(own)
        judged = probability(moved if self.point.moves_with_prevalence else own)
        called = judged >= self.point.threshold
        if self.point.moves_with_prevalence and moved is not own:
            called |= on_threshold(moved, self.point.threshold)
        return [
            "" if math.isnan(each) else (CALLED if call else NOT_CALLED)
            for each, call in zip(judged, called, strict=True)
        ]


def _everywhere(share: float | None, count: int) -> np.ndarray:
    return np.full(count, math.nan if share is None else share)


def without_reassurance(table: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions without a "not melanoma" beside an image that is doubted.

    An image is doubted if its `reason` says that it may be no dermoscopy, or if the model
    should not answer for it (`abstain`) and its probability is shown all the same. Its
    `call` and its `could_be` become empty where they say "not melanoma", and the diagnoses
    that it could be where melanoma is not among them: such a number cannot reassure.
    "melanoma" stays, so that no melanoma is lost. A lesion is doubted if one of the images
    in its mean is.
    """
    doubted = np.array([DOUBT in str(reason) for reason in table["reason"]], dtype=bool)
    if ABSTAIN in table:
        doubted |= table[ABSTAIN].eq(YES).to_numpy(bool)
    if not doubted.any():
        return table
    told = {name: table[name] for name in ("call", COULD_BE) if name in table}
    quiet = {
        name: words.mask(doubted & words.eq(NOT_CALLED).to_numpy(bool), "")
        for name, words in told.items()
    }
    if COULD_BE_DIAGNOSES in table:
        lists = table[COULD_BE_DIAGNOSES]
        first = np.array([str(each).split(BETWEEN)[0] for each in lists], dtype=object)
        quiet[COULD_BE_DIAGNOSES] = lists.mask(doubted & (first != CALLED), "")
    return with_columns(table, quiet)


def decision(
    points: Sequence[OperatingPoint],
    *,
    meant_for: float | None,
    prevalence: float | None,
    operating_point: str,
    abstain: bool = True,
) -> Decision:
    """Return the `Decision` for a model whose operating points are `points`.

    `meant_for` is the share of melanoma for which the model's probabilities hold, and
    `prevalence` the one to adjust them to. `operating_point` is the name of one of
    `points`, `none` for no calls, or `auto`: `sensitivity_95` if it has a threshold, else
    no calls. `abstain` is as in `Decision`.

    Raises:
        UnknownNameError: no point has the name `operating_point`.
        ConfigError: the named point has no threshold, `prevalence` is not between 0 and 1,
            or it is given and `meant_for` is not known.
    """
    if prevalence is not None:
        check_prevalence(prevalence)
        if meant_for is None or not 0 < meant_for < 1:
            raise ConfigError(
                "The model does not say for which share of melanoma its probabilities are "
                "meant, so they cannot be moved to another; predict without --prevalence."
            )
    point = _point(points, operating_point)
    return Decision(meant_for=meant_for, asked_for=prevalence, point=point, abstain=abstain)


def check_prevalence(prevalence: float | None) -> None:
    """Raise `ConfigError` if `prevalence` is given and not between 0 and 1 (exclusive)."""
    if prevalence is not None:
        shift_prevalence(0.0, 0.5, prevalence)


def _point(points: Sequence[OperatingPoint], name: str) -> OperatingPoint | None:
    if name == NO_POINT:
        return None
    known = {point.name: point for point in points}
    if name == AUTO:
        found = known.get(DEFAULT_POINT)
        return found if found is not None and found.threshold is not None else None
    if name not in known:
        raise unknown_name("operating point", name, [*known, AUTO, NO_POINT])
    if known[name].threshold is None:
        raise ConfigError(
            f"The model has no threshold {known[name].aim}. {known[name].absent} Take "
            "another with --operating-point."
        )
    return known[name]
