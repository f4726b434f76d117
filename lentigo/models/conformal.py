"""Conformal prediction sets: which classes stay possible for an image at 90 %.

There are two sets of an image: melanoma, not melanoma, or both; and, of a model that tells
diagnoses apart, all the diagnoses that it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from lentigo.answer_columns import BETWEEN
from lentigo.models.facts import Count, Fact, Share, Text

MELANOMA, NOT_MELANOMA, BOTH = "melanoma", "not melanoma", "melanoma or not"
"""The three possible prediction sets, in words."""
ASKED = 0.9
"""Wanted coverage: share of the images of each class whose set holds the true class."""


FEWEST_GROUPS = 9
"""Fewest groups of a class that can set a limit at 90 %; with fewer it is 0."""


class DiagnosisLimit(Fact):
    """The probability from which one diagnosis other than melanoma stays possible."""

    name: Text
    least: Share
    """It is possible from this probability upwards; 0 (always possible) if there were
    fewer than `FEWEST_GROUPS` groups of it."""
    n_images: Count = 0
    n_groups: Count = 0

    @field_validator("name")
    @classmethod
    def _stands_in_a_list(cls, given: str) -> str:
        if BETWEEN.strip() in given or not given.strip():
            raise ValueError(f"a diagnosis has a name without {BETWEEN.strip()!r}")
        return given

    @property
    def is_set(self) -> bool:
        """Tell whether there were enough groups: without, 90 % are kept by no exclusion."""
        return self.n_groups >= FEWEST_GROUPS


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
    diagnoses: Annotated[list[DiagnosisLimit], Field(max_length=1000)] = Field(
        default_factory=list
    )
    """The limits of the diagnoses other than melanoma, whose limit is `melanoma`; empty for
    a model that tells melanoma alone, or if the diagnoses of the images are not known."""

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

    def lists(
        self,
        probability: NDArray[np.float64],
        names: Sequence[str],
        shares: NDArray[np.float64],
    ) -> list[str]:
        """Return the diagnoses that stay possible for each of N images, as text.

        Melanoma comes first, the others are sorted, with `BETWEEN` between them. Melanoma
        is in a list if it is in the set of `words`, and each other diagnosis from its limit
        in `diagnoses` upwards. No list holds those alone that are always possible: if none
        of the others is, it also holds the likeliest one that `words` allows, so that it is
        never empty. `probability`, (N,), is as in `words`;
        `shares`, (D, N), are those of the diagnoses `names` among lesions that are not
        melanoma. For a probability of NaN the result is "".

        The names must be those of `diagnoses`, in any order (`knows`).
        """
        said = np.array(self.words(probability))
        least = {each.name: each.least for each in self.diagnoses}
        order = sorted(range(len(names)), key=lambda place: names[place])
        own = (1 - probability) * shares[order]  # (D, N)
        held = own >= np.array([[least[names[place]]] for place in order])
        # Melanoma is left out by `words`, so the likeliest of the others is meant.
        is_set = {each.name for each in self.diagnoses if each.is_set}
        limited = held[[names[place] in is_set for place in order]]
        alone = ~limited.any(axis=0) & (said == NOT_MELANOMA)
        held[np.nan_to_num(own).argmax(axis=0)[alone], np.flatnonzero(alone)] = True
        whole = [MELANOMA, *(names[place] for place in order)]
        rows = np.vstack([np.isin(said, [MELANOMA, BOTH]), held]).T
        return [
            BETWEEN.join(name for name, yes in zip(whole, row, strict=True) if yes)
            if word
            else ""
            for row, word in zip(rows, said, strict=True)
        ]

    def knows(self, names: Sequence[str]) -> bool:
        """Tell whether there is a limit for each of the diagnoses `names`, and no other."""
        return bool(names) and sorted(names) == sorted(each.name for each in self.diagnoses)
