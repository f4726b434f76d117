"""One row an image, out of what the networks said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lentigo.files import as_text
from lentigo.imaging.kind.unlike import DOUBT, doubt_of, kind_of
from lentigo.inference.abstention.pictures import picture_signals
from lentigo.inference.inputs import ARRAY, Source
from lentigo.inference.squares import Squares
from lentigo.models.backend import Logits, Preparation
from lentigo.models.calibration import probability

NO_NUMBER = (
    "the network's answer is no number (NaN or infinite); its weights are of no use for "
    "this image"
)


@dataclass(frozen=True)
class Looks:
    """The findings of the picture checks in a batch."""

    doubts: dict[int, str]
    """Of each image that looks like no dermoscopy, what it looks like."""
    pictures: dict[Preparation, Logits]
    """For each way to prepare them `picture_signals`, (6, N), if they were asked for."""


def looked_at(batch: Squares, *, signals: bool) -> Looks:
    """Look at the pictures of a batch; one way to prepare them is enough to be doubted in.

    Without `signals` only the doubts are found.
    """
    doubts: dict[int, str] = {}
    pictures: dict[Preparation, Logits] = {}
    for way, prepared in batch.squares.items():
        rows = []
        for place, square in zip(batch.places, prepared, strict=True):
            if signals:
                row, kind = picture_signals(square)
                rows.append(row)
            elif place in doubts:
                continue
            else:
                kind = kind_of(square)
            if place not in doubts and (doubt := doubt_of(kind)):
                doubts[place] = doubt
        if rows:
            pictures[way] = np.stack(rows, axis=1)
    return Looks(doubts, pictures)


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
