"""The parts of a Brier score: miscalibration, discrimination and uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from lentigo.evaluation.calibration import brier
from lentigo.evaluation.discrimination import BoolArray, FloatArray

NO_INTERVAL = (
    "no interval: miscalibration is above 0 by chance where probabilities are right, and "
    "resampling adds to it"
)


@dataclass(frozen=True, kw_only=True)
class BrierParts:
    """Brier score = miscalibration − discrimination + uncertainty, exactly."""

    miscalibration: float
    """How much the best monotone recalibration would lower the Brier score; 0 is best."""
    discrimination: float
    """`uncertainty` minus the Brier score after that recalibration; higher is better."""
    uncertainty: float
    """The Brier score p (1 − p) of giving every image the share of melanomas, p."""

    @property
    def brier(self) -> float:
        """The Brier score."""
        return self.miscalibration - self.discrimination + self.uncertainty

    @property
    def sentence(self) -> str:
        """Return a sentence with the Brier score and its three parts."""
        return (
            f"The Brier score {self.brier:.4f} is {self.miscalibration:.4f} "
            f"miscalibration, less {self.discrimination:.4f} discrimination, and "
            f"{self.uncertainty:.4f} uncertainty (the score of the share of melanomas for "
            "all images)."
        )

    def as_dict(self) -> dict[str, float | str]:
        """Return the three parts, and why they have no interval, for JSON."""
        return {
            "miscalibration": self.miscalibration,
            "discrimination": self.discrimination,
            "uncertainty": self.uncertainty,
            "intervals": NO_INTERVAL,
        }


def brier_parts(truth: BoolArray, probability: FloatArray) -> BrierParts | None:
    """Split the Brier score into its parts by isotonic regression, without bins.

    `truth` and `probability` are (N,). After Dimitriadis, Gneiting & Jordan 2021
    (doi:10.1073/pnas.2016191118). None without images.
    """
    if not len(truth):
        return None
    steps, place, images = np.unique(probability, return_inverse=True, return_counts=True)
    share = np.bincount(place, truth, minlength=len(steps)) / images
    mapped = isotonic_regression(share, weights=images).x[place]
    best = brier(truth, np.asarray(mapped, dtype=np.float64))
    prevalence = float(truth.mean())
    uncertainty = prevalence * (1 - prevalence)
    return BrierParts(
        miscalibration=brier(truth, probability) - best,
        # Where nothing is told apart both are equal but for rounding.
        discrimination=max(uncertainty - best, 0.0),
        uncertainty=uncertainty,
    )
