"""The gain in AUC of a network from age, sex and site, which it takes beside the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from lentigo.evaluation.comparison import Comparison, compare
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.scoring import evaluate
from lentigo.tables import WITHOUT_METADATA

LOGIT = f"logit{WITHOUT_METADATA}"


@dataclass(frozen=True, kw_only=True)
class WithoutMetadata:
    """A model on the same held-out images with and without age, sex and site."""

    given: Interval
    """AUC with age, sex and site as the table gives them."""
    without: Interval
    """AUC when age, sex and site of all patients are taken as unknown."""
    difference: Comparison
    """Metrics with metadata minus those without, with paired intervals."""

    def as_dict(self) -> dict[str, Any]:
        """Return both AUCs and the differences of all metrics, for JSON."""
        return {
            "given": self.given.as_dict(),
            "without": self.without.as_dict(),
            "difference": self.difference.as_dict(),
        }


def judge_without_metadata(
    predictions: pd.DataFrame, truth: pd.DataFrame, *, repeats: int, seed: int
) -> WithoutMetadata | None:
    """Compare a model's predictions with those it makes when metadata are unknown.

    The latter are in the column `logit_without_metadata` of `predictions`; None if there is
    no such column. `truth` has the columns `image_id`, `melanoma` and `group_id`. Intervals
    take groups as independent.
    """
    if LOGIT not in predictions:
        return None
    settings: dict[str, Any] = {"group": "group_id", "repeats": repeats, "seed": seed}
    logits = predictions[LOGIT].to_numpy(np.float64)
    bare = predictions.assign(probability=expit(logits))
    return WithoutMetadata(
        given=evaluate(predictions, truth, **settings)["auc"],
        without=evaluate(bare, truth, **settings)["auc"],
        difference=compare(predictions, bare, truth, **settings),
    )
