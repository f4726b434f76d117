"""Conformal prediction sets: whether an image may be melanoma, not melanoma, or both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lentigo.models.facts import Count, Fact, Share, Text

MELANOMA, NOT_MELANOMA, BOTH = "melanoma", "not melanoma", "melanoma or not"
"""The three possible prediction sets, in words."""
ASKED = 0.9
"""Wanted coverage: share of the images of each class whose set holds the true class."""


class ConformalSets(Fact):
    """Probabilities from which a class stays possible (Angelopoulos & Bates 2021).

    doi:10.1561/2200000101. They are set for each class separately (Mondrian), so that they
    do not depend on the share of melanoma, on images that the networks did not learn from.
    """

    melanoma: Share
    """Melanoma is possible from this probability of melanoma upwards; 0 (always possible)
    if there were too few groups with a melanoma."""
    not_melanoma: Share
    """Not melanoma is possible from this value of 1 - probability of melanoma upwards; 0
    (always possible) if there were too few groups without a melanoma."""
    coverage: Share = ASKED
    """Share of the images of each class whose set holds the true class, each group counting
    once."""
    n_images: Count = 0
    n_melanoma_groups: Count = 0
    n_other_groups: Count = 0
    set_on: Text = ""
    """In words, the images on which it was set."""

    def words(self, probability: NDArray[np.float64]) -> list[str]:
        """Return the set of each of N images: `MELANOMA`, `NOT_MELANOMA` or `BOTH`.

        `probability`, (N,), is that of melanoma at the share of melanoma that the model is
        meant for. If neither class is possible, the set holds the likelier class: a set is
        never empty. For a probability of NaN the result is "".
        """
        yes = probability >= self.melanoma
        no = 1 - probability >= self.not_melanoma
        neither = ~yes & ~no
        yes, no = yes | neither & (probability >= 0.5), no | neither & (probability < 0.5)
        said = np.where(yes & no, BOTH, np.where(yes, MELANOMA, NOT_MELANOMA))
        return np.where(np.isnan(probability), "", said).tolist()  # type: ignore[no-any-return]
