"""One model folder: its networks, and what it makes of their logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.models.backend import Logits, Predictor, Preparation
from lentigo.models.calibration import Calibration
from lentigo.models.description import read_description
from lentigo.models.engines import load_members

Images = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """One model folder: its networks, whose mean logit is its answer, and what it says."""

    members: tuple[Predictor, ...]
    calibrations: tuple[Calibration, ...] = ()
    """One a member, of its own logits; none of them where there are none."""
    calibration: Calibration = field(default_factory=Calibration)
    """Of the mean of the members."""
    operating_points: tuple[Mapping[str, Any], ...] = ()
    """Thresholds that were chosen for its answers, on images that it did not learn from."""
    prevalence: float | None = None
    """Share of melanoma that its probabilities are meant for."""

    @property
    def engine(self) -> str:
        """Name what computes the networks."""
        return self.members[0].engine

    def answers(
        self, squares: Mapping[Preparation, Images], *, views: int | None = None
    ) -> list[Logits]:
        """Return what each member says of its squares, (1 + D, N); see `Predictor`."""
        looks = {} if views is None else {"looks": views}
        return [each.answers(squares[each.preparation], **looks) for each in self.members]

    def mean(self, logits: Logits) -> Logits:
        """Return the mean of the members' logits as it is and calibrated, (2, N)."""
        known = self.calibrations or (Calibration(),) * len(logits)
        own = [map_.apply(answer) for map_, answer in zip(known, logits, strict=True)]
        calibrated = self.calibration.apply(np.mean(own, axis=0))
        return np.stack([np.mean(logits, axis=0), calibrated])


def load_ensemble(folder: Path, engine: str) -> Ensemble:
    """Load a model folder, whose networks are computed by `engine`."""
    description = read_description(folder)
    return Ensemble(
        members=load_members(folder, description, engine),
        calibrations=tuple(each.calibration for each in description.members),
        calibration=description.calibration,
        operating_points=tuple(description.operating_points),
        prevalence=description.prevalence,
    )
