"""The result of a stress test: metrics and findings, and both as text and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.stress import PUBLISHED_FLIPS, Judged
from lentigo.notice import NOTICE
from lentigo.robustness.conditions import Condition
from lentigo.robustness.findings import Finding
from lentigo.words import counted

PUBLISHED = (
    "Young et al. 2021 (doi:10.1038/s41746-020-00380-6) found wrong calls after simple "
    f"transformations for {100 * PUBLISHED_FLIPS[0]:g} to {100 * PUBLISHED_FLIPS[1]:g} % "
    "of lesions, with networks and images of their own."
)


@dataclass(frozen=True, kw_only=True)
class Stress:
    """The result of a stress test."""

    plain: Mapping[str, Interval]
    """`auc` and `balanced_error` of the undisturbed images."""
    judged: Mapping[Condition, Judged]
    """Results of every condition but the undisturbed one, in the order of `conditions`."""
    corrupted_error: Interval
    """Mean balanced corruption error, unadjusted; NaN unless all disturbances were run."""
    relative_error: Interval
    """`corrupted_error` minus the undisturbed balanced error."""
    adjusted_error: float
    """Corruption error divided by that of a reference network; NaN without one."""
    flips: Mapping[str, Interval]
    """`views`: share of images whose call changes in any of the seven turned or mirrored
    views. `simple`: the same for these views and zoom and light at strength 1."""
    findings: tuple[Finding, ...]
    """What changes the predictions besides the lesion, the largest effect first."""
    answers: pd.DataFrame
    """One row per image: `image_id`, `group_id`, `melanoma`, and the probability under each
    condition in a column such as `blur_3`."""
    threshold: float
    """Probability from which melanoma is called."""
    operating_point: str
    """Name of the threshold; empty if the model has none and 0.5 was taken."""
    engine: str
    n_images: int
    n_melanomas: int
    n_groups: int
    remarks: tuple[str, ...] = ()
    """What is not among the findings: that no disturbance moved the predictions, or was
    tried, which cannot be told from chance, and which loses most calls of melanoma."""
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> pd.DataFrame:
        """One row per condition, with every metric and its interval."""
        return pd.DataFrame(
            [
                {
                    "condition": condition.name,
                    "strength": condition.strength,
                    "group": condition.group,
                    **_flat(judged),
                }
                for condition, judged in self.judged.items()
            ]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return counts, metrics of each condition, findings and notes, for JSON."""
        return {
            "n_images": self.n_images,
            "n_melanomas": self.n_melanomas,
            "n_groups": self.n_groups,
            "engine": self.engine,
            "threshold": self.threshold,
            "operating_point": self.operating_point,
            "undisturbed": {name: each.as_dict() for name, each in self.plain.items()},
            "mean_corrupted_error": self.corrupted_error.as_dict(),
            "relative_corrupted_error": self.relative_error.as_dict(),
            "adjusted_corrupted_error": self.adjusted_error,
            "flips": {name: each.as_dict() for name, each in self.flips.items()},
            "findings": [each.as_dict() for each in self.findings],
            "remarks": list(self.remarks),
            "conditions": self.scores.to_dict("records"),
            "notes": list(self.notes),
            "published": PUBLISHED,
            "notice": NOTICE,
        }

    def as_text(self) -> str:
        """Return a summary of metrics and findings, to read in a terminal."""
        size = (
            f"{counted(self.n_images, 'image')}, {counted(self.n_melanomas, 'melanoma')}, "
            f"{counted(self.n_groups, 'group')}, engine {self.engine}"
        )
        lines = [size, *self.lines, ""]
        lines += [f"{each.head}. {each.sentence}" for each in self.findings]
        return "\n".join([*lines, *self.remarks, *self.notes])

    @property
    def lines(self) -> list[str]:
        """One line for each overall metric, such as the AUC and the corruption error."""
        found = [
            f"AUC undisturbed {self.plain['auc'].in_words}",
            f"calls from {self.threshold:.4g} upwards "
            f"({self.operating_point or 'no operating point'})",
            f"balanced error undisturbed {self.plain['balanced_error'].in_words}",
        ]
        if not math.isnan(self.corrupted_error.value):
            found.append(
                f"mean corrupted error {self.corrupted_error.in_words}, "
                f"{self.relative_error.in_words} above undisturbed"
            )
        if not math.isnan(self.adjusted_error):
            found.append(f"divided by the reference's: {self.adjusted_error:.3f}")
        said = {"views": "in any of seven turned views", "simple": "in any simple change"}
        found += [
            f"calls that flip {said[name]}: {each.in_words}"
            for name, each in self.flips.items()
        ]
        return [*found, PUBLISHED] if self.flips else found


def _flat(judged: Judged) -> dict[str, float]:
    row: dict[str, float] = {"images": judged.n_images}
    for field in fields(judged):
        value = getattr(judged, field.name)
        if isinstance(value, Interval):
            row[field.name] = value.value
            row[f"{field.name}_low"] = value.low
            row[f"{field.name}_high"] = value.high
    return row
