"""The result of a comparison of models, as text (`as_text`) and as data (`as_dict`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.headline import upside_down_within
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import decimal, ends, foot
from lentigo.evaluation.sums import Sample
from lentigo.evaluation.telling import tells
from lentigo.notice import NOTICE
from lentigo.visible import visible
from lentigo.words import aligned, counted

ALPHA = 0.05
"""Significance level of an adjusted p-value; half of it for a one-sided p-value."""


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One of the compared models."""

    name: str
    auc: Interval
    """AUC with its 95 % interval."""
    mean_rank: float
    """Mean rank of its AUC among the models over resamples of groups; 1 is the best."""
    first: float
    """Share of the resamples in which its AUC is the highest; if k models tie for the
    highest, the resample counts 1 / k for each."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {
            "name": self.name,
            "auc": self.auc.as_dict(),
            "mean_rank": self.mean_rank,
            "first": self.first,
        }


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The comparison of two models: AUC of the first minus AUC of the second."""

    first: str
    """Names of the two models: `first` and `second`."""
    second: str
    auc: Interval
    """AUC of the first minus AUC of the second, with a paired 95 % interval."""
    p: float
    """P-value of the hypothesis of equal AUCs: a permutation test that exchanges the scores
    of the two models group by group."""
    p_holm: float
    """`p` adjusted for the number of pairs (Holm)."""
    p_inferior: float = math.nan
    """One-sided p-value, adjusted (Holm), of the hypothesis that the first is worse by the
    margin or more; NaN without a margin."""

    @property
    def differs(self) -> bool:
        """Tell whether the AUCs differ: `p_holm` is below 0.05."""
        return self.p_holm < ALPHA

    @property
    def not_inferior(self) -> bool:
        """Tell whether the first is not inferior: `p_inferior` is below 0.025."""
        return self.p_inferior < ALPHA / 2

    @property
    def verdict(self) -> str:
        """Return whether the first model is worse by the margin: "no" or "not excluded"."""
        return "no" if self.not_inferior else "not excluded"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, `differs` and `not_inferior` by name, for JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "auc": self.auc.as_dict(),
            "p": self.p,
            "p_holm": self.p_holm,
            "differs": self.differs,
            "p_inferior": self.p_inferior,
            "not_inferior": self.not_inferior,
        }


@dataclass(frozen=True, kw_only=True)
class Contest:
    """The result of `compare_models`."""

    entrants: tuple[Entrant, ...]
    """The compared models, the highest AUC first."""
    pairs: tuple[Pair, ...]
    """Each compared pair."""
    archives: Mapping[str, Mapping[str, Interval]]
    """AUC of each model (outer) on each archive (inner); empty with one archive."""
    small_archives: tuple[str, ...] = ()
    """Archives of too few groups, on which an AUC has no bounds."""
    sample: Mapping[str, Sample]
    """Labels, scores and groups for each model; images in the same order for all."""
    unit: str
    """What a group is, such as "patient"."""
    margin: float | None
    """How much lower an AUC may be and still not be inferior; None if this was not asked
    for."""
    repeats: int
    """Number of permutations of each test, and of resamples."""
    seed: int
    """Seed of these permutations and resamples."""
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> Sample:
        """Return the sample of the first model, to read the common labels and groups."""
        return next(iter(self.sample.values()))

    @property
    def tells(self) -> bool:
        """Tell whether there are enough images and groups to tell a difference.

        Without, the pairs have no interval or p-value, and the models no rank (NaN).
        """
        return tells(self.images.truth, self.images.group)

    @property
    def headline(self) -> str:
        """Return the words that count the compared images, groups and melanomas."""
        truth, number = self.images.truth, len(self.entrants)
        all_ = "both models" if number == 2 else f"all {number} models"
        groups = f" of {counted(self.images.groups, self.unit)}"
        return (
            f"On {counted(len(truth), 'image')}{'' if self.unit == 'image' else groups}, "
            f"{counted(int(truth.sum()), 'melanoma')} among them, that {all_} predict:"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return models, pairs, archives, counts and notes for `json_files.to_json`."""
        truth = self.images.truth
        return {
            "models": [each.as_dict() for each in self.entrants],
            "pairs": [each.as_dict() for each in self.pairs],
            "archives": {
                model: {name: auc.as_dict() for name, auc in row.items()}
                for model, row in self.archives.items()
            },
            "n_images": len(truth),
            "n_melanomas": int(truth.sum()),
            "n_groups": self.images.groups,
            "unit": self.unit,
            "margin": self.margin,
            "repeats": self.repeats,
            "seed": self.seed,
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    def as_text(self) -> str:
        """Return text tables for a terminal: models, differences, archives."""
        lines = [self.headline, "", *aligned(self._models()), ""]
        lines += ["AUC of the first minus that of the second, on the same images:"]
        lines += aligned(self._differences())
        if self.archives:
            lines += ["", "AUC of each model (row) on each archive (column):"]
            lines += aligned(self._matrix())
        return "\n".join([*lines, *foot(self.notes)])

    def _models(self) -> list[tuple[str, ...]]:
        ranks = ("mean rank", "first in") if self.tells else ()
        rows: list[tuple[str, ...]] = [("", "AUC", "95 % interval", *ranks)]
        for each in self.entrants:
            place = (f"{each.mean_rank:.2f}", f"{100 * each.first:.0f} %")
            auc = (decimal(each.auc.value), ends(each.auc))
            rows.append((visible(each.name), *auc, *(place if self.tells else ())))
        return rows

    def _differences(self) -> list[tuple[str, ...]]:
        several = len(self.pairs) > 1
        head = ["95 % interval", "p"]
        head += ["p (Holm)"] if several else []
        head += [f"worse by {self.margin:g}?"] if self.margin is not None else []
        rows: list[tuple[str, ...]] = [("", "difference", *(head if self.tells else ()))]
        for pair in self.pairs:
            told = [ends(pair.auc, signed=True), chance(pair.p)]
            told += [chance(pair.p_holm)] if several else []
            if self.margin is not None:
                told.append(f"{pair.verdict} (p {chance(pair.p_inferior)})")
            name = f"{visible(pair.first)} - {visible(pair.second)}"
            value = decimal(pair.auc.value, signed=True)
            rows.append((name, value, *(told if self.tells else ())))
        return rows

    def _matrix(self) -> list[tuple[str, ...]]:
        names = list(next(iter(self.archives.values())))
        rows = [("", *map(visible, names))]
        for model, row in self.archives.items():
            cells = (_cell(row[n], few=n in self.small_archives) for n in names)
            rows.append((visible(model), *cells))
        return rows


def _cell(auc: Interval, *, few: bool) -> str:
    """Format an AUC on one archive; "undefined" or "too few" where nothing can be said."""
    if math.isnan(auc.value):
        return "undefined"
    return "too few" if few else f"{decimal(auc.value)} ({ends(auc)})"


def chance(p: float) -> str:
    """Format a p-value with three decimals, or as "<0.001"; "none" for NaN."""
    if math.isnan(p):
        return "none"
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def turned_round(
    entrants: Sequence[Entrant], archives: Mapping[str, Mapping[str, Interval]]
) -> list[str]:
    """Return a warning on models whose AUC lies below 0.5, or does so in an archive.

    `archives` has each model's AUC by the name of the archive; it may be empty.
    """
    wholes = [(f"the answers of {each.name}", each.auc.high) for each in entrants]
    inverted = {each.name for each in entrants if each.auc.high < 0.5}
    parts = [
        (f"the answers of {model} in {name}", auc.high)
        for model, row in archives.items()
        for name, auc in row.items()
        if model not in inverted
    ]
    said = upside_down_within([*wholes, *parts])
    return [said] if said else []


def places(aucs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean rank and the share of first places of each model: (models,) each.

    `aucs` are its AUCs in resamples, (models, resamples); without any, both are NaN.
    """
    if not aucs.shape[1]:
        return np.full(len(aucs), np.nan), np.full(len(aucs), np.nan)
    higher = (aucs[None] > aucs[:, None]).sum(axis=1)  # (models, R)
    equal = (aucs[None] == aucs[:, None]).sum(axis=1)
    best = higher == 0
    return (1 + higher + (equal - 1) / 2).mean(axis=1), (best / equal).mean(axis=1)
