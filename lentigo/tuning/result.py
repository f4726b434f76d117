"""The result of a search for settings, in numbers and in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.telling import too_few_to_tell
from lentigo.tuning.space import Dimension
from lentigo.words import counted


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The best trial of a search and the unchanged recipe, compared on validation images.

    A trial is a training with other values of the searched settings.
    """

    recipe: str
    trial: int
    """Number of the best trial, counted from 0."""
    settings: Mapping[str, Any]
    """Values of the searched settings in the best trial."""
    auc: Interval
    """AUC of the best trial on the validation images, by which it was chosen; the 95 %
    interval does not allow for this choice, which biases the AUC upwards."""
    corrected: float
    """AUC of the best trial, corrected for the choice among all finished trials (see
    `corrected_best`); NaN if only one trial finished, or there are too few groups."""
    base: Interval
    """AUC of the unchanged recipe on the same validation images."""
    difference: Interval
    """AUC of the best trial minus that of the unchanged recipe, with a paired interval;
    not corrected for the choice of the best trial. Without bounds where there are too few
    groups to tell a difference."""
    trials: pd.DataFrame = field(repr=False)
    """One row per ended trial: trial (its number), state, validation_auc, epochs, minutes,
    a column for each searched setting, and reason (why it did not finish)."""
    searched: tuple[Dimension, ...]
    """The searched settings with their ranges or choices."""
    base_settings: Mapping[str, Any]
    """Values of the searched settings in the unchanged recipe."""
    n_images: int
    """Number of validation images on which all trials were evaluated; no held-out image is
    among them."""
    n_melanomas: int
    n_groups: int
    tells: bool = True
    """Whether there are enough groups to tell a difference; see `evaluation.telling`."""

    @property
    def finished(self) -> int:
        """Return the number of trials that were trained to their last epoch."""
        return int((self.trials["state"] == "finished").sum())

    @property
    def optimism(self) -> str:
        """Return sentences on how far the choice biases the best trial's AUC upwards."""
        if self.finished == 1:
            return (
                "Its epoch was chosen on the same images, which flatters it; one trial "
                "alone was trained to its end, so nothing else was chosen."
            )
        if math.isnan(self.corrected):
            return (
                f"It is the best of {self.finished} on the images that chose it, which "
                "flatters it; there are too few groups to say by how much."
            )
        gap = self.auc.value - self.corrected
        much = f"about {gap:.3f} too high" if gap >= 0.0005 else "hardly too high"
        return (
            f"It is the best of {self.finished} on the very images that chose it, and so "
            f"{much}: choosing on some groups and judging on others gives "
            f"{self.corrected:.3f}. That each trial also chose its epoch on these images, "
            "and that later trials were led by earlier ones, is not counted."
        )

    @property
    def verdict(self) -> str:
        """Return a sentence on whether the best trial differs from the unchanged recipe."""
        found = self.difference
        if not self.tells:
            return too_few_to_tell("whether a trial is better than the recipe as it is")
        if self.auc.value <= self.base.value:
            return "No trial was better than the recipe as it is."
        if math.isnan(found.low):
            return "The difference shows no spread, so whether it is chance is not known."
        if found.low <= 0:
            return "The interval holds 0: it may be no better than the recipe as it is."
        return (
            "It is better on these images, as far as the interval counts (not the choice)."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all fields, `finished`, `optimism` and `verdict` as values for JSON."""
        left_out = {"trials", "searched", "auc", "base", "difference"}
        plain = {name: v for name, v in vars(self).items() if name not in left_out}
        return {
            **plain,
            **{n: getattr(self, n).as_dict() for n in ("auc", "base", "difference")},
            "searched": [each.as_dict() for each in self.searched],
            "finished": self.finished,
            "optimism": self.optimism,
            "verdict": self.verdict,
            "trials": self.trials.to_dict("records"),
        }

    def as_text(self) -> str:
        """Return the result as lines for a terminal."""
        states = self.trials["state"].value_counts()
        how = ", ".join(f"{n} {name}" for name, n in states.items())
        settings = "  ".join(f"{name}={_short(v)}" for name, v in self.settings.items())
        return "\n".join(
            [
                f"{counted(len(self.trials), 'trial')} ({how}), judged on "
                f"{counted(self.n_images, 'validation image')} of "
                f"{counted(self.n_groups, 'group')}, "
                f"{counted(self.n_melanomas, 'melanoma')}; "
                "no held-out image was looked at.",
                f"  AUC {_with_ends(self.auc)}  trial {self.trial}: {settings}",
                f"  AUC {_with_ends(self.base)}  {self.recipe} as it is",
                f"      {_with_ends(self.difference, signed=True)}  difference, paired",
                self.verdict,
                self.optimism,
            ]
        )


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _with_ends(found: Interval, *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    if math.isnan(found.low):
        return f"{found.value:{form}} (no interval)"
    return f"{found.value:{form}} ({found.low:{form}} to {found.high:{form}})"
