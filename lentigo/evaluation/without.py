"""The gain in AUC of a model from what it takes beside the image: metadata or context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit

from lentigo.evaluation.comparison import Comparison, compare
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.scoring import evaluate

Beside = Literal["metadata", "context"]
"""A kind of input beside the image: age, sex and site, or the patient's other lesions."""


@dataclass(frozen=True, kw_only=True)
class Without:
    """A model on the same held-out images with and without metadata, or context."""

    given: Interval
    """AUC with what the table gives beside the image."""
    without: Interval
    """AUC when it is taken as unknown for all images."""
    difference: Comparison
    """Metrics with it minus those without, with paired intervals."""

    def as_dict(self) -> dict[str, Any]:
        """Return both AUCs and the differences of all metrics, for JSON."""
        return {
            "given": self.given.as_dict(),
            "without": self.without.as_dict(),
            "difference": self.difference.as_dict(),
        }


def judge_without(
    predictions: pd.DataFrame, table: pd.DataFrame, *, what: Beside, repeats: int, seed: int
) -> Without | None:
    """Compare a model's predictions with those it makes without `what`.

    The logits without are in the column `logit_without_metadata` (or `_context`) of
    `predictions`; None if there is no such column. `table` has the columns `image_id`,
    `melanoma` and `group_id`. Intervals take groups as independent.
    """
    if (column := f"logit_without_{what}") not in predictions:
        return None
    held_out = table["image_id"].isin(predictions["image_id"])
    truth = table.loc[held_out, ["image_id", "melanoma", "group_id"]]
    settings: dict[str, Any] = {"group": "group_id", "repeats": repeats, "seed": seed}
    logits = predictions[column].to_numpy(np.float64)
    bare = predictions.assign(probability=expit(logits))
    return Without(
        given=evaluate(predictions, truth, **settings)["auc"],
        without=evaluate(bare, truth, **settings)["auc"],
        difference=compare(predictions, bare, truth, **settings),
    )
