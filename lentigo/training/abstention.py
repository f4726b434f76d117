"""Build the feature index of a trained network, and set the limit above which it abstains.

The limit is one of the out-of-distribution score of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import Config
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.inference.abstention.fit import (
    Seen,
    limit_of,
    make_index,
    set_limit,
    share_of,
    weights_of,
)
from lentigo.inference.abstention.judge import Judged, strangest
from lentigo.inference.abstention.signals import Familiar
from lentigo.models.abstention import Abstention, Signal
from lentigo.models.index import Index
from lentigo.progress import log
from lentigo.words import counted


@dataclass(frozen=True)
class Known:
    """The feature index of one network, its abstention limit, and scores of its images."""

    index: Index
    abstention: Abstention
    judged: Mapping[str, Judged]
    """Out-of-distribution scores of the images of the parts "test" and "validation"."""


def known_to(
    found: Mapping[str, Seen | None], rows: Mapping[str, pd.DataFrame], config: Config
) -> Known | None:
    """Return the index of a trained network and its limit, set on the validation images.

    `found` holds the network's outputs for the images of the parts "train", "validation"
    and "test", and `rows` their rows in the lesion table. None if the outputs for the
    training or validation images are missing.
    """
    train, validation = found.get("train"), found.get("validation")
    if train is None or validation is None:
        return None
    index = make_index(train, rows["train"], named=config.training.index == "named")
    groups = rows["validation"]["group_id"].astype(str).tolist()
    abstention = set_limit(index, validation, groups, set_on=VALIDATION)
    _say(abstention)
    familiar = Familiar(index, abstention, config.training.views)
    judged = {
        name: strangest([familiar.values(part.looked, part.pictures)], [abstention])
        for name in ("test", "validation")
        if (part := found.get(name)) is not None
    }
    return Known(index, abstention, judged)


def limit_of_several(
    strangeness: NDArray[np.float64],
    logits: NDArray[np.float64],
    known: Abstention,
    groups: Sequence[str],
) -> Abstention:
    """Return the abstention limit of several networks together, set on validation images.

    `strangeness` (out-of-distribution scores) and `logits` (calibrated) are (M, N): of each
    of M networks for each of N images. `groups` names the group of each image. `known` is
    the abstention of one of the networks, whose other fields are kept.
    """
    apart = logits.std(axis=0)
    middle, upper = np.quantile(apart, [0.5, _RARE])
    signal = Signal(
        name="members", middle=float(middle), spread=max(float(upper - middle), 0.1)
    )
    own = Abstention(signals=[signal], limit=1.0)
    score = np.fmax(strangeness.mean(axis=0), own.strangeness(apart[None])[0])
    weights = weights_of(groups)
    limit = limit_of(score, weights)
    return known.model_copy(
        update={
            "signals": [signal],
            "limit": limit,
            "refused": None if limit is None else share_of(score > limit, weights),
        }
    )


_RARE = 0.995
"""Quantile of the networks' disagreement over the validation images that gets a score of 1,
as high as the limit of one network."""


def _say(abstention: Abstention) -> None:
    if abstention.limit is None or abstention.refused is None:
        log.info(
            "%s are too few to set the limit above which an image is too strange to be "
            "answered, so every image is answered.",
            counted(abstention.n_groups, "validation group"),
        )
        return
    log.info(
        "Images that look like nothing learnt are not answered; of the validation images "
        "these are %.1f %%.",
        100 * abstention.refused,
    )
