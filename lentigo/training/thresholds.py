"""A model's thresholds, chosen on validation images and judged on held-out ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lentigo.evaluation.fold_thresholds import choose_points, why_none
from lentigo.evaluation.operating_points import at_threshold
from lentigo.progress import log


def operating_points(
    table: pd.DataFrame, *, validation: pd.DataFrame, held_out: pd.DataFrame
) -> list[dict[str, Any]]:
    """The thresholds to store with a model, each with what it finds on held-out images.

    `table` is the lesion table; `validation` and `held_out` are prediction tables of the
    model. Empty, with a warning, where the validation images hold too few melanomas.
    """
    labels = table.set_index("image_id")["melanoma"]
    chosen_on, judged = (
        part.assign(melanoma=part["image_id"].map(labels).astype(bool))
        for part in (validation, held_out)
    )
    points = choose_points(chosen_on)
    if not points:
        log.warning("%s", why_none(chosen_on))
    truth = judged["melanoma"].to_numpy(bool)
    score = judged["probability"].to_numpy(np.float64)
    group = pd.factorize(judged["group_id"])[0].astype(np.intp)
    return [
        {
            **point.as_dict(),
            "held_out": {
                "n_images": len(judged),
                "n_melanomas": int(truth.sum()),
                **{
                    name: interval.as_dict()
                    for name, interval in at_threshold(
                        truth, score, group, threshold=point.threshold
                    ).items()
                },
            },
        }
        for point in points
    ]
