"""Compute the size of a study from the predictions of a pilot, for `lentigo power`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import DatasetError
from lentigo.evaluation.headline import upside_down
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.joined_groups import joined_pair
from lentigo.evaluation.joining import Matched, Source, match
from lentigo.evaluation.power import (
    Needed,
    check_pilot,
    check_wishes,
    design_effect,
    for_auc_width,
    for_difference,
    for_sensitivity_width,
)
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.result import foot
from lentigo.evaluation.scored import scored
from lentigo.evaluation.sums import Sample, as_sample
from lentigo.notice import NOTICE
from lentigo.table_files.cells import ids_as_text
from lentigo.words import aligned, counted

WIDTHS = (0.1, 0.05, 0.02)
"""Default widths of 95 % intervals that a study size is computed for."""

_CAVEAT = (
    "These sizes are for patients like those of the pilot, at its AUC and its share of "
    "melanomas; a pilot of few melanomas knows neither well, so plan for more."
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Metrics of the pilot, and the study size for each requested precision or power."""

    n_images: int
    """Number of images of the pilot; likewise melanomas and groups."""
    n_melanomas: int
    n_groups: int
    auc: Interval
    threshold: float
    """Probability from which the pilot's images are called melanoma, for the
    sensitivity."""
    design_effect: float
    """Number of melanomas that tell as much as one independent one, if those of a patient
    are alike."""
    needed: tuple[Needed, ...]
    """The size of the study for each wish."""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return metrics of the pilot, study sizes and notes, for JSON."""
        return {
            "pilot": {
                "n_images": self.n_images,
                "n_melanomas": self.n_melanomas,
                "n_groups": self.n_groups,
                "auc": self.auc.as_dict(),
                "threshold": self.threshold,
                "design_effect": self.design_effect,
            },
            "needed": [each.as_dict() for each in self.needed],
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    def as_text(self) -> str:
        """Return text for a terminal: the pilot, a table of study sizes, and notes."""
        first = (
            f"The pilot has {counted(self.n_images, 'image')} of "
            f"{counted(self.n_groups, 'group')}, {counted(self.n_melanomas, 'melanoma')} "
            f"among them, and an AUC of {self.auc.value:.3f} ({self.auc.low:.3f}–"
            f"{self.auc.high:.3f})."
        )
        if f"{self.design_effect:.2f}" != "1.00":
            first += (
                f" If the melanomas of a group are alike, {self.design_effect:.2f} of them "
                "tell as much as one alone."
            )
        rows: list[tuple[str, ...]] = [
            ("wish", "melanomas", "groups", "images", "times the pilot")
        ]
        rows += [_cells(each) for each in self.needed]
        lines = [first, "", *aligned(rows, right=(1, 2, 3, 4)), "", _CAVEAT]
        return "\n".join([*lines, *foot(self.notes)])


@ids_as_text
def plan_study(
    predictions: Source,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    threshold: float = 0.5,
    widths: Sequence[float] = WIDTHS,
    against: Source | None = None,
    difference: float = 0.02,
    power: float = 0.8,
) -> Plan:
    """Compute how many melanomas, patients and images a study needs, from a pilot.

    `widths` are widths of 95 % intervals, from bound to bound, of the AUC and of the
    sensitivity at `threshold`. With the predictions of another model, `against`, the size
    is also computed that shows a `difference` of the two AUCs with the power `power`,
    two-sided at 5 %. Tables, `columns` and `group` are as in `evaluate`.

    Raises the errors of `evaluate`, `DatasetError` when the pilot is too small (see
    `check_pilot`) or no image is predicted by both models, and `ConfigError` when a width,
    difference or power is out of bounds (see `check_wishes`).
    """
    check_wishes(widths, None if against is None else difference, power)
    matched = match(predictions, truth, columns=columns)
    if against is None:
        table, _, notes = scored(matched, group=group)
    else:
        second = match(against, truth, columns=columns)
        table, notes = _of_both(matched, second, group)
    sample = as_sample(table)
    check_pilot(sample)
    wishes = list(_wishes(sample, widths, threshold))
    if against is not None:
        other = table["probability_second"].to_numpy(np.float64)
        wishes.append(for_difference(sample, other, difference, power=power))
    auc = auc_interval(sample.truth, sample.score, sample.group)
    question = upside_down(auc.high)
    return Plan(
        n_images=len(sample.truth),
        n_melanomas=int(sample.truth.sum()),
        n_groups=sample.groups,
        auc=auc,
        threshold=threshold,
        design_effect=design_effect(sample),
        needed=tuple(wishes),
        notes=(*([question] if question else []), *notes),
    )


def _of_both(
    pilot: Matched, second: Matched, group: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the images that both models predict, and notes on these and the others.

    Images that either table puts together are of one group.
    """
    table, notes = joined_pair(
        ("the pilot", pilot), ("the other model", second), group=group
    )
    if table.empty:
        raise DatasetError("No image is predicted by both models.")
    if lost := len(pilot.table) - len(table):
        notes.append(
            f"{counted(lost, 'image')} of the pilot left out, which the other model "
            "does not predict."
        )
    if more := len(second.table) - len(table):
        notes.append(
            f"{counted(more, 'image')} that the other model alone predicts left out."
        )
    return table, notes


def _wishes(sample: Sample, widths: Sequence[float], threshold: float) -> Iterator[Needed]:
    for width in widths:
        yield for_auc_width(sample, width)
    for width in widths:
        yield for_sensitivity_width(sample, width, threshold=threshold)


def _cells(each: Needed) -> tuple[str, ...]:
    if math.isnan(each.times):
        return (each.wish, "no size does", "", "", "")
    numbers = (f"{n:,}" for n in (each.melanomas, each.patients, each.images))
    return (each.wish, *numbers, f"{each.times:.3g}")
