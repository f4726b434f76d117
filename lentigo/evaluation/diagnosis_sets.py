"""The coverage of prediction sets over the full list of diagnoses, one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.answer_columns import BETWEEN, COULD_BE_DIAGNOSES
from lentigo.datasets.reading.classes import classes_of
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.joining import OF_TRUTH
from lentigo.evaluation.means import clustered_mean
from lentigo.evaluation.set_coverage import in_per_cent
from lentigo.evaluation.shares import clustered_share, share_of
from lentigo.models.conformal import ASKED, FEWEST_GROUPS, MELANOMA
from lentigo.tables import DIAGNOSIS_COLUMNS
from lentigo.words import aligned, counted, some, verb

DIAGNOSIS = "diagnosis"
"""Name of the column with the true diagnosis of each image; see `diagnosis_sets`."""


@dataclass(frozen=True)
class CoveredDiagnosis:
    """The coverage of the sets of the images of one diagnosis."""

    name: str
    n_images: int
    n_groups: int
    held: Interval
    """Mean over groups of the share of a group's images whose set holds this diagnosis;
    this is the coverage that conformal sets guarantee."""
    held_images: Interval
    """Share of the images whose set holds it; groups are independent."""
    size: Interval
    """Mean number of diagnoses in the sets of these images; groups are independent."""
    elsewhere: Interval
    """Share of the images of other diagnoses whose set holds it, too."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        shares = ("held", "held_images", "size", "elsewhere")
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_groups": self.n_groups,
            **{name: getattr(self, name).as_dict() for name in shares},
        }


@dataclass(frozen=True)
class DiagnosisSets:
    """The coverage of the sets of each diagnosis."""

    rows: tuple[CoveredDiagnosis, ...]
    """Melanoma, then the others in alphabetical order; diagnoses without an image, too."""
    n_unknown: int
    """Images left out, whose diagnosis is not known or is none of these."""

    @property
    def sentence(self) -> str:
        """Return sentences on the coverage, on the size, and on what is not judged."""
        seen = [each for each in self.rows if each.n_images]
        worst = min(seen, key=lambda each: each.held.value)
        sizes = np.average(
            [each.size.value for each in seen], weights=[each.n_images for each in seen]
        )
        few = [each.name for each in seen if each.n_groups < FEWEST_GROUPS]
        told = (
            f"Sets over {counted(len(self.rows), 'diagnosis', 'diagnoses')} that promise "
            f"{100 * ASKED:g} % of each hold {sizes:.1f} of them on average; the right one "
            f"is held least often for {worst.name}, {in_per_cent(worst.held)}, each group "
            "counting once."
        )
        if few:
            told += (
                f" Of {some(few)} there are fewer than {FEWEST_GROUPS} groups: too few to "
                "judge the promise."
            )
        if self.n_unknown:
            told += (
                f" {counted(self.n_unknown, 'image')} of no known diagnosis, or of "
                f"another, {verb(self.n_unknown, 'is', 'are')} left out."
            )
        return told

    def as_dict(self) -> dict[str, Any]:
        """Return sentence and rows, ready for JSON."""
        return {
            "promised": ASKED,
            "sentence": self.sentence,
            "n_unknown": self.n_unknown,
            "rows": [each.as_dict() for each in self.rows],
        }

    def as_lines(self) -> list[str]:
        """Return the lines of the sentence and a text table for a terminal."""
        head = ("", "images", "groups", "held", "of images", "in the set", "of others")
        return [self.sentence, *aligned([head, *map(_cells, self.rows)], right=(1, 2))]


def _cells(row: CoveredDiagnosis) -> tuple[str, ...]:
    numbers = (row.held, row.held_images, row.size, row.elsewhere)
    sizes = f"{row.n_images:,}", f"{row.n_groups:,}"
    return (row.name, *sizes, *(each.in_words for each in numbers))


def names_told(predictions: pd.DataFrame) -> list[str]:
    """Return the diagnoses that have a column of probabilities in `predictions`."""
    columns = [str(each) for each in predictions if str(each).startswith(DIAGNOSIS_COLUMNS)]
    names = [each.removeprefix(DIAGNOSIS_COLUMNS) for each in columns]
    return [name.replace("_", " ") for name in names if not name.endswith(OF_TRUTH)]


def diagnosis_sets(table: pd.DataFrame, names: Sequence[str]) -> DiagnosisSets | None:
    """Return the coverage of the sets over diagnoses; None where no image has a set.

    `table` has `melanoma`, `group`, `diagnosis` (a word, missing where not known) and
    `could_be_diagnoses` (the set; an image without one is left out). `names` are the
    diagnoses that the predictions tell apart. None, too, where no true diagnosis other than
    melanoma is known.
    """
    if COULD_BE_DIAGNOSES not in table or DIAGNOSIS not in table:
        return None
    said = table[COULD_BE_DIAGNOSES].astype("string").fillna("")
    known = table[(said != "").to_numpy()]
    lists = [set(each.split(BETWEEN)) for each in said[said != ""]]
    every = {MELANOMA, *names}.union(*lists)
    classes = (MELANOMA, *sorted(every - {MELANOMA}))
    truth = classes_of(known[DIAGNOSIS], known["melanoma"], classes)
    if not (truth > 0).any():
        return None
    held = np.array([[name in each for name in classes] for each in lists], bool)
    judged, group = truth >= 0, pd.factorize(known["group"])[0].astype(np.intp)
    own = held[judged], truth[judged], group[judged]
    rows = [_covered(name, place, *own) for place, name in enumerate(classes)]
    return DiagnosisSets(tuple(rows), int((~judged).sum()))


def _covered(
    name: str, place: int, held: np.ndarray, truth: np.ndarray, group: np.ndarray
) -> CoveredDiagnosis:
    mine, other = truth == place, truth != place
    nothing = Interval(math.nan)
    elsewhere = (
        clustered_share(held[other, place], group[other]) if other.any() else nothing
    )
    if not mine.any():
        return CoveredDiagnosis(name, 0, 0, nothing, nothing, nothing, elsewhere)
    own = pd.factorize(group[mine])[0].astype(np.intp)
    right = held[mine, place]
    means = np.bincount(own, right) / np.bincount(own)
    return CoveredDiagnosis(
        name=name,
        n_images=int(mine.sum()),
        n_groups=len(means),
        held=share_of(means, np.ones(len(means))),
        held_images=clustered_share(right, own),
        size=clustered_mean(held[mine].sum(axis=1).astype(np.float64), own),
        elsewhere=elsewhere,
    )
