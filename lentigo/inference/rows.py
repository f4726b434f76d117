"""One row an image, out of what the networks said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lentigo.files import as_text
from lentigo.imaging.kind.unlike import DOUBT, unlike_dermoscopy
from lentigo.inference.inputs import ARRAY, Source
from lentigo.inference.squares import Squares
from lentigo.models.backend import Logits
from lentigo.models.calibration import probability

NO_NUMBER = (
    "the network's answer is no number (NaN or infinite); its weights are of no use for "
    "this image"
)


def doubts(batch: Squares) -> dict[int, str]:
    """Say of each image of a batch that looks like no dermoscopy what it looks like.

    One way to prepare it is enough to be doubted in.
    """
    found: dict[int, str] = {}
    for prepared in batch.squares.values():
        for place, square in zip(batch.places, prepared, strict=True):
            if place not in found and (doubt := unlike_dermoscopy(square)):
                found[place] = doubt
    return found


def image_table(
    sources: Sequence[Source], means: Logits, reasons: Mapping[int, str]
) -> pd.DataFrame:
    """Return a row an image; `means` are the mean logits, as it is and calibrated."""
    told = dict(reasons)
    finite = np.isfinite(means).all(axis=0)
    for place in np.flatnonzero(~finite).tolist():
        if not (source := told.get(place)) or source.startswith(DOUBT):
            told[place] = NO_NUMBER
    raw, calibrated = np.where(finite, means, np.nan)
    table = pd.DataFrame(
        {
            "image_id": [source.image_id for source in sources],
            "path": [as_text(source.path) if source.path else ARRAY for source in sources],
            "group_id": [source.group_id for source in sources],
            "probability": probability(calibrated),
            "logit": calibrated,
            "raw_logit": raw,
            "reason": [told.get(place, "") for place in range(len(sources))],
        }
    )
    return table.drop(columns="group_id") if table["group_id"].isna().all() else table
