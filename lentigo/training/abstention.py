"""Build the feature index of a trained network and the limit above which it abstains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import Config
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.inference.abstention.fit import (
    limit_of,
    make_index,
    seen,
    set_limit,
    share_of,
    weights_of,
)
from lentigo.inference.abstention.judge import Judged, strangest
from lentigo.inference.abstention.signals import Familiar
from lentigo.models.abstention import Abstention, Signal
from lentigo.models.backend import Images
from lentigo.models.index import Index
from lentigo.models.metadata import Patients
from lentigo.models.network import Classifier
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.progress import log, track
from lentigo.training.prepare import Prepared
from lentigo.words import counted

_AT_ONCE = 32


@dataclass(frozen=True)
class Known:
    """The feature index of one network, its abstention limit, and scores of its images."""

    index: Index
    abstention: Abstention
    judged: Mapping[str, Judged]
    """Out-of-distribution scores of the images of the parts "test" and "validation"."""


def known_to(
    network: Classifier, work: Prepared, role: pd.Series, config: Config
) -> Known | None:
    """Return the index of a trained network and its limit, set on the validation images.

    None if `training.index` is "none", or if the features of the training or validation
    images cannot be had. `role` holds "train", "validation", "test" … for each row.
    """
    if config.training.index == "none":
        return None
    predictor = _predictor(network, config)
    mine = {name: work.table[(role == name).to_numpy()] for name in _PARTS}
    found = {
        name: seen(
            predictor, _squares(work, rows, name), for_index=name == "train",
            patients=Patients.of_table(rows),
        )
        for name, rows in mine.items()
    }  # fmt: skip
    train, validation = found["train"], found["validation"]
    if train is None or validation is None:
        return None
    index = make_index(train, mine["train"], named=config.training.index == "named")
    groups = mine["validation"]["group_id"].astype(str).tolist()
    abstention = set_limit(index, validation, groups, set_on=VALIDATION)
    _say(abstention)
    familiar = Familiar(index, abstention, config.training.views)
    judged = {
        name: strangest([familiar.values(part.looked, part.pictures)], [abstention])
        for name in ("test", "validation")
        if (part := found[name]) is not None
    }
    return Known(index, abstention, judged)


_PARTS = ("train", "validation", "test")


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


def _squares(work: Prepared, rows: pd.DataFrame, name: str) -> Iterator[Images]:
    places = work.store.positions(rows["image_id"])
    starts = range(0, len(places), _AT_ONCE)
    label = f"Features of the {name} images"
    for start in track(starts, total=len(starts), label=label):
        yield np.stack(
            [work.store.images[place] for place in places[start : start + _AT_ONCE]]
        )


def _predictor(network: Classifier, config: Config) -> TorchPredictor:
    return TorchPredictor(
        network=network,
        store_size=config.imaging.size,
        fit=config.imaging.fit,
        max_pixels=config.imaging.max_pixels,
        image_size=config.training.image_size,
        view=tuple(config.imaging.view),
        looks=config.training.views,
        logit_shift=0.0,
    )


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
