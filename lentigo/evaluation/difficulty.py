"""Discrimination of melanoma from each other diagnosis, and which diagnoses are easy.

The AUC against all other lesions is the mean of the AUCs against each diagnosis, weighted
by its images: many vascular lesions raise it, but do not show how nevi are discriminated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.datasets.reading.diagnoses import lineage
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import Interval, count_groups
from lentigo.evaluation.operating_points import at_threshold
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import marked
from lentigo.evaluation.sums import Sample
from lentigo.visible import visible
from lentigo.words import aligned, counted, listed

KINDS = ("nevus", "benign keratosis")
"""The kinds of lesion that are mistaken for melanoma most often. Benign keratosis includes
seborrhoeic keratosis, solar lentigo and lichenoid keratosis."""
REST = "all others"
_MOST = 25


@dataclass(frozen=True, kw_only=True)
class Against:
    """All melanomas against the non-melanoma images of one kind or diagnosis alone."""

    name: str
    n_images: int
    """Non-melanoma images of that kind."""
    n_groups: int
    share: float
    """Share of all non-melanoma images that are of that kind."""
    auc: Interval
    specificity: Interval
    """Share of the images of that kind below the threshold, so not called melanoma."""

    @property
    def too_few(self) -> bool:
        """Tell whether there are fewer than 5 images or groups, too few for a metric."""
        return min(self.n_images, self.n_groups) < FEWEST

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and `too_few` by name, for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_groups": self.n_groups,
            "share_of_others": self.share,
            "too_few": self.too_few,
            "auc": self.auc.as_dict(),
            "specificity": self.specificity.as_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Difficulty:
    """The AUC of melanoma against each kind, and each diagnosis, of other images alone."""

    kinds: tuple[Against, ...]
    """Nevus, benign keratosis and all other diagnoses, without kinds that have no image."""
    diagnoses: tuple[Against, ...]
    """Each diagnosis, the lowest AUC first; those of too few images at the end."""
    auc: float
    """AUC of melanoma against all other images."""
    without_easy: Against | None
    """Melanoma against all diagnoses that are not easy; None if none or all are easy."""

    @property
    def easy(self) -> list[Against]:
        """Return the diagnoses for which the whole interval of the AUC lies above `auc`."""
        return [d for d in self.diagnoses if not d.too_few and d.auc.low > self.auc]

    @property
    def sentence(self) -> str:
        """Return a sentence that names the easy diagnoses and the AUC without them."""
        if self.without_easy is None:
            return (
                "No diagnosis is told from melanoma so well that its interval lies above "
                f"the AUC against all of them ({self.auc:.3f})."
            )
        number = sum(each.n_images for each in self.easy)
        share = 100 * sum(each.share for each in self.easy)
        left = self.without_easy
        names = listed([visible(each.name) for each in self.easy])
        return (
            f"Easy: {names} ({counted(number, 'image')}, {share:.1f} % of the others). "
            f"Without them the AUC is {left.auc.in_words}, with them {self.auc:.3f}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return kinds, diagnoses, the names of easy ones and the sentence, for JSON."""
        return {
            "kinds": [each.as_dict() for each in self.kinds],
            "diagnoses": [each.as_dict() for each in self.diagnoses],
            "easy": [each.name for each in self.easy],
            "without_easy": self.without_easy.as_dict() if self.without_easy else None,
            "sentence": self.sentence,
        }

    def as_lines(self) -> list[str]:
        """Return the lines of a text table, and the sentence on the easy diagnoses."""
        rows: list[tuple[str, ...]] = [
            ("Melanoma against", "images", "groups", "AUC", "specificity")
        ]
        rows += [_cells(each) for each in self.kinds]
        if self.diagnoses:  # else they would seem to be of the kind above
            rows.append(("each diagnosis", "", "", "", ""))
        rows += [_cells(each, indent="  ") for each in self.diagnoses[:_MOST]]
        more = len(self.diagnoses) - _MOST
        rest = [f"  and {counted(more, 'diagnosis', 'diagnoses')} more"] if more > 0 else []
        return [*aligned(rows, right=(1, 2)), *rest, self.sentence]


def difficulty_of(
    sample: Sample, diagnosis: pd.Series[Any], *, threshold: float
) -> Difficulty | None:
    """Judge all melanomas against the other images of each diagnosis and kind by itself.

    `diagnosis` is (N,), one name an image of `sample`. `threshold` is for the specificity.
    None where there is no melanoma, or the other images are of fewer than two diagnoses.
    """
    names = diagnosis.to_numpy(dtype=object)
    others = sorted({str(name) for name in names[~sample.truth]})
    if not sample.truth.any() or len(others) < 2:
        return None
    kind = {name: kind_of(name) for name in others}
    kinds = np.array([kind.get(str(name), "") for name in names], dtype=object)
    judge = _Judge(sample, threshold)
    found = [judge.against(name, names == name) for name in others]
    whole = auc_interval(sample.truth, sample.score, sample.group).value
    found.sort(key=lambda each: (each.too_few, each.auc.value, each.name))
    draft = Difficulty(
        kinds=tuple(
            judge.against(name, kinds == name)
            for name in (*KINDS, REST)
            if (kinds[~sample.truth] == name).any()
        ),
        diagnoses=tuple(found),
        auc=whole,
        without_easy=None,
    )
    easy = [each.name for each in draft.easy]
    if not easy or len(easy) == len(found):
        return draft
    left = judge.against("all but the easy", ~np.isin(names.astype(str), easy))
    return Difficulty(
        kinds=draft.kinds, diagnoses=draft.diagnoses, auc=whole, without_easy=left
    )


def kind_of(name: str) -> str:
    """Return the kind (of `KINDS`) that the diagnosis `name` belongs to, else `REST`."""
    return next((kind for kind in KINDS if kind in lineage(name)), REST)


@dataclass(frozen=True)
class _Judge:
    """Judges melanomas against part of the other images."""

    sample: Sample
    threshold: float
    """Probability from which melanoma is called."""

    def against(self, name: str, mine: np.ndarray[Any, np.dtype[np.bool_]]) -> Against:
        sample = self.sample
        these = mine & ~sample.truth
        rows = these | sample.truth
        truth, score, group = sample.truth[rows], sample.score[rows], sample.group[rows]
        calls = at_threshold(truth, score, group, threshold=self.threshold)
        sides = [count_groups(group[side]) for side in (truth, ~truth)]
        intervals = marked(
            {
                "auc": auc_interval(truth, score, group),
                "specificity": calls["specificity"],
            },
            with_melanoma=sides[0],
            without=sides[1],
        )
        return Against(
            name=name,
            n_images=int(these.sum()),
            n_groups=sides[1],
            share=float(these.sum() / max((~sample.truth).sum(), 1)),
            **intervals,
        )


def _cells(each: Against, *, indent: str = "") -> tuple[str, ...]:
    numbers = (
        ("too few", "too few")
        if each.too_few
        else (each.auc.in_words, each.specificity.in_words)
    )
    name = f"{indent}{visible(each.name)}"
    return (name, f"{each.n_images:,}", f"{each.n_groups:,}", *numbers)


def shown(found: Difficulty) -> Iterator[Against]:
    """Yield the rows of a diagram: all kinds, then the diagnoses with enough images."""
    yield from found.kinds
    yield from (each for each in found.diagnoses if not each.too_few)
