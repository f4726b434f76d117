"""One prediction row per image, from the outputs of the networks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lentigo.files import as_text
from lentigo.imaging.kind.unlike import DOUBT, doubt_of, kind_of
from lentigo.inference.abstention.pictures import picture_signals
from lentigo.inference.inputs import ARRAY, Source, patients_of
from lentigo.inference.sources import Sources
from lentigo.inference.squares import Squares
from lentigo.models.backend import Logits, Predictor, Preparation
from lentigo.models.calibration import probability
from lentigo.models.context import People, others_of
from lentigo.models.metadata import FIELDS, WITHOUT

NO_NUMBER = (
    "the network's answer is no number (NaN or infinite); its weights are of no use for "
    "this image"
)


@dataclass(frozen=True)
class Looks:
    """The results of the image checks for a batch."""

    doubts: dict[int, str]
    """By position of an image, why it does not look like dermoscopy."""
    pictures: dict[tuple[Preparation, int], Logits]
    """By `Preparation` and requested side, the `picture_signals` of N squares, (6, N)."""


def looked_at(batch: Squares, *, sides: Collection[int]) -> Looks:
    """Return which images of a batch do not look like dermoscopy, and why.

    An image is doubted if its square in at least one `Preparation` is. The
    `picture_signals` of all squares are returned, too, measured at each of `sides`.
    """
    doubts: dict[int, str] = {}
    pictures: dict[tuple[Preparation, int], Logits] = {}
    for way, prepared in batch.squares.items():
        rows: dict[int, list[Logits]] = {side: [] for side in sides}
        for place, square in zip(batch.places, prepared, strict=True):
            if rows:
                for side, own in rows.items():
                    row, kind = picture_signals(square, side=side)
                    own.append(row)
            elif place in doubts:
                continue
            else:
                kind = kind_of(square)
            if place not in doubts and (doubt := doubt_of(kind)):
                doubts[place] = doubt
        for side, own in rows.items():
            pictures[way, side] = np.stack(own, axis=1)
    return Looks(doubts, pictures)


def metadata_used(networks: Sequence[Predictor], sources: Sequence[Source]) -> list[str]:
    """Return for each image the metadata used beside its pixels: "age, site", or "none".

    A field counts as used if at least one network takes it and it is known. At least one of
    `networks` must take metadata.
    """
    patients = patients_of(sources)
    taken = [each.metadata.used(patients) for each in networks if each.metadata]
    return [
        ", ".join(name for name in FIELDS if any(name in own for own in each)) or WITHOUT
        for each in zip(*taken, strict=True)
    ]


def is_grouped(sources: Sequence[Source]) -> bool:
    """Tell whether one of the images has a `group_id`."""
    if isinstance(sources, Sources):
        return "group_id" in sources.texts
    return any(not pd.isna(source.group_id) for source in sources)


def others_counted(logits: Logits, people: People) -> list[int]:
    """Return for each of N images how many other lesions its answer counts.

    `logits`, (N,), are those of the answers; a lesion without one is not counted.
    """
    return [int(each) for each in others_of(logits, people).count]


def image_table(
    sources: Sequence[Source], means: Logits, reasons: Mapping[int, str], *, grouped: bool
) -> pd.DataFrame:
    """Return a prediction table with one row per image.

    `means` are the raw and the calibrated mean logits of the N `sources`, (2, N); `reasons`
    are by position. With `grouped` it has the column `group_id`. An image whose logits are
    not finite gets a reason, if it has none.
    """
    told = dict(reasons)
    finite = np.isfinite(means).all(axis=0)
    for place in np.flatnonzero(~finite).tolist():
        if not (source := told.get(place)) or source.startswith(DOUBT):
            told[place] = NO_NUMBER
    raw, calibrated = np.where(finite, means, np.nan)
    return pd.DataFrame(
        {
            "image_id": [source.image_id for source in sources],
            "path": [as_text(source.path) if source.path else ARRAY for source in sources],
            **({"group_id": [each.group_id for each in sources]} if grouped else {}),
            "probability": probability(calibrated),
            "logit": calibrated,
            "raw_logit": raw,
            "reason": [told.get(place, "") for place in range(len(sources))],
        }
    )
